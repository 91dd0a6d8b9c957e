"""Erasing an organisation: every trace, whatever stops it, proved by a count; others keep all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from airflow_xero import erasures, runs, traces
from airflow_xero.audit import Actor
from airflow_xero.connect import cap
from airflow_xero.erasing import Erased, erase, request, rows_left
from airflow_xero.errors import (
    NotConnectedError,
    UnavailableError,
    WarehouseBusyError,
    XeroSetupError,
)
from airflow_xero.extract import Tenant
from airflow_xero.notify import Notice, note
from airflow_xero.purging import Purged, purge
from airflow_xero.standing import tenants_to_extract
from tests.warehouse.connections import names
from tests.warehouse.extraction import WITHOUT_REREADS, ConnectedApp
from tests.warehouse.searching import everywhere

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
GRACE = Actor("grace", "192.0.2.7")
READ = ("organisations", "accounts", "contacts", "invoices", "payments", "trial_balances")
NAME = "Kōwhai & Sons <Roasters>"


@pytest.fixture
def xero(xero_sandbox, warehouse_dsn):
    with ConnectedApp(xero_sandbox, warehouse_dsn) as connected:
        connected.endpoints = [each for each in WITHOUT_REREADS if each.name in READ]
        yield connected


@pytest.fixture
def two(xero) -> tuple[Tenant, Tenant]:
    """Two organisations of one user, extracted, in the marts, with everything a warehouse keeps."""
    ids = [
        xero.sandbox.control(
            "POST", "organisations", {"name": name, "seed": 3, "days": 10, "traits": {}}
        )["tenantId"]
        for name in (NAME, "Tōtara Tools")
    ]
    xero.connect_to(*ids)
    with psycopg.connect(xero.dsn, autocommit=True) as warehouse:
        found = {
            tenant.tenant_id: tenant for tenant in tenants_to_extract(warehouse, "xero_default")
        }
        kept = (found[ids[0]], found[ids[1]])
        for tenant in kept:
            xero.extract(tenant)
        _publish(warehouse)
        notices = [
            Notice(f"alarm:{each.tenant_id}", f"about {each.tenant_name}", "-", each.tenant_id)
            for each in kept
        ]
        note(warehouse, notices, now=NOW)
    return kept


def _publish(warehouse: psycopg.Connection) -> None:
    """Marts as dbt makes them: a table, one that a killed build left, a night beside, a view."""
    warehouse.execute("create schema xero_marts; create schema xero_marts_night")
    query = "select tenant_id, record_id, payload ->> 'Name' as name from xero_raw.contacts"
    warehouse.execute(
        f"create table xero_marts.dim_contacts as {query};"
        f"create table xero_marts.dim_contacts__dbt_backup as {query};"
        f"create table xero_marts_night.dim_contacts as {query};"
        f"create view xero_marts.rpt_contacts as {query};"
        "create table xero_marts.fct_texts as select tenant_id::text, record_id"
        " from xero_raw.invoices;"
        "create table xero_marts.dim_dates as select current_date as date_day"
    )


@pytest.fixture
def warehouse(xero):
    """A connection as the hook opens it: a transaction at the first statement."""
    with psycopg.connect(xero.dsn) as connection:
        yield connection


def ask(warehouse, tenant: Tenant, name: str | None = None) -> None:
    request(
        warehouse,
        "xero_default",
        tenant.tenant_id,
        typed_name=tenant.tenant_name if name is None else name,
        actor=GRACE,
        now=NOW,
    )
    warehouse.commit()


def run(xero, tenant: Tenant, warehouse=None) -> Erased:
    with psycopg.connect(xero.dsn) as own:
        return erase(
            xero.app,
            tenant.tenant_id,
            warehouse=warehouse or own,
            tokens=xero._tokens(),
            http=xero.http,
            now=NOW,
        )


def figures(dsn: str, tenant: Tenant) -> dict[str, int]:
    with psycopg.connect(dsn) as connection:
        return rows_left(connection, tenant.tenant_id)


def test_every_trace_of_one_goes_and_the_other_keeps_every_row(two, xero, warehouse):
    gone, kept = two
    before, kept_before = figures(xero.dsn, gone), figures(xero.dsn, kept)
    assert {
        "xero_raw.invoices",
        "xero_marts.dim_contacts",
        "xero_marts.dim_contacts__dbt_backup",
        "xero_marts_night.dim_contacts",
        "xero_marts.fct_texts",
        "xero_ops.extract_endpoints",
        "xero_ops.connections",
        "xero_ops.tenants",
        "xero_ops.notices",
    } <= set(before)

    ask(warehouse, gone)
    erased = run(xero, gone)

    assert erased == Erased(rows_deleted=sum(before.values()), rows_left=0, elsewhere={})
    assert figures(xero.dsn, gone) == {}
    assert everywhere(xero.dsn, gone.tenant_id) == {"xero_ops.audit_log", "xero_ops.erasures"}
    assert everywhere(xero.dsn, NAME) == set()
    assert figures(xero.dsn, kept) == kept_before
    assert xero.token(kept)


def test_the_last_of_a_user_takes_their_name_and_address_with_it(two, xero, warehouse):
    for tenant in two:
        ask(warehouse, tenant)
        assert run(xero, tenant).rows_left == 0

    assert everywhere(xero.dsn, "rua@example.com") == set()
    with psycopg.connect(xero.dsn) as connection:
        (left,) = connection.execute("select count(*) from xero_ops.grants").fetchall()
    assert left == (0,)
    asked = xero.sandbox.control("GET", "requests")
    assert [each["path"] for each in asked if "revocation" in each["path"]] == [
        "/connect/revocation"
    ]


def test_what_stays_says_that_it_happened_and_no_name(two, xero, warehouse):
    gone, _ = two
    ask(warehouse, gone)
    erased = run(xero, gone)

    (one,) = erasures.erasures(warehouse)
    assert (one.state, one.tenant_name, one.requested_by) == ("erased", None, "grace")
    assert (one.rows_left, one.rows_deleted, one.finished_at) == (0, erased.rows_deleted, NOW)
    assert warehouse.execute(
        "select actor, host(address), action, outcome from xero_ops.audit_log"
        " where tenant_id = %s and action <> 'connect' order by entry_id",
        (gone.tenant_id,),
    ).fetchall() == [
        ("grace", "192.0.2.7", "erase", "requested"),
        ("grace", None, "disconnect", "disconnected"),
        ("grace", None, "erase", "erased"),
    ]


def test_copies_in_schemas_of_others_are_named_and_left_alone(two, xero, warehouse):
    gone, _ = two
    warehouse.execute(
        "create schema analysts; create materialized view analysts.mine as"
        " select tenant_id, record_id from xero_raw.accounts"
    )
    (accounts,) = warehouse.execute(
        "select count(*) from xero_raw.accounts where tenant_id = %s", (gone.tenant_id,)
    ).fetchall()
    ask(warehouse, gone)

    erased = run(xero, gone)

    assert (erased.rows_left, erased.elsewhere) == (0, {"analysts.mine": accounts[0]})
    assert erasures.erasures(warehouse)[0].state_reason == (
        f"tables that are not ours still have rows: analysts.mine ({accounts[0]})"
    )


# --- Where Xero cannot be told ------------------------------------------------------------------


@pytest.fixture
def erased_unheard(two: tuple[Tenant, Tenant], xero, warehouse) -> tuple[Tenant, Tenant]:
    """The first was erased when its user's consent was lost and the app had no token of its own."""
    gone, _ = two
    with psycopg.connect(xero.dsn, autocommit=True) as connection:
        connection.execute("update xero_ops.grants set state = 'needs_reconnect', lost_at = now()")
    rule = {"path": "/connect/token", "kind": "status", "status": 400, "times": 0}
    xero.sandbox.control("POST", "faults", rule)
    ask(warehouse, gone)
    run(xero, gone)
    xero.end_faults()
    return two


def test_what_is_left_at_xero_is_said_and_ended_by_a_later_purge(erased_unheard, xero, warehouse):
    (one,) = erasures.erasures(warehouse)
    assert (one.state, one.state_reason) == ("erased", erasures.STILL_AT_XERO)
    assert cap(warehouse, xero.app).used == 2
    assert everywhere(xero.dsn, NAME) == set()
    warehouse.commit()
    a_day_later = datetime.now(UTC) + timedelta(days=2)

    def tidy() -> Purged:
        return purge(
            xero.app, warehouse=warehouse, tokens=xero._tokens(), http=xero.http, now=a_day_later
        )

    assert [tidy(), tidy()] == [Purged(1, 0), Purged(0, 0)]
    (one,) = erasures.erasures(warehouse)
    assert (one.is_left_at_xero, one.state_reason) == (False, None)
    assert cap(warehouse, xero.app).used == 1


def test_a_consent_for_another_organisation_does_not_bring_back_what_was_erased(
    erased_unheard, xero, warehouse
):
    _, kept = erased_unheard

    finished = xero.consent_to(kept.tenant_id)

    assert (names(finished.connected), finished.not_connected) == (["Tōtara Tools"], [NAME])
    assert names(tenants_to_extract(warehouse, "xero_default")) == ["Tōtara Tools"]
    assert everywhere(xero.dsn, NAME) == set()


def test_what_was_erased_returns_when_it_is_chosen_itself(erased_unheard, xero, warehouse):
    gone, _ = erased_unheard

    finished = xero.consent_to(gone.tenant_id)

    assert names(finished.connected) == [NAME]
    assert NAME in names(tenants_to_extract(warehouse, "xero_default"))
    # No purge may end what somebody chose.
    assert not erasures.erasures(warehouse)[0].is_left_at_xero


# --- Asking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["", "Kowhai & Sons <Roasters>", "kōwhai & sons <roasters>", "%"])
def test_another_name_than_the_organisations_erases_nothing(typed, two, xero, warehouse):
    with pytest.raises(XeroSetupError, match="name that was typed"):
        ask(warehouse, two[0], typed)
    warehouse.rollback()

    assert erasures.erasures(warehouse) == []
    assert len(tenants_to_extract(warehouse, "xero_default")) == 2


@pytest.mark.parametrize(
    "typed", ["  Ko\u0304whai  &  Sons <Roasters> ", "\u202eKōwhai & Sons\u200b <Roasters>"]
)
def test_a_name_may_be_typed_with_other_spaces_forms_of_letters_and_unseen_signs(
    typed, two, warehouse
):
    ask(warehouse, two[0], typed)

    assert erasures.open_erasures(warehouse) == [two[0].tenant_id]


@pytest.mark.parametrize(
    "tenant_id", ["99999999-9999-9999-9999-999999999999", "'; drop table", "../../etc/passwd"]
)
def test_an_organisation_that_the_app_does_not_know_cannot_be_erased(tenant_id, two, warehouse):
    with pytest.raises(NotConnectedError):
        ask(warehouse, Tenant(tenant_id, NAME, "-"))


def test_what_nobody_asked_for_is_not_erased(two, xero):
    before = figures(xero.dsn, two[0])

    with pytest.raises(XeroSetupError, match="Nobody asked"):
        run(xero, two[0])

    assert figures(xero.dsn, two[0]) == before


def test_asking_leaves_the_organisation_out_of_every_run_at_once(two, xero, warehouse):
    ask(warehouse, two[0])

    assert [each.tenant_id for each in tenants_to_extract(warehouse, "xero_default")] == [
        two[1].tenant_id
    ]


# --- Stopped, and begun again -------------------------------------------------------------------


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


def test_an_organisation_of_another_app_is_not_erased_behind_its_back(two, xero, warehouse):
    gone, _ = two
    warehouse.execute(
        "insert into xero_ops.connections (connection_id, conn_id, grant_id, tenant_id)"
        " select gen_random_uuid(), 'xero_second', grant_id, tenant_id from xero_ops.connections"
        " where tenant_id = %s",
        (gone.tenant_id,),
    )
    ask(warehouse, gone)

    with pytest.raises(XeroSetupError, match="'xero_second', too"):
        run(xero, gone)


def test_the_planners_notes_do_not_keep_a_name(two, xero, warehouse):
    gone, _ = two
    secret = "Hinemoa Ngata-Whitaker"
    for tenant in two:
        warehouse.execute(
            "update xero_marts.dim_contacts set name = %s || ' ' || record_id where tenant_id = %s",
            (secret if tenant is gone else "Somebody", tenant.tenant_id),
        )
    warehouse.execute("analyze xero_marts.dim_contacts")
    noted = "select count(*) from pg_stats where histogram_bounds::text like %s"
    assert warehouse.execute(noted, (f"%{secret}%",)).fetchone() != (0,)
    ask(warehouse, gone)

    run(xero, gone)

    assert warehouse.execute(noted, (f"%{secret}%",)).fetchone() == (0,)
