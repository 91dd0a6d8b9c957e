"""Walks of several pages: edited meanwhile, killed, continued; no record is lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from airflow_xero.errors import UnavailableError, WarehouseBusyError
from airflow_xero.progress import OVERLAP
from tests.warehouse.extraction import (
    BY_NAME,
    DAY,
    NOW,
    ConnectedApp,
    invoice,
    is_page,
    write_payloads,
)
from xero_sandbox.testing import SandboxServer

INVOICES = BY_NAME["invoices"]
LONG_AGO = NOW - timedelta(days=30)
NEXT_DAY = NOW + timedelta(days=1)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


@pytest.fixture
def busy(xero):
    """An organisation with two pages of invoices, which can be edited."""
    return xero.organisation(days=25, invoices_per_day=60, bills_per_day=0)


class Ledger:
    """Given invoices that can be edited while they are read: an edit moves one to the end."""

    def __init__(self, xero: ConnectedApp, folder: Path, count: int) -> None:
        self.xero = xero
        self.folder = folder
        self.stamps = {n: LONG_AGO + timedelta(milliseconds=n) for n in range(count)}
        self.tenant = xero.payloads(self._written())

    def edit(self, *numbers: int, at=None) -> None:
        """Give records the stamp of now, which moves them to the end of Xero's list."""
        moment = at or self.xero_now()
        self.stamps |= dict.fromkeys(numbers, moment)
        self.xero.serve(self._written())

    def xero_now(self):
        return datetime.fromisoformat(self.xero.sandbox.control("GET", "clocks")["business"])

    def _written(self) -> Path:
        records = [invoice(number, at) for number, at in self.stamps.items()]
        return write_payloads(self.folder, Invoices=records)


def ids(*numbers: int) -> set[str]:
    return {invoice(number, NOW)["InvoiceID"] for number in numbers}


def edit_after(page: int, edit, *, times: int = 1):
    """A hook that edits after a page was answered, and before the next one is asked for."""
    left = [times]

    def hook(response):
        if left[0] and is_page(response, "Invoices", page):
            left[0] -= 1
            edit()

    return hook


# Quiet walks


@pytest.mark.parametrize(("count", "pages"), [(999, 1), (1000, 1), (1001, 2), (3000, 3)])
def test_quiet_walk_takes_a_call_per_thousand_records(xero, tmp_path, count, pages):
    ledger = Ledger(xero, tmp_path, count)
    counts = xero.extract(ledger.tenant).counts["invoices"]
    assert xero.calls("Invoices") == [str(number) for number in range(1, pages + 1)]
    assert (counts.calls, counts.records_new, counts.records_read) == (pages, count, count)
    assert set(xero.stored(ledger.tenant, "invoices")) == ids(*range(count))
    assert (xero.next_page(), xero.watermark() is None) == (None, False)


def test_quiet_walk_over_a_trading_organisation_stores_every_invoice(xero, busy):
    xero.extract(busy)
    listed = xero.listed(busy, INVOICES)
    assert len(listed) > 1000
    assert xero.stored(busy, "invoices") == listed


def test_stamps_in_the_future_cause_no_second_walk(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 2001)
    ledger.edit(*range(1200, 2001), at=NOW.replace(year=2041))
    xero.extract(ledger.tenant)
    assert xero.calls("Invoices") == ["1", "2", "3"]
    assert xero.watermark() is not None


def test_records_without_a_stamp_cause_no_second_walk(xero, tmp_path):
    records = [{"InvoiceID": f"{number:04d}"} for number in range(1500)]
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=records))
    xero.extract(tenant)
    assert xero.calls("Invoices") == ["1", "2"]
    assert len(xero.stored(tenant, "invoices")) == 1500


# Edited meanwhile


def editable_on_page_one(xero, tenant):
    """An invoice near the start of Xero's list, so that its edit moves all behind it."""
    listed = list(xero.listed(tenant, INVOICES).values())[:900]
    return next(
        record["InvoiceID"]
        for record in listed
        if record["Status"] == "AUTHORISED" and not record["AmountPaid"] and record["AmountDue"]
    )


def test_no_record_is_lost_when_one_is_edited_between_two_pages(xero, busy):
    edited = editable_on_page_one(xero, busy)
    before = list(xero.listed(busy, INVOICES))

    def edit():
        xero.do(busy, "edit_invoice", id=edited, reference="edited meanwhile")

    xero.extract(busy, on_response=edit_after(1, edit))
    assert xero.calls("Invoices") == ["1", "2", "1", "2"]
    # The record that slipped from the second page to the first while nobody looked.
    after = xero.listed(busy, INVOICES)
    assert list(after)[999] == before[1000]
    assert after[edited]["Reference"] == "edited meanwhile"
    assert xero.stored(busy, "invoices") == after
    assert xero.one("select count(*) from xero_raw.invoices where known_to is not null") == (0,)


def test_no_record_is_lost_when_one_is_created_and_one_is_voided_between_two_pages(xero, busy):
    voided = editable_on_page_one(xero, busy)
    contact = next(iter(xero.listed(busy, BY_NAME["contacts"])))

    def edit():
        xero.do(busy, "void", id=voided)
        xero.do(busy, "create_invoice", contact=contact, amount="1.15")

    xero.extract(busy, on_response=edit_after(1, edit))
    assert xero.stored(busy, "invoices") == xero.listed(busy, INVOICES)
    assert xero.stored(busy, "invoices")[voided]["Status"] == "VOIDED"


@pytest.mark.parametrize("page", [1, 2])
def test_no_record_is_lost_when_more_than_a_page_is_edited_between_two_pages(xero, tmp_path, page):
    ledger = Ledger(xero, tmp_path, 2500)
    hook = edit_after(page, lambda: ledger.edit(*range(1200)))
    xero.extract(ledger.tenant, on_response=hook)
    assert set(xero.stored(ledger.tenant, "invoices")) == ids(*range(2500))
    assert xero.stored(ledger.tenant, "invoices") == xero.listed(ledger.tenant, INVOICES)


def test_no_record_is_lost_when_an_edit_shows_only_some_time_after_its_stamp(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 1500)

    def edit():
        ledger.edit(3, at=ledger.xero_now() - timedelta(minutes=4))

    xero.extract(ledger.tenant, on_response=edit_after(1, edit))
    assert xero.calls("Invoices") == ["1", "2", "1", "2"]
    assert set(xero.stored(ledger.tenant, "invoices")) == ids(*range(1500))


def test_edits_of_the_last_minutes_cost_one_more_walk_and_no_third(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 1500)
    ledger.edit(3, at=ledger.xero_now() - timedelta(minutes=4))
    extracted = xero.extract(ledger.tenant)
    assert xero.calls("Invoices") == ["1", "2", "1", "2"]
    assert extracted.gaps == {}
    assert xero.watermark() is not None


def test_watermark_of_an_edited_walk_is_that_of_the_walk_that_was_steady(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 1500)

    def edit():
        xero.set_clock(NOW + timedelta(minutes=5))
        ledger.edit(3)
        xero.set_clock(NOW + timedelta(minutes=6))

    xero.extract(ledger.tenant, on_response=edit_after(1, edit))
    assert xero.calls("Invoices") == ["1", "2", "1", "2"]
    began = xero.watermark() + OVERLAP
    assert timedelta(minutes=6) <= began - NOW < timedelta(minutes=7)


def test_watermark_stays_when_three_walks_in_a_row_were_edited(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 1500)
    xero.extract(ledger.tenant)
    watermark = xero.watermark()
    xero.set_clock(NEXT_DAY)
    ledger.edit(*range(1500))
    numbers = iter(range(1500))
    hook = edit_after(1, lambda: ledger.edit(next(numbers)), times=9)
    extracted = xero.extract(ledger.tenant, on_response=hook)
    assert extracted.state == "complete"
    assert extracted.gaps == {
        "invoices": "edited during each reading, and read again by the next run"
    }
    assert xero.calls("Invoices") == ["1", "2"] * 3
    assert (xero.watermark(), xero.next_page()) == (watermark, None)
    xero.set_clock(NEXT_DAY + timedelta(days=1))
    xero.extract(ledger.tenant)
    assert xero.asked_since("Invoices") == [watermark.strftime("%Y-%m-%dT%H:%M:%S")] * 2
    assert xero.watermark() > watermark + timedelta(days=1)
    assert xero.stored(ledger.tenant, "invoices") == xero.listed(ledger.tenant, INVOICES)


def test_first_extraction_that_found_no_quiet_moment_is_read_whole_the_next_night(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 1500)
    numbers = iter(range(1500))
    hook = edit_after(1, lambda: ledger.edit(next(numbers)), times=9)
    xero.extract(ledger.tenant, on_response=hook)
    assert xero.calls("Invoices") == ["1", "2"] * 3
    assert xero.watermark() is None
    # Nothing is up to date, however soon it is asked again.
    xero.extract(ledger.tenant)
    assert xero.asked_since("Invoices") == [None, None]
    assert set(xero.stored(ledger.tenant, "invoices")) == ids(*range(1500))
    assert xero.watermark() is not None


def test_edit_after_the_last_page_arrives_the_next_night(xero, tmp_path):
    ledger = Ledger(xero, tmp_path, 1500)
    xero.extract(ledger.tenant, on_response=edit_after(2, lambda: ledger.edit(7)))
    assert xero.calls("Invoices") == ["1", "2"]
    xero.set_clock(NEXT_DAY)
    counts = xero.extract(ledger.tenant).counts["invoices"]
    assert (counts.records_read, counts.records_changed) == (1, 1)
    assert xero.stored(ledger.tenant, "invoices") == xero.listed(ledger.tenant, INVOICES)


# Killed and continued


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
