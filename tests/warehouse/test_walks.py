"""Walks of several pages, quiet ones and edited meanwhile: no record is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from airflow_xero.progress import OVERLAP
from tests.warehouse.extraction import BY_NAME, NOW, ConnectedApp, write_payloads
from tests.warehouse.ledger import INVOICES, NEXT_DAY, Ledger, edit_after, ids
from xero_sandbox.testing import SandboxServer


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


@pytest.fixture
def busy(xero):
    """An organisation with two pages of invoices, which can be edited."""
    return xero.organisation(days=25, invoices_per_day=60, bills_per_day=0)


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
