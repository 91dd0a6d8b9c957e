"""A broken tie-out, from Xero's silent edit to the night on which everything ties again.

The whole way: extraction from the sandbox, the operator's build, the notice, the re-reading. What
is wanted and how it is read is proved faster by tests/warehouse/test_wanted_lists.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from airflow_xero import rereads
from airflow_xero.dbt_build import DbtBuildOperator
from airflow_xero.endpoints import DEFAULT_ENDPOINTS
from airflow_xero.extract import Tenant
from tests.warehouse.extraction import BY_NAME, DAY, NOW, ConnectedApp
from tests.warehouse.marts.xeros_reports import lines_of

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

# So small that a night's share of the invoices is the oldest of them.
PAGE_SIZE = 10
# What no document tells of; on the nights of these tests nothing of it is posted on costs.
UNTOLD = ["conversion", "depreciation", "payroll", "rounding", "stock"]


@pytest.fixture
def app(xero, warehouse_dsn) -> Iterator[ConnectedApp]:
    """The library in front of the sandbox, and the warehouse of the Airflow connection."""
    with ConnectedApp(xero, warehouse_dsn) as connected:
        connected.endpoints = DEFAULT_ENDPOINTS
        xero.control("POST", "limits", {"enabled": False, "page_size": PAGE_SIZE})
        yield connected


def live_through(app: ConnectedApp, tenant: Tenant, night: int) -> None:
    """A day of business, its extraction, and what the task does after it."""
    app.set_clock(NOW + timedelta(days=night))
    assert app.extract(tenant, DAY + timedelta(days=night)).state == "complete"
    task = DbtBuildOperator(task_id="dbt", xero_conn_id="xero_default", listed_by="list")
    ti = SimpleNamespace(xcom_pull=lambda **_: [], xcom_push=lambda **_: None, log_url=None)
    assert task.execute(cast(Any, {"ti": ti}))["runs"] > 0


def lines(app: ConnectedApp, night: int) -> set[tuple[str, str | None]]:
    """Status and label of the trial balance's lines that are not tied."""
    return set(
        app.rows.execute(
            "select status, line_label from xero_marts.rpt_tie_out where report_date = %s"
            " and report = 'TrialBalance' and measure = 'balance' and status <> 'tied'",
            (DAY + timedelta(days=night),),
        ).fetchall()
    )


def stated(app: ConnectedApp, night: int) -> dict[str, Decimal]:
    """The trial balance of a day as the marts state it now, by account."""
    found = app.rows.execute(
        "select account_id, amount from xero_marts.rpt_trial_balance"
        " where basis = 'accrual' and not is_month_end and day = %s and amount <> 0",
        (DAY + timedelta(days=night),),
    )
    return dict(found.fetchall())


def reported(app: ConnectedApp, tenant: Tenant, night: int) -> dict[str, Decimal]:
    """The same as Xero reports it now: what was entered since for that day counts, too."""
    sections = app.report(tenant, DAY + timedelta(days=night))["Rows"]
    debit, credit = lines_of(sections, column=3), lines_of(sections, column=4)
    net = {key: debit.get(key, 0) - credit.get(key, 0) for key in {*debit, *credit}}
    return {key: Decimal(amount) for key, amount in net.items() if amount}


def wanted(app: ConnectedApp, tenant: Tenant) -> set[str]:
    """The endpoints that are to be read whole."""
    states = rereads.states_of(app.rows, tenant.tenant_id)
    return {name for name, state in states.items() if state.wanted_reason is not None}


def accounts_of(invoice: dict[str, Any]) -> set[str]:
    return {line["AccountCode"] for line in invoice["LineItems"]}


def test_an_edit_without_a_stamp_is_seen_told_read_again_and_ties(app):
    tenant = app.organisation("Kauri", days=60)
    app.extract(tenant)
    sales = [
        record
        for record in app.stored(tenant, "invoices").values()
        if record["Type"] == "ACCREC" and record["Status"] == "PAID"
        if accounts_of(record) == {"200"}
    ]
    invoice = max(sales, key=lambda record: record["UpdatedDateUTC"])["InvoiceID"]

    # As by Find & Recode: Xero does not stamp the invoice.
    app.do(tenant, "recode", id=invoice, account_code="260")
    live_through(app, tenant, 1)
    assert app.calls("Invoices") == ["1", "1"]
    assert accounts_of(app.stored(tenant, "invoices")[invoice]) == {"200"}
    broken = {("broken", "Sales (200)"), ("broken", "Other Revenue (260)")}
    assert lines(app, 1) == broken
    assert wanted(app, tenant) >= {"invoices", "bank_transactions", "manual_journals"}
    ((cause, advice),) = app.rows.execute("select cause, advice from xero_ops.notices").fetchall()
    assert cause == f"tie_out_broken:{tenant.tenant_id}"
    assert "Sales (200)" in advice

    live_through(app, tenant, 2)
    assert app.stored(tenant, "invoices") == app.listed(tenant, BY_NAME["invoices"])
    assert lines(app, 2) == set()
    assert wanted(app, tenant) == set()
    # What was compared stays as it was seen; what documents say by now counts once.
    assert lines(app, 1) == broken
    assert stated(app, 1) == reported(app, tenant, 1)


def test_an_edit_between_two_costs_is_broken_though_payroll_touches_one_of_them(app):
    """What no document tells of is explained as before, and does not hide the edit beside it."""
    tenant = app.organisation("Rimu", days=60, features=UNTOLD)
    live_through(app, tenant, 0)
    assert {status for status, _ in lines(app, 0)} == {"explained"}
    assert ("explained", "Wages and Salaries (477)") in lines(app, 0)
    bills = [
        record
        for record in app.stored(tenant, "invoices").values()
        if record["Type"] == "ACCPAY" and record["Status"] == "PAID"
        if accounts_of(record) == {"469"}
    ]
    bill = max(bills, key=lambda record: record["UpdatedDateUTC"])["InvoiceID"]

    app.do(tenant, "recode", id=bill, account_code="477")
    live_through(app, tenant, 1)
    assert accounts_of(app.stored(tenant, "invoices")[bill]) == {"469"}
    edited = {("broken", "Rent (469)"), ("broken", "Wages and Salaries (477)")}
    assert {line for line in lines(app, 1) if line[0] != "explained"} == edited
    assert wanted(app, tenant) >= {"invoices", "bank_transactions", "manual_journals"}

    live_through(app, tenant, 2)
    assert {status for status, _ in lines(app, 2)} == {"explained"}
    assert ("explained", "Wages and Salaries (477)") in lines(app, 2)
    assert wanted(app, tenant) == set()
    # What payroll posted still counts, and the edit counts once.
    assert stated(app, 1) == reported(app, tenant, 1)
