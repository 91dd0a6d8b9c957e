"""Statistics against the sandbox's double-entry ledger, which shares no code with dbt."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

CONTROL = {"receivables": ("DEBTORS", 1), "payables": ("CREDITORS", -1)}


@pytest.mark.parametrize("ledger", CONTROL)
@pytest.mark.parametrize("name", ["ledger", "foreign ledger"])
def test_open_documents_equal_the_control_account_on_every_day(marts, companies, name, ledger):
    books = companies[name].books.ledger
    account, sign = CONTROL[ledger]
    rows = marts.table("xero_marts.rpt_daily_statistics", name)
    assert len(rows) > 120
    wrong = [
        (row["day"], row[f"{ledger}_control_base_amount"], owed)
        for row in rows
        if (owed := sign * books.balances(row["day"]).get(books.system(account), Decimal(0)))
        != row[f"{ledger}_control_base_amount"]
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["ledger", "foreign ledger"])
def test_cash_equals_the_movement_of_the_bank_accounts_on_every_day(marts, companies, name):
    ledger = companies[name].books.ledger
    banks = {
        row["account_id"]
        for row in marts.table("xero_marts.dim_accounts", name)
        if row["is_bank_account"]
    }

    def cash_at(day):
        balances = ledger.balances(day)
        return sum((balances.get(bank, Decimal(0)) for bank in banks), Decimal(0))

    wrong = [
        (row["day"], row["cash_surplus_base_amount"], moved)
        for row in marts.table("xero_marts.rpt_daily_statistics", name)
        if (moved := cash_at(row["day"]) - cash_at(row["day"] - timedelta(days=1)))
        != row["cash_surplus_base_amount"]
    ]
    assert banks
    assert wrong == []


def test_the_foreign_books_are_foreign(marts):
    invoices = marts.table("xero_marts.fct_invoices", "foreign ledger")
    assert set(Counter(row["currency_code"] for row in invoices)) == {"USD", "EUR", "GBP"}
    assert marts.table("xero_marts.fct_document_errors", "foreign ledger") == []


@pytest.mark.parametrize("ledger", CONTROL)
def test_trial_balances_of_the_last_day_tie(built, ledger):
    account = CONTROL[ledger][0].lower()
    assert built.statuses[f"assert_open_{ledger}_tie_to_trial_balance_{account}"] == "pass"
