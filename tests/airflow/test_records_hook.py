"""XeroHook as a Dag author's door to single records."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from airflow_xero.errors import (
    NotConnectedError,
    NotFoundError,
    ScopeMissingError,
    XeroSetupError,
)
from airflow_xero.hook import XeroHook

KAURI, BEACON = "Kauri Coffee Roasters", "Beacon & Sons <Joinery>"
UNKNOWN = "00000000-0000-0000-0000-00000000000a"


@pytest.fixture
def tenants(connect_organisations) -> dict[str, str]:
    """Ava's two organisations, name to tenant id."""
    return {each.tenant_name: each.tenant_id for each in connect_organisations()}


def new_invoice(xero, tenant_id: str, **fields: Any) -> str:
    wanted = {"tenantId": tenant_id, "action": "create_invoice", "amount": 12.5, **fields}
    return str(xero.control("POST", "documents", wanted)["InvoiceID"])


def test_one_record_comes_by_its_short_form_with_exact_money(tenants, xero):
    invoice_id = new_invoice(xero, tenants[BEACON])

    with XeroHook() as hook:
        got = hook.get("invoices", invoice_id, tenant_id=tenants[BEACON])

    assert got["InvoiceID"] == invoice_id
    assert got["SubTotal"] == Decimal("12.5")
    assert isinstance(got["SubTotal"], Decimal)


def test_many_questions_look_the_organisation_up_once_and_reach_it_alone(tenants, xero):
    invoice_id = new_invoice(xero, tenants[KAURI], number="K-1")
    xero.control("DELETE", "requests")

    with XeroHook() as hook:
        records = hook.records(tenants[KAURI])
        (found,) = records.numbered("invoices", "K-1")
        history = records.history("invoices", found["InvoiceID"])
        pdf = records.pdf("invoices", found["InvoiceID"])
        report = records.report("TrialBalance", date="2026-11-20")

    assert found["InvoiceID"] == invoice_id
    assert history[0]["Changes"]
    assert pdf.startswith(b"%PDF-")
    assert report["ReportID"] == "TrialBalance"
    asked = xero.control("GET", "requests")
    assert [each["tenant"] for each in asked] == [tenants[KAURI]] * 4


def test_an_expired_token_is_refreshed_on_the_way(tenants, xero):
    invoice_id = new_invoice(xero, tenants[KAURI])
    xero.control("POST", "faults", {"path": "/api.xro/*", "kind": "token_expired", "times": 1})

    with XeroHook() as hook:
        assert hook.get("invoices", invoice_id, tenant_id=tenants[KAURI])


@pytest.mark.parametrize(
    "ask",
    [
        lambda hook, tenant_id: hook.records(tenant_id),
        lambda hook, tenant_id: hook.get("invoices", UNKNOWN, tenant_id=tenant_id),
        lambda hook, tenant_id: hook.tenant_called(tenant_id),
    ],
)
@pytest.mark.parametrize(
    "tenant_id", [None, "", " ", "None", UNKNOWN, "Måne Studio 🌙", "'; drop table x; --"]
)
def test_an_organisation_that_nobody_connected_is_refused_before_any_request(
    ask, tenant_id, tenants, xero
):
    xero.control("DELETE", "requests")

    with XeroHook() as hook, pytest.raises(NotConnectedError, match="press Connect to Xero"):
        ask(hook, tenant_id)

    assert xero.control("GET", "requests") == []


def test_a_tenant_id_that_is_none_never_means_some_organisation_and_says_what_to_give(tenants):
    nobody: list[Any] = [None, "", KAURI]
    for tenant_id in nobody:
        with (
            XeroHook() as hook,
            pytest.raises(NotConnectedError, match=r"give a tenant id, which xero_ops\.tenants"),
        ):
            hook.tenant(tenant_id)


def test_a_tenant_id_may_be_a_uuid_in_any_case(tenants):
    with XeroHook() as hook:
        for tenant_id in (UUID(tenants[KAURI]), tenants[KAURI].upper(), f" {tenants[KAURI]} "):
            assert hook.tenant(tenant_id).tenant_name == KAURI


def test_calls_for_single_records_are_in_what_the_organisation_cost_today(tenants, xero, warehouse):
    invoice_id = new_invoice(xero, tenants[KAURI], number="K-1")
    cost = (
        "select endpoint, calls from xero_ops.costs"
        " where tenant_name = %s and on_date = (now() at time zone 'UTC')::date order by 1"
    )

    for _ in range(2):
        with XeroHook() as hook:
            records = hook.records(tenants[KAURI])
            records.get("invoices", invoice_id)
            records.history("invoices", invoice_id)
            records.report("TrialBalance", date="2026-11-20")
            with suppress(NotFoundError):
                records.get("contacts", UNKNOWN)

    assert warehouse.execute(cost, (KAURI,)).fetchall() == [
        *(("contacts", 2), ("invoices", 4), ("trial_balances", 2)),
    ]
    assert warehouse.execute(cost, (BEACON,)).fetchall() == []


def test_records_come_also_when_their_cost_cannot_be_written_down(tenants, xero, monkeypatch):
    invoice_id = new_invoice(xero, tenants[KAURI])

    with XeroHook() as hook:
        records = hook.records(tenants[KAURI])
        assert records.get("invoices", invoice_id)
        # As if the warehouse were gone meanwhile.
        monkeypatch.delenv("AIRFLOW_CONN_XERO_WAREHOUSE")
        hook.close()


def test_attachments_of_a_connection_without_their_scope_say_what_to_add(tenants, xero):
    invoice_id = new_invoice(xero, tenants[KAURI])

    with (
        XeroHook() as hook,
        pytest.raises(ScopeMissingError, match=r"accounting\.attachments\.read"),
    ):
        hook.records(tenants[KAURI]).attachments("invoices", invoice_id)


def test_an_organisation_is_found_by_its_id_and_by_its_name(tenants, warehouse):
    with XeroHook() as hook:
        assert hook.tenant_called(tenants[KAURI]).tenant_name == KAURI
        assert hook.tenant_called(f" {BEACON} ").tenant_id == tenants[BEACON]

        warehouse.execute("update xero_ops.tenants set tenant_name = 'Twins'")

        with pytest.raises(XeroSetupError, match=r"Several .* 'Twins'; name one of") as raised:
            hook.tenant_called("Twins")
        assert all(each in str(raised.value) for each in tenants.values())


def test_closing_the_hook_closes_what_its_records_ask_through(tenants):
    with XeroHook() as hook:
        client = hook.http()
        hook.records(tenants[KAURI])

    assert client.is_closed
    with pytest.raises(RuntimeError, match="closed"):
        client.send(httpx.Request("GET", "http://localhost:9"))
