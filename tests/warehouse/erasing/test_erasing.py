"""Erasing an organisation: every trace goes, proved by a count; others keep all."""

from __future__ import annotations

import psycopg
import pytest

from airflow_xero import erasures
from airflow_xero.erasing import Erased
from airflow_xero.errors import (
    XeroSetupError,
)
from tests.warehouse.erasing.conftest import NAME
from tests.warehouse.erasures_asked import NOW, ask, figures, run
from tests.warehouse.searching import everywhere


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
