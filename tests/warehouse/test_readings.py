"""That a report was read: noted with it, also where nothing changed, and gone with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from airflow_xero.endpoint import Reading
from airflow_xero.errors import UnexpectedPayloadError
from airflow_xero.pruning import KEPT, prune_reports
from tests.warehouse.extraction import BY_NAME, DAY, NOW, ConnectedApp
from xero_sandbox.testing import SandboxServer

TODAYS = f"TrialBalance:{DAY}:accrual"


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.sandbox.control("POST", "limits", {"enabled": False})
        yield app


def readings(xero: ConnectedApp, record_id: str = TODAYS) -> list[tuple[int, bool]]:
    """By reading of a report: its run, and whether that still has the known_at of the reading."""
    return xero.rows.execute(
        "select run_id, extract_runs.known_at = report_readings.known_at"
        " from xero_ops.report_readings inner join xero_ops.extract_runs using (run_id)"
        " where record_id = %s order by read_at",
        (record_id,),
    ).fetchall()


def versions(xero: ConnectedApp, record_id: str = TODAYS) -> list[int]:
    rows = xero.rows.execute(
        "select run_id from xero_raw.trial_balances where record_id = %s order by known_from",
        (record_id,),
    )
    return [run_id for (run_id,) in rows]


def test_every_report_is_noted_on_each_of_its_bases_and_no_list_is(xero):
    tenant = xero.organisation()
    run_id = xero.extract(tenant).run_id
    noted = xero.rows.execute(
        "select endpoint, record_id, run_id from xero_ops.report_readings where tenant_id = %s",
        (tenant.tenant_id,),
    ).fetchall()
    stored = {
        (name, record_id, run_id)
        for name, endpoint in BY_NAME.items()
        if endpoint.reading is Reading.REPORT
        for record_id in xero.stored(tenant, name)
    }
    assert len(stored) == 7
    assert sorted(noted) == sorted(stored)


def test_report_that_comes_back_unchanged_opens_no_version_and_was_read(xero):
    tenant = xero.organisation()
    first = xero.extract(tenant).run_id
    xero.set_clock(NOW + timedelta(hours=1))
    again = xero.extract(tenant).run_id
    assert versions(xero) == [first]
    assert readings(xero) == [(first, True), (again, True)]


def test_run_that_waited_has_read_at_the_moment_of_its_try(xero):
    tenant = xero.organisation()
    xero.fault("Reports/BankSummary", kind="day_limit", times=1)
    assert xero.extract(tenant).state == "waiting_for_limit"
    xero.set_clock(NOW + timedelta(hours=1))
    extracted = xero.extract(tenant)
    assert extracted.state == "complete"
    assert readings(xero) == [(extracted.run_id, False), (extracted.run_id, True)]


def test_report_that_is_refused_was_not_read(xero):
    tenant = xero.organisation()
    xero.fault("Reports/TrialBalance", status=200, body='{"Reports": [{"ReportName": "TB"}]}')
    with pytest.raises(UnexpectedPayloadError):
        xero.extract(tenant)
    assert readings(xero) == []


def test_readings_go_with_the_reports_that_are_pruned(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    old = f"TrialBalance:{DAY - KEPT - timedelta(days=1)}:accrual"
    for table in ("xero_raw.trial_balances", "xero_ops.report_readings"):
        age(xero.rows, table, old)
    before = readings(xero)
    assert (len(before), len(readings(xero, old))) == (1, 1)
    assert prune_reports(xero.rows, tenant.tenant_id, day=DAY) == 1
    assert (readings(xero), readings(xero, old)) == (before, [])


def age(rows: psycopg.Connection, table: str, record_id: str) -> None:
    """As if the day's report had been read of a day long ago, too."""
    rows.execute(f"create temp table aged as select * from {table} where record_id = %s", (TODAYS,))
    rows.execute("update aged set record_id = %s", (record_id,))
    rows.execute(f"insert into {table} select * from aged")
    rows.execute("drop table aged")
