"""Erasing that is stopped or disturbed, and begun again."""

from __future__ import annotations

import psycopg
import pytest

from airflow_xero import erasures, runs, traces
from airflow_xero.erasing import Erased
from airflow_xero.errors import (
    UnavailableError,
    WarehouseBusyError,
)
from airflow_xero.standing import tenants_to_extract
from tests.warehouse.connections import names
from tests.warehouse.erasures_asked import ask, figures, run


@pytest.mark.parametrize("place", [0.0, 0.1, 0.4, 0.7, 0.95])
def test_it_goes_on_where_it_was_killed_and_counts_each_row_once(
    place, two, xero, warehouse, monkeypatch
):
    gone, kept = two
    before, kept_before = figures(xero.dsn, gone), figures(xero.dsn, kept)
    ask(warehouse, gone)
    empty = traces.empty
    # The library's own tables are emptied together, at the end.
    steps = sum(not name.startswith("xero_ops.") for name in before) + 1
    left = int(steps * place)

    def until_killed(connection, emptied, tenant_id):
        nonlocal left
        rows = empty(connection, emptied, tenant_id)
        left -= bool(rows)
        if left < 0:
            # As the operating system does: within the transaction, without a word.
            connection.pgconn.finish()
        return rows

    monkeypatch.setattr(traces, "empty", until_killed)
    with psycopg.connect(xero.dsn) as worker, pytest.raises(WarehouseBusyError):
        run(xero, gone, worker)
    monkeypatch.setattr(traces, "empty", empty)
    assert figures(xero.dsn, gone) != {}

    erased = run(xero, gone)

    assert erased == Erased(rows_deleted=sum(before.values()), rows_left=0)
    assert figures(xero.dsn, gone) == {}
    assert figures(xero.dsn, kept) == kept_before
    assert run(xero, gone) == Erased(erased.rows_deleted, 0)


def test_it_waits_for_an_extraction_that_is_under_way(two, xero, warehouse):
    gone, _ = two
    ask(warehouse, gone)
    before = figures(xero.dsn, gone)

    with (
        psycopg.connect(xero.dsn) as worker,
        runs.tenant_lock(worker, gone.tenant_id),
        pytest.raises(WarehouseBusyError, match="under way"),
    ):
        run(xero, gone)

    assert figures(xero.dsn, gone) == before
    assert erasures.erasures(warehouse)[0].state == "failed"
    warehouse.commit()
    assert run(xero, gone).rows_left == 0


def test_it_waits_until_xero_can_be_told(two, xero, warehouse):
    gone, _ = two
    ask(warehouse, gone)
    rule = {"path": "/connections/*", "method": "DELETE", "kind": "offline", "times": 0}
    xero.sandbox.control("POST", "faults", rule)
    before = figures(xero.dsn, gone)

    with pytest.raises(UnavailableError):
        run(xero, gone)

    assert figures(xero.dsn, gone) == before
    assert erasures.open_erasures(warehouse) == [gone.tenant_id]


def test_rows_that_somebody_writes_meanwhile_fail_the_proof_and_go_with_the_next_try(
    two, xero, warehouse, monkeypatch
):
    gone, _ = two
    ask(warehouse, gone)
    tidy = traces.tidy

    def written_meanwhile(connection, tidied):
        tidy(connection, tidied)
        with psycopg.connect(xero.dsn) as build:
            build.execute(
                "insert into xero_marts.dim_contacts values (%s, 'late', 'Late')", (gone.tenant_id,)
            )

    monkeypatch.setattr(traces, "tidy", written_meanwhile)
    with pytest.raises(WarehouseBusyError, match=r"came back .* in xero_marts.dim_contacts:"):
        run(xero, gone)
    monkeypatch.setattr(traces, "tidy", tidy)

    assert figures(xero.dsn, gone) == {"xero_marts.dim_contacts": 1}
    assert run(xero, gone).rows_left == 0


def test_a_consent_that_connects_it_again_meanwhile_is_ended_by_the_next_try(
    two, xero, warehouse, monkeypatch
):
    gone, kept = two
    ask(warehouse, gone)
    tidy, again = traces.tidy, []

    def connected_meanwhile(connection, tidied):
        tidy(connection, tidied)
        again.append(xero.connect_to(kept.tenant_id, gone.tenant_id))

    monkeypatch.setattr(traces, "tidy", connected_meanwhile)
    with pytest.raises(WarehouseBusyError, match="connected the organisation again"):
        run(xero, gone)
    monkeypatch.setattr(traces, "tidy", tidy)

    assert run(xero, gone).rows_left == 0
    assert names(tenants_to_extract(warehouse, "xero_default")) == ["Tōtara Tools"]


def test_what_was_erased_can_be_connected_anew_and_erased_again(two, xero, warehouse):
    gone, kept = two
    ask(warehouse, gone)
    run(xero, gone)

    xero.connect_to(gone.tenant_id, kept.tenant_id)
    assert len(tenants_to_extract(warehouse, "xero_default")) == 2
    warehouse.commit()
    ask(warehouse, gone)

    assert run(xero, gone).rows_left == 0
    assert figures(xero.dsn, gone) == {}
