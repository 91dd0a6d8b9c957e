"""A consent that is lost while its organisation is read: what connecting again goes on with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_xero.connect import skipped_tenants, tenants_to_extract
from airflow_xero.errors import ConsentLostError
from tests.warehouse.extraction import (
    BY_NAME,
    ConnectedApp,
    invoices_of,
    is_page,
    write_payloads,
)
from xero_sandbox.testing import SandboxServer

XERO = "xero_default"


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


@pytest.fixture
def tenant(xero, tmp_path):
    """Three pages of invoices and two accounts."""
    accounts = [{"AccountID": "a-200"}, {"AccountID": "a-400"}]
    books = write_payloads(tmp_path / "books", Invoices=invoices_of(2001), Accounts=accounts)
    return xero.payloads(books)


@pytest.fixture
def lost(xero, tenant):
    """Xero ends its user's consent after the second page of invoices."""
    ended = {"path": "/connect/token", "status": 400, "body": '{"error": "invalid_grant"}'}

    def end(response):
        if is_page(response, "Invoices", 2):
            xero.fault("Invoices", kind="token_expired", times=0)
            xero.sandbox.control("POST", "faults", {**ended, "times": 0})

    with pytest.raises(ConsentLostError):
        xero.extract(tenant, on_response=end)
    xero.end_faults()
    return tenant


def test_reconnecting_resumes_where_the_extraction_stopped(xero, lost, warehouse):
    kept = xero.stored(lost, "invoices")
    assert 1000 <= len(kept) <= 2000
    assert tenants_to_extract(warehouse, XERO) == []

    xero.consent_to(lost.tenant_id)
    assert tenants_to_extract(warehouse, XERO) == [lost]
    extracted = xero.extract(lost)

    assert extracted.state == "complete"
    # What was stored by then is not asked for again, but for the page on which it stopped.
    assert xero.calls("Invoices") == [f"{page}" for page in range(len(kept) // 1000, 4)]
    assert xero.calls("Accounts") == []
    stored = xero.stored(lost, "invoices")
    assert kept.items() < stored.items()
    assert stored == xero.listed(lost, BY_NAME["invoices"])
    assert len(stored) == 2001


def test_nobody_reads_it_before_that_and_it_says_who_must_act(xero, lost, warehouse):
    (skipped,) = skipped_tenants(warehouse, XERO)

    assert skipped.tenant_id == lost.tenant_id
    assert "press Connect to Xero again" in skipped.reason
