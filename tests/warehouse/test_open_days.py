"""Extractions that close no day: which waiting runs they leave, which they end."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from airflow_xero import runs
from airflow_xero.standing import waiting_tenants

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
