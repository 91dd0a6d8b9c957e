"""Whatever is done to the books, in any order, their reports agree with one another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.report_agreement import check_all
from xero_sandbox.business.company import Company, build_company

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
TRAITS = {"currencies": ["EUR"], "features": ["foreign_banks", "tracking"], "year_end": [29, 2]}

amounts = st.integers(1, 500_000).map(lambda number: str(Decimal(number) / 100))
days_back = st.integers(-40, 500).map(lambda back: (TODAY - timedelta(days=back)).isoformat())
rates = st.sampled_from(("0.551234", "1.9"))
banks = st.sampled_from(("090", "093"))


def deed(do: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"do": st.just(do), **fields})


def document(do: str, *types: str) -> st.SearchStrategy[dict[str, Any]]:
    return deed(
        do,
        type=st.sampled_from(types),
        amount=amounts,
        line_amount_types=st.sampled_from(("Exclusive", "Inclusive", "NoTax")),
        currency=st.sampled_from(("NZD", "EUR")),
        rate=rates,
        date=days_back,
    )


def money(do: str, *types: str) -> st.SearchStrategy[dict[str, Any]]:
    return deed(
        do,
        type=st.sampled_from(types),
        amount=amounts,
        account_code=banks,
        rate=rates,
        date=days_back,
    )


which = st.integers(0, 50)
deeds = st.one_of(
    document("create_invoice", "ACCREC", "ACCPAY"),
    document("create_credit_note", "ACCRECCREDIT", "ACCPAYCREDIT"),
    money("create_bank_transaction", "RECEIVE", "SPEND"),
    money("create_prepayment", "RECEIVE-PREPAYMENT", "SPEND-PREPAYMENT"),
    money("create_overpayment", "RECEIVE-OVERPAYMENT", "SPEND-OVERPAYMENT"),
    deed("pay", document=which, account_code=banks, rate=rates, date=days_back),
    deed("pay", document=which, amount=amounts, account_code=banks, rate=rates, date=days_back),
    deed("edit_invoice", document=which, amount=amounts),
    deed("edit_invoice", document=which, date=days_back),
    deed("void", document=which),
    deed("allocate", credit=which, invoice=which),
    deed("allocate", credit=which, invoice=which, amount=amounts),
    deed("delete_payment", payment=which),
    deed("remove_allocation", allocation=which),
    deed("delete_bank_transaction", money=which),
    deed("transfer", amount=amounts, to_amount=amounts, to_code=banks, date=days_back),
    deed("adjust_bank", amount=amounts, date=days_back),
    deed("depreciate", amount=amounts, date=days_back),
    deed("claim_expenses", amount=amounts, date=days_back),
)


DOCUMENTS = (
    ("create_invoice", ("ACCREC", "ACCPAY")),
    ("create_invoice", ("ACCREC", "ACCPAY")),
    ("create_credit_note", ("ACCRECCREDIT", "ACCPAYCREDIT")),
)
ADVANCES = (
    ("create_prepayment", ("RECEIVE-PREPAYMENT", "SPEND-PREPAYMENT")),
    ("create_overpayment", ("RECEIVE-OVERPAYMENT", "SPEND-OVERPAYMENT")),
)


def opening() -> list[dict[str, Any]]:
    """Documents of every kind and currency, some paid and credited, that deeds can then change."""
    found: list[dict[str, Any]] = []
    for currency, bank, month in (("NZD", "090", 2), ("EUR", "093", 3)):
        same = {"date": f"2026-0{month}-27", "rate": "0.6", "amount": "1000.03"}
        for kinds, more in (
            (DOCUMENTS, {"currency": currency}),
            (ADVANCES, {"account_code": bank}),
        ):
            found += [
                {"do": do, "type": kind, **same, **more} for do, types in kinds for kind in types
            ]
        part = {"account_code": bank, **same, "amount": "333.33"}
        found += [{"do": "pay", "document": at, **part} for at in range(12)]
    return found + [
        {"do": "allocate", "credit": at, "invoice": 1, "amount": "66.67"} for at in range(12)
    ]


def chosen(records: list[str], index: int) -> str:
    return records[index % len(records)] if records else "none"


def carry_out(company: Company, doing: dict[str, Any]) -> None:
    """Do it, unless Xero would refuse; records are chosen among those that are there."""
    books = company.books
    fields = dict(doing)
    action = fields.pop("do")
    for name, records in (
        ("document", books.documents),
        ("payment", books.payments),
        ("allocation", books.allocations),
        ("money", books.bank_transactions),
    ):
        if name in fields:
            fields["id"] = chosen(list(records), fields.pop(name))
    if action == "allocate":
        credits_ = [each for each in books.documents.values() if each.is_credit]
        credit = credits_[fields.pop("credit") % len(credits_)]
        fitting = [
            each.document_id
            for each in books.documents.values()
            if not each.is_credit
            and (each.is_receivable, each.currency) == (credit.is_receivable, credit.currency)
        ]
        fields |= {"id": credit.document_id, "invoice_id": chosen(fitting, fields.pop("invoice"))}
    if action == "transfer":
        fields["from_code"] = "091"
    try:
        company.act(action, fields, now=NOW)
    except ValueError:
        return


def check(history: list[dict[str, Any]], on: date, length: int) -> None:
    company = build_company("Any", seed=1, days=0, now=NOW, traits=TRAITS)
    company.advance(NOW)
    for doing in [*opening(), *history]:
        carry_out(company, doing)
    check_all(company, on, on - timedelta(days=length))


states = {
    "history": st.lists(deeds, min_size=5, max_size=30),
    "on": st.dates(date(2025, 8, 1), date(2027, 3, 31)),
    "length": st.integers(0, 365),
}


@settings(max_examples=20, deadline=None)
@given(**states)
def test_reports_agree_in_any_state_at_any_date(
    history: list[dict[str, Any]], on: date, length: int
) -> None:
    check(history, on, length)


@pytest.mark.campaign
@settings(max_examples=1_500, deadline=None, derandomize=True)
@given(**states)
def test_reports_agree_in_fifteen_hundred_states(
    history: list[dict[str, Any]], on: date, length: int
) -> None:
    check(history, on, length)
