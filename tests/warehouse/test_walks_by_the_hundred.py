"""Lists that come by the hundred and never say how long they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from airflow_xero.errors import UnavailableError
from airflow_xero.progress import OVERLAP
from tests.warehouse.extraction import NOW, ConnectedApp, is_page, write_payloads
from xero_sandbox.testing import SandboxServer

LONG_AGO = NOW - timedelta(days=30)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


def quote(number: int, updated_at: datetime) -> dict[str, Any]:
    stamp = int(updated_at.timestamp() * 1000) + number
    return {"QuoteID": f"quote-{number}", "UpdatedDateUTC": f"/Date({stamp}+0000)/"}


def quotes(count: int) -> list[dict[str, Any]]:
    return [quote(number, LONG_AGO) for number in range(count)]


# An empty page


@pytest.mark.parametrize(("count", "pages"), [(0, "1"), (99, "12"), (100, "122"), (230, "1234")])
def test_only_an_empty_page_after_a_full_one_is_asked_for_again(xero, tmp_path, count, pages):
    tenant = xero.payloads(write_payloads(tmp_path, Quotes=quotes(count)))
    counts = xero.extract(tenant).counts["quotes"]
    assert xero.calls("Quotes") == list(pages)
    assert (counts.calls, counts.records_read) == (len(pages), count)
    assert xero.one("select calls from xero_ops.extract_endpoints where endpoint = 'quotes'") == (
        len(pages),
    )


@pytest.mark.parametrize("page", [2, 3, 5])
def test_page_that_is_empty_for_once_neither_ends_the_list_nor_hides_what_follows(
    xero, tmp_path, page
):
    tenant = xero.payloads(write_payloads(tmp_path, Quotes=quotes(500)))
    xero.fault("Quotes", kind="empty_list", query={"page": str(page)})
    assert xero.extract(tenant).gaps == {}
    assert len(xero.stored(tenant, "quotes")) == 500
    assert xero.watermark("quotes") is not None


# Records edited before the walk was cut short


def cut_short(xero, tenant, page: int, *, on_response=None) -> None:
    """An extraction that ends before a page of quotes, as a killed worker's would."""
    xero.fault("Quotes", status=500, query={"page": str(page)}, times=0)
    with pytest.raises(UnavailableError):
        xero.extract(tenant, on_response=on_response)
    xero.end_faults()


def test_quote_that_slipped_past_a_walk_cut_short_is_read_by_another_walk(xero, tmp_path):
    def edit(response):
        if is_page(response, "Quotes", 1):
            edited = [*quotes(230)[:5], *quotes(230)[6:], quote(5, NOW)]
            xero.serve(write_payloads(tmp_path, Quotes=edited))

    tenant = xero.payloads(write_payloads(tmp_path, Quotes=quotes(230)))
    cut_short(xero, tenant, 4, on_response=edit)
    # The page with the edit is stored; the quote that was the first of the second page is not.
    assert len(xero.stored(tenant, "quotes")) == 229
    xero.extract(tenant)
    assert xero.calls("Quotes") == list("341234")
    assert len(xero.stored(tenant, "quotes")) == 230
    assert xero.next_page("quotes") is None


def test_walk_cut_short_without_an_edit_goes_on_and_is_not_made_again(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Quotes=quotes(230)))
    cut_short(xero, tenant, 4)
    xero.extract(tenant)
    assert xero.calls("Quotes") == ["3", "4"]
    assert len(xero.stored(tenant, "quotes")) == 230


def test_walk_whose_list_has_lost_its_last_page_begins_again(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Quotes=quotes(230)))
    cut_short(xero, tenant, 4)
    later = NOW + timedelta(hours=5)
    xero.set_clock(later)
    xero.serve(write_payloads(tmp_path, Quotes=[*quotes(150), quote(999, LONG_AGO)]))
    xero.extract(tenant)
    assert xero.calls("Quotes") == list("3123")
    assert "quote-999" in xero.stored(tenant, "quotes")
    assert timedelta(0) <= xero.watermark("quotes") + OVERLAP - later < timedelta(minutes=1)


# Records deleted meanwhile


def links(*numbers: int) -> list[dict[str, str]]:
    return [{"LinkedTransactionID": f"link-{number:03d}"} for number in numbers]


def link_ids(*numbers: int) -> set[str]:
    return {link["LinkedTransactionID"] for link in links(*numbers)}


@pytest.fixture
def linked(xero, tmp_path):
    """An organisation whose 230 links were read a week ago."""
    tenant = xero.payloads(write_payloads(tmp_path, LinkedTransactions=links(*range(230))))
    xero.extract(tenant)
    assert xero.calls("LinkedTransactions") == ["1", "2", "3", "4"]
    xero.set_clock(NOW + timedelta(days=8))
    return tenant


def deleted(xero) -> set[str]:
    rows = xero.rows.execute("select record_id from xero_raw.linked_transactions where is_deleted")
    return {record_id for (record_id,) in rows}


def test_link_that_slips_to_a_page_already_read_is_not_taken_for_deleted(xero, linked, tmp_path):
    def delete_one(response):
        if is_page(response, "LinkedTransactions", 1):
            rest = (number for number in range(230) if number != 7)
            xero.serve(write_payloads(tmp_path, LinkedTransactions=links(*rest)))

    xero.extract(linked, on_response=delete_one)
    # The first of the second page is now the last of the first, which was read already.
    assert xero.calls("LinkedTransactions") == ["1", "2", "3", "4"] * 2
    assert set(xero.stored(linked, "linked_transactions")) == link_ids(*range(230))
    xero.set_clock(NOW + timedelta(days=16))
    xero.extract(linked)
    assert deleted(xero) == link_ids(7)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_links_on_a_page_that_is_empty_for_once_are_not_taken_for_deleted(xero, linked, page):
    xero.fault("LinkedTransactions", kind="empty_list", query={"page": str(page)})
    xero.extract(linked)
    assert set(xero.stored(linked, "linked_transactions")) == link_ids(*range(230))
    assert deleted(xero) == set()


def test_links_are_read_once_where_none_is_gone(xero, linked):
    xero.extract(linked)
    assert xero.calls("LinkedTransactions") == ["1", "2", "3", "4"]
