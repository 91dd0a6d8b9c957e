"""Lists that come by the hundred and never say how long they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.warehouse.extraction import NOW, ConnectedApp, write_payloads
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
