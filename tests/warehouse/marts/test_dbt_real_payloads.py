"""Facts against sums taken straight from the files of Xero's own demo companies."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_payloads

INVOICES = {
    "australia": "demo-company-au-2011/invoices-full.json",
    "new zealand": "demo-company-nz-2020/demo-nz-2020-invoices-page1.json",
}
AMOUNTS = {
    "net_amount": "SubTotal",
    "tax_amount": "TotalTax",
    "total_amount": "Total",
    "paid_amount": "AmountPaid",
    "credited_amount": "AmountCredited",
    "due_amount": "AmountDue",
}


def read(folder: Path, name: str, key: str):
    return json.loads((folder / name).read_text(encoding="utf-8"), parse_float=Decimal)[key]


@pytest.mark.parametrize("company", INVOICES)
def test_every_invoice_arrives_and_its_amounts_add_up_to_the_file(marts, real_payloads, company):
    wanted = read(real_payloads, INVOICES[company], "Invoices")
    rows = marts.table("xero_marts.fct_invoices", company)
    assert {row["invoice_id"] for row in rows} == {record["InvoiceID"] for record in wanted}
    for column, name in AMOUNTS.items():
        assert sum(row[column] for row in rows) == sum(record.get(name, 0) for record in wanted)


@pytest.mark.parametrize("company", INVOICES)
def test_the_last_day_shows_what_xero_says_is_due(marts, real_payloads, company):
    wanted = read(real_payloads, INVOICES[company], "Invoices")
    rows = marts.table("xero_marts.rpt_daily_statistics", company)
    last = max(rows, key=lambda row: row["day"])
    for ledger, kind in (("receivables", "ACCREC"), ("payables", "ACCPAY")):
        due = sum(
            record["AmountDue"]
            for record in wanted
            if record["Type"] == kind and record["Status"] == "AUTHORISED" and "Date" in record
        )
        assert last[f"{ledger}_outstanding_base_amount"] == due


def test_every_payment_arrives_and_adds_up_to_the_file(marts, real_payloads):
    wanted = read(real_payloads, "demo-company-au-2011/payments.json", "Payments")
    rows = marts.table("xero_marts.fct_payments", "australia")
    assert {row["payment_id"] for row in rows} == {record["PaymentID"] for record in wanted}
    assert sum(row["amount"] for row in rows) == sum(record["Amount"] for record in wanted)
    assert sum(row["base_amount"] * row["sign"] for row in rows if row["is_approved"]) == sum(
        record["Amount"] * (1 if record["PaymentType"] == "ACCRECPAYMENT" else -1)
        for record in wanted
        if record["Status"] == "AUTHORISED"
    )
    assert {row["is_bank_account"] for row in rows} == {True}


def test_accounts_and_contacts_arrive(marts, real_payloads):
    folder = real_payloads / "demo-company-au-2011"
    accounts = read(folder, "accounts.json", "Accounts")
    contacts = read(folder, "contacts-full.json", "Contacts")
    assert {row["account_id"] for row in marts.table("xero_marts.dim_accounts", "australia")} == {
        record["AccountID"] for record in accounts
    }
    assert {row["contact_id"] for row in marts.table("xero_marts.dim_contacts", "australia")} == {
        record["ContactID"] for record in contacts
    }


def test_an_organisation_without_a_timezone_counts_in_utc_and_says_so(marts):
    (row,) = marts.table("xero_marts.dim_tenants", "australia")
    assert (row["timezone"], row["has_timezone"]) == ("UTC", False)
    (row,) = marts.table("xero_marts.dim_tenants", "new zealand")
    assert (row["timezone"], row["has_timezone"]) == ("Pacific/Auckland", True)


def test_approved_bills_without_a_date_are_error_rows(marts, real_payloads):
    wanted = {
        record["InvoiceID"]
        for record in read(real_payloads, INVOICES["australia"], "Invoices")
        if record["Status"] in {"AUTHORISED", "PAID"} and "Date" not in record
    }
    rows = marts.table("xero_marts.fct_document_errors", "australia")
    assert wanted
    assert {row["document_id"] for row in rows} == wanted
    assert {row["error"] for row in rows} == {"no_date"}


def test_the_trial_balance_is_read_account_by_account(marts, real_payloads):
    rows = marts.table("xero_intermediate.int_trial_balance_lines_unnested", "australia")
    assert len(rows) == 28
    assert sum(row["ytd_debit_amount"] for row in rows) == sum(
        row["ytd_credit_amount"] for row in rows
    )


def test_receivables_tie_to_the_debtors_account_and_a_cent_off_is_named(built):
    name = "assert_open_receivables_tie_to_trial_balance_debtors"
    assert built.statuses[name] == "pass"
    compiled = next((built.warehouse.target / "compiled").rglob(f"{name}.sql"))
    tenant_id = built.warehouse.tenants["new zealand"].tenant_id
    change = (
        "update xero_staging.stg_xero__trial_balances set report_rows = jsonb_set(report_rows,"
        " '{1,Rows,0,Cells,3,Value}', '\"0.01\"') where tenant_id = %s"
    )
    with built.warehouse.connect() as connection:
        connection.execute(change, (tenant_id,))
        named = connection.execute(compiled.read_text(encoding="utf-8")).fetchall()
        connection.rollback()
    assert [str(row[0]) for row in named] == [tenant_id]
