"""Extractions beside those of the night: whom they are for, which runs they leave or end."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from airflow_xero import runs
from airflow_xero.due import tenants_to_backfill, tenants_to_refresh, waiting_tenants
from airflow_xero.unpublished import has_unbuilt_day
from tests.warehouse.extraction import ConnectedApp

YESTERDAY, TODAY, TOMORROW = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)


@pytest.fixture
def tenant_id(consents, xero_sandbox) -> str:
    kauri = str(xero_sandbox.organisations()["Kauri Coffee Roasters"])
    consents.run(organisations=[kauri])
    return kauri


def start(connection: psycopg.Connection, tenant_id: str, day: date, closes_day: bool) -> runs.Run:
    return runs.start(connection, tenant_id, day=day, dag_run_id=None, closes_day=closes_day)


def wait(connection: psycopg.Connection, tenant_id: str, run: runs.Run) -> None:
    runs.wait_for_limit(connection, tenant_id, run, reason="used up", seconds=0)


def states(connection: psycopg.Connection) -> list[tuple[str, str, bool]]:
    return connection.execute(
        "select day::text, state, closes_day from xero_ops.extract_runs order by run_id"
    ).fetchall()


def test_a_waiting_day_is_still_wanted_after_a_refresh(warehouse, tenant_id):
    wait(warehouse, tenant_id, start(warehouse, tenant_id, YESTERDAY, closes_day=True))
    refresh = start(warehouse, tenant_id, TODAY, closes_day=False)
    runs.complete(warehouse, tenant_id, refresh)

    (waiting,) = waiting_tenants(warehouse, "xero_default")

    assert waiting.day == YESTERDAY
    assert states(warehouse) == [
        ("2026-11-20", "waiting_for_limit", True),
        ("2026-11-21", "complete", False),
    ]


def test_a_refresh_that_waits_is_continued_by_the_next_and_never_closes_its_day(
    warehouse, tenant_id
):
    first = start(warehouse, tenant_id, TODAY, closes_day=False)
    wait(warehouse, tenant_id, first)
    assert waiting_tenants(warehouse, "xero_default") == []

    again = start(warehouse, tenant_id, TODAY, closes_day=False)
    runs.complete(warehouse, tenant_id, again)

    assert again.run_id == first.run_id
    known = warehouse.execute(
        "select complete_day, complete_at = %s from xero_ops.tenants where complete_at is not null",
        (again.known_at,),
    ).fetchall()
    assert known == [(None, True)]


@pytest.mark.parametrize(
    ("day", "closes_day"), [(TOMORROW, False), (YESTERDAY, True), (TODAY, True), (TOMORROW, True)]
)
def test_a_refresh_that_waits_is_ended_by_any_later_run(warehouse, tenant_id, day, closes_day):
    wait(warehouse, tenant_id, start(warehouse, tenant_id, TODAY, closes_day=False))

    start(warehouse, tenant_id, day, closes_day=closes_day)

    assert states(warehouse) == [
        ("2026-11-21", "superseded", False),
        (day.isoformat(), "running", closes_day),
    ]


def test_a_refresh_and_the_day_of_the_same_date_are_two_runs(warehouse, tenant_id):
    wait(warehouse, tenant_id, start(warehouse, tenant_id, TODAY, closes_day=True))

    start(warehouse, tenant_id, TODAY, closes_day=False)

    assert states(warehouse) == [
        ("2026-11-21", "waiting_for_limit", True),
        ("2026-11-21", "running", False),
    ]


def test_a_lock_that_is_held_is_not_taken_twice(warehouse, warehouse_dsn, tenant_id):
    with psycopg.connect(warehouse_dsn) as other:
        with runs.tenant_lock(other, tenant_id), runs.try_tenant_lock(warehouse, tenant_id) as held:
            assert not held
        with runs.try_tenant_lock(warehouse, tenant_id) as held:
            assert held


def test_a_lock_whose_session_has_died_hides_no_error(warehouse, warehouse_dsn, tenant_id):
    def read_while_postgres_dies(worker: psycopg.Connection) -> None:
        with runs.tenant_lock(worker, tenant_id):
            pid = worker.info.backend_pid
            warehouse.execute("select pg_terminate_backend(%s, 10000)", (pid,))
            raise LookupError("what went wrong")

    worker = psycopg.connect(warehouse_dsn)
    with pytest.raises(LookupError, match="what went wrong"):
        read_while_postgres_dies(worker)
    worker.close()
    with runs.try_tenant_lock(warehouse, tenant_id) as held:
        assert held


def want_a_report(connection: psycopg.Connection, tenant_id: str) -> None:
    connection.execute(
        "insert into xero_ops.wanted_reports (tenant_id, endpoint, day, reason)"
        " values (%s, 'trial_balances', '2026-10-31', 'a test')",
        (tenant_id,),
    )


def publish(connection: psycopg.Connection) -> None:
    connection.execute(
        "update xero_ops.extract_runs set built_at = clock_timestamp() where state = 'complete'"
    )


@pytest.mark.parametrize(("seconds", "is_listed"), [(3600, False), (0, True)])
@pytest.mark.parametrize("day", [YESTERDAY, TODAY])
def test_the_past_of_who_waits_for_a_limit_is_left_until_it_opens(
    warehouse, tenant_id, day, seconds, is_listed
):
    want_a_report(warehouse, tenant_id)
    complete(warehouse, tenant_id, YESTERDAY)
    (backfill,) = tenants_to_backfill(warehouse, "xero_default")
    assert (backfill.day, backfill.reports_wanted) == (YESTERDAY, 1)

    run = start(warehouse, tenant_id, day, closes_day=True)
    runs.wait_for_limit(warehouse, tenant_id, run, reason="used up", seconds=seconds)

    found = [each.tenant_id for each in tenants_to_backfill(warehouse, "xero_default")]
    assert found == [tenant_id] * is_listed


def test_who_waited_with_two_days_is_named_once_with_the_later_one(warehouse, tenant_id):
    wait(warehouse, tenant_id, start(warehouse, tenant_id, TODAY, closes_day=True))
    wait(warehouse, tenant_id, start(warehouse, tenant_id, YESTERDAY, closes_day=True))

    (waiting,) = waiting_tenants(warehouse, "xero_default")

    assert (waiting.tenant_id, waiting.day) == (tenant_id, TODAY)


def complete(connection: psycopg.Connection, tenant_id: str, day: date) -> None:
    runs.complete(connection, tenant_id, start(connection, tenant_id, day, closes_day=True))


def test_a_day_that_is_not_published_is_not_refreshed(warehouse, tenant_id):
    complete(warehouse, tenant_id, YESTERDAY)
    assert has_unbuilt_day(warehouse, tenant_id)
    assert tenants_to_refresh(warehouse, "xero_default") == []

    publish(warehouse)

    assert not has_unbuilt_day(warehouse, tenant_id)
    (refresh,) = tenants_to_refresh(warehouse, "xero_default")
    assert refresh.tenant_id == tenant_id


def test_a_refresh_that_is_not_published_hinders_no_other(warehouse, tenant_id):
    complete(warehouse, tenant_id, YESTERDAY)
    publish(warehouse)
    refresh = start(warehouse, tenant_id, TODAY, closes_day=False)
    runs.complete(warehouse, tenant_id, refresh)

    assert not has_unbuilt_day(warehouse, tenant_id)
    assert len(tenants_to_refresh(warehouse, "xero_default")) == 1


def test_a_refresh_that_comes_after_a_day_was_read_gives_way_until_it_is_published(
    xero_sandbox, warehouse_dsn
):
    with ConnectedApp(xero_sandbox, warehouse_dsn) as xero:
        tenant = xero.organisation()
        xero.extract(tenant)
        closed = xero.one("select complete_at, complete_run_id from xero_ops.tenants")

        early = xero.extract(tenant, TODAY, closes_day=False)

        assert (early.state, early.run_id, xero.calls()) == ("gave_way", None, [])
        assert xero.one("select complete_at, complete_run_id from xero_ops.tenants") == closed
        publish(xero.rows)
        assert xero.extract(tenant, TODAY, closes_day=False).state == "complete"
