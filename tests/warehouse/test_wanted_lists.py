"""What a broken tie-out asks for: all that the ledger is made of is read whole, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_xero import rereads
from airflow_xero.endpoints import DEFAULT_ENDPOINTS, ENDPOINTS
from airflow_xero.extract import Tenant
from tests.warehouse.extraction import (
    BY_NAME,
    NOW,
    WITHOUT_REREADS,
    ConnectedApp,
    invoices_of,
    is_page,
    write_payloads,
)
from xero_sandbox.testing import SandboxServer

LONG_AGO = NOW - timedelta(days=30)
REASON = "its tie-out is broken"
POSTED = (
    "bank_transactions",
    "credit_notes",
    "invoices",
    "manual_journals",
    "overpayments",
    "payments",
    "prepayments",
)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = DEFAULT_ENDPOINTS
        yield app


def wanted(xero: ConnectedApp, tenant: Tenant) -> set[str]:
    """The endpoints that are to be read whole."""
    states = rereads.states_of(xero.rows, tenant.tenant_id)
    return {name for name, state in states.items() if state.wanted_reason is not None}


def posted(name: str, amount: int) -> list[dict[str, object]]:
    """Three records of an endpoint that the ledger is made of, older than every watermark."""
    endpoint = BY_NAME[name]
    return [
        {**each, endpoint.id_field: each["InvoiceID"], "Total": amount}
        for each in invoices_of(3, LONG_AGO)
    ]


def payloads_of(folder: Path, amount: int) -> Path:
    """Everything that the ledger is made of."""
    records = {BY_NAME[name].array_key: posted(name, amount) for name in POSTED}
    return write_payloads(folder, **records)


@pytest.mark.parametrize("endpoints", [DEFAULT_ENDPOINTS, WITHOUT_REREADS])
def test_broken_tie_out_has_all_that_the_ledger_is_made_of_read_once(xero, tmp_path, endpoints):
    xero.endpoints = endpoints
    tenant = xero.payloads(payloads_of(tmp_path, 10))
    xero.extract(tenant)
    xero.serve(payloads_of(tmp_path, 20))
    rereads.want_documents(xero.rows, tenant.tenant_id, ENDPOINTS, reason=REASON)
    assert wanted(xero, tenant) == set(POSTED)
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant)
    for name in POSTED:
        assert xero.calls(BY_NAME[name].path) == ["1", "1"]
        assert xero.stored(tenant, name) == xero.listed(tenant, BY_NAME[name])
    assert wanted(xero, tenant) == set()
    xero.set_clock(NOW + timedelta(days=2))
    xero.extract(tenant)
    assert xero.calls("ManualJournals") == ["1"]


def test_refresh_leaves_what_is_wanted_to_the_night(xero, tmp_path):
    tenant = xero.payloads(payloads_of(tmp_path, 10))
    xero.extract(tenant)
    xero.rows.execute("update xero_ops.extract_runs set built_at = clock_timestamp()")
    rereads.want_documents(xero.rows, tenant.tenant_id, ENDPOINTS, reason=REASON)
    xero.set_clock(NOW + timedelta(hours=1))
    assert xero.extract(tenant, closes_day=False).state == "complete"
    assert wanted(xero, tenant) == set(POSTED)


def test_endpoint_that_becomes_wanted_while_a_share_of_it_is_read_stays_wanted(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(3, LONG_AGO)))
    xero.extract(tenant)
    xero.set_clock(NOW + timedelta(days=1))

    def want(response):
        if is_page(response, "Invoices", 1) and "If-Modified-Since" not in response.request.headers:
            rereads.want(xero.rows, tenant.tenant_id, BY_NAME["invoices"], reason=REASON)

    xero.extract(tenant, on_response=want)
    assert wanted(xero, tenant) == {"invoices"}
    xero.set_clock(NOW + timedelta(days=2))
    xero.extract(tenant)
    assert wanted(xero, tenant) == set()


@pytest.mark.parametrize("refusal", ["scope_missing", "forbidden"])
def test_wanted_journals_that_the_user_may_no_longer_read_are_a_gap_and_stay_wanted(
    xero, tmp_path, refusal
):
    tenant = xero.payloads(payloads_of(tmp_path, 10))
    xero.extract(tenant)
    rereads.want(xero.rows, tenant.tenant_id, BY_NAME["manual_journals"], reason=REASON)
    # Within the half hour in which nothing else is read of them.
    xero.fault("ManualJournals", kind=refusal)
    assert set(xero.extract(tenant).gaps) == {"manual_journals"}
    assert wanted(xero, tenant) == {"manual_journals"}
