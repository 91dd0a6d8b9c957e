"""Walks cut short, edited meanwhile, killed: the next continues, no record is lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from airflow_xero.errors import UnavailableError, WarehouseBusyError
from airflow_xero.progress import OVERLAP
from tests.warehouse.extraction import DAY, NOW, ConnectedApp, is_page
from tests.warehouse.ledger import INVOICES, Ledger, edit_after, ids
from xero_sandbox.testing import SandboxServer


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


def whole(xero, tenant, count):
    """Everything arrived, once."""
    assert xero.stored(tenant, "invoices") == xero.listed(tenant, INVOICES)
    assert xero.one("select count(*) from xero_raw.invoices") == (count,)
    assert xero.next_page() is None
    assert xero.run() == ("complete", None)


def test_walk_that_xero_cut_short_continues_at_the_last_page_that_was_stored(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 3001)
    xero.fault("Invoices", status=500, query={"page": "3"}, times=0)
    with pytest.raises(UnavailableError):
        xero.extract(ledger.tenant)
    assert xero.run()[0] == "failed"
    assert (xero.next_page(), xero.watermark()) == (3, None)
    assert set(xero.stored(ledger.tenant, "invoices")) == ids(*range(2000))
    assert xero.one("select complete_at from xero_ops.tenants") == (None,)
    xero.end_faults()
    xero.extract(ledger.tenant)
    assert xero.calls("Invoices") == ["2", "3", "4"]
    whole(xero, ledger.tenant, 3001)


def test_watermark_of_a_continued_walk_is_the_moment_of_its_first_page(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 3001)
    xero.fault("Invoices", status=500, query={"page": "3"}, times=0)
    with pytest.raises(UnavailableError):
        xero.extract(ledger.tenant)
    xero.end_faults()
    xero.set_clock(NOW + timedelta(hours=5))
    xero.extract(ledger.tenant)
    assert timedelta(0) <= xero.watermark() + OVERLAP - NOW < timedelta(minutes=1)


def test_walk_that_was_edited_and_then_cut_short_is_made_again_from_its_first_page(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 1500)
    xero.fault("Invoices", status=500, query={"page": "1"}, call=2, times=0)
    with pytest.raises(UnavailableError):
        xero.extract(ledger.tenant, on_response=edit_after(1, lambda: ledger.edit(3)))
    assert (xero.next_page(), xero.watermark()) == (1, None)
    # The record that slipped from the second page to the first is still missing.
    assert xero.one("select count(*) from xero_raw.invoices") == (1499,)
    xero.end_faults()
    xero.extract(ledger.tenant)
    assert xero.calls("Invoices") == ["1", "2"]
    assert set(xero.stored(ledger.tenant, "invoices")) == ids(*range(1500))
    assert xero.next_page() is None


@pytest.mark.parametrize("edited", [range(1), range(5), range(1500, 1900), range(1800)])
def test_no_record_is_lost_when_some_are_edited_before_a_walk_continues(xero, tmp_path, edited):
    ledger = Ledger(xero, tmp_path, 3001)
    xero.fault("Invoices", status=500, query={"page": "3"}, times=0)
    with pytest.raises(UnavailableError):
        xero.extract(ledger.tenant)
    xero.end_faults()
    xero.set_clock(NOW + timedelta(hours=5))
    ledger.edit(*edited)
    xero.extract(ledger.tenant)
    assert set(xero.stored(ledger.tenant, "invoices")) == ids(*range(3001))
    assert xero.stored(ledger.tenant, "invoices") == xero.listed(ledger.tenant, INVOICES)
    # What was stored before the break and edited since has two versions, nothing has more.
    versions = xero.one("select count(*), count(distinct record_id) from xero_raw.invoices")
    assert versions == (3001 + sum(number < 2000 for number in edited), 3001)


@pytest.mark.parametrize(("left", "calls"), [(1500, "212"), (500, "21"), (2500, "23")])
def test_walk_whose_list_became_shorter_than_it_had_come_begins_again(xero, tmp_path, left, calls):
    ledger = Ledger(xero, tmp_path, 3001)
    xero.fault("Invoices", status=500, query={"page": "3"}, times=0)
    with pytest.raises(UnavailableError):
        xero.extract(ledger.tenant)
    xero.end_faults()
    xero.set_clock(NOW + timedelta(hours=5))
    for number in range(3001 - left):
        del ledger.stamps[number]
    ledger.edit()
    xero.extract(ledger.tenant)
    assert xero.calls("Invoices") == list(calls)
    # What moved up is not missed, however far it did.
    assert set(xero.listed(ledger.tenant, INVOICES)) <= set(xero.stored(ledger.tenant, "invoices"))
    began_again = xero.watermark() + OVERLAP >= NOW + timedelta(hours=5)
    assert began_again == ("1" in calls)


def test_walk_whose_warehouse_session_was_ended_continues(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 3001)

    def end_session(response):
        if is_page(response, "Invoices", 3):
            xero.rows.execute(
                "select pg_terminate_backend(pid) from pg_locks"
                " where locktype = 'advisory' and database ="
                " (select oid from pg_database where datname = current_database())"
            )

    with pytest.raises(WarehouseBusyError, match="next try continues"):
        xero.extract(ledger.tenant, on_response=end_session)
    # The third page may come while the first is being stored.
    assert xero.next_page() in (None, 2, 3)
    assert xero.watermark() is None
    assert xero.run()[0] == "running"
    xero.extract(ledger.tenant)
    whole(xero, ledger.tenant, 3001)
    assert xero.rows.execute(
        "select state, state_reason from xero_ops.extract_runs order by run_id"
    ).fetchall() == [
        ("failed", "the task was killed; the next run continued"),
        ("complete", None),
    ]


KILLED = """
import os, signal, sys
from datetime import date
import psycopg
from airflow_xero.client import XeroClient
from airflow_xero.extract import Tenant, extract_day
from airflow_xero.oauth import XeroApp, new_http
url, dsn, tenant_id, grant_id = sys.argv[1:]
def kill(request):
    if request.url.params.get("page") == "4":
        os.kill(os.getpid(), signal.SIGKILL)
http = new_http()
http.event_hooks = {"request": [kill]}
app = XeroApp("xero_default", "id", "secret", "http://localhost/callback", (), url, url, url)
client = XeroClient(app, access_token=lambda: os.environ["TOKEN"], http=http)
with psycopg.connect(dsn) as warehouse:
    tenant = Tenant(tenant_id, "Given", grant_id)
    extract_day(tenant, date(2026, 11, 19), client=client, warehouse=warehouse)
"""


def test_walk_of_a_process_that_was_killed_continues(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 3001)
    tenant = ledger.tenant
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED,
            xero.sandbox.url,
            xero.dsn,
            tenant.tenant_id,
            tenant.grant_id,
        ],
        env={**os.environ, "TOKEN": xero.token(tenant)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert killed.returncode == -9, killed.stderr
    assert xero.next_page() in (3, 4)
    assert xero.watermark() is None
    assert xero.run()[0] == "running"
    wait_until_freed(xero)
    xero.extract(tenant, DAY)
    assert "1" not in xero.calls("Invoices")
    whole(xero, tenant, 3001)


def wait_until_freed(xero):
    """Postgres notices the end of a killed process within a moment."""
    held = "select objid, classid from pg_locks where locktype = 'advisory' limit 1"
    for _ in range(200):
        if xero.one(held) is None:
            return
        xero.rows.execute("select pg_sleep(0.02)")
    raise AssertionError("the lock of the killed process is still held")


def test_closed_connection_is_named_and_nothing_is_begun(xero):
    tenant = xero.organisation()
    closed = psycopg.connect(xero.dsn)
    closed.close()
    with pytest.raises(WarehouseBusyError):
        xero.extract(tenant, warehouse=closed)
    assert xero.one("select count(*) from xero_ops.extract_runs") == (0,)
