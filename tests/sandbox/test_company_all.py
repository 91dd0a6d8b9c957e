"""Organisations that do everything there is to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import pytest

from xero_sandbox.books.books import Books
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import CONTROL_SIGNS, OVERPAYMENT_TYPES, PREPAYMENT_TYPES
from xero_sandbox.books.money import in_base
from xero_sandbox.business.company import build_company

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@cache
def everything(*, days: int = 200, country: str = "NZ") -> Books:
    """The books of an organisation with all features, built once and only looked at."""
    traits = {"features": ["all"], "country": country, "invoices_per_day": 1.0}
    made = build_company("All Ltd", seed=5, days=days, now=NOW, traits=traits)
    made.advance(NOW)
    return made.books


def statuses(records: Iterable[object]) -> set[str]:
    return {record.status for record in records}  # type: ignore[attr-defined]


def test_all_has_what_happens_rarely_within_a_year() -> None:
    books = everything(days=400)
    types = Counter((d.type, d.status) for d in books.documents.values())
    assert {kind for kind, _ in types} == {
        "ACCREC",
        "ACCPAY",
        "ACCRECCREDIT",
        "ACCPAYCREDIT",
        *PREPAYMENT_TYPES,
        *OVERPAYMENT_TYPES,
    }
    assert {status for _, status in types} >= {"DRAFT", "AUTHORISED", "PAID", "VOIDED", "DELETED"}
    assert statuses(books.bank_transfers.values()) == {"AUTHORISED", "DELETED"}
    assert statuses(books.batch_payments.values()) == {"AUTHORISED", "DELETED"}
    assert statuses(books.manual_journals.values()) >= {"POSTED", "VOIDED"}
    assert statuses(books.purchase_orders.values()) >= {"DRAFT", "DELETED", "BILLED"}
    assert statuses(books.repeating_invoices.values()) == {"AUTHORISED", "DELETED"}
    assert statuses(books.tracking_categories.values()) == {"ACTIVE", "ARCHIVED"}
    assert {each.is_reconciled for each in books.batch_payments.values()} == {True, False}
    assert len(books.allocations) > sum(
        len(each.allocations) for each in books.documents.values() if each.is_credit
    )
    options = [option for each in books.tracking_categories.values() for option in each.options]
    assert statuses(options) == {"ACTIVE", "ARCHIVED"}
    assert any(" – 2" in option.name for option in options)
    assert "ARCHIVED" in statuses(books.ledger.accounts.values())
    assert len(books.staff) == len(books.branding_themes) == 4
    refunded = {p.document.type for p in books.payments.values() if p.document.is_credit}
    assert len(refunded) >= 3
    assert any(len(d.allocations) > 1 for d in books.documents.values() if d.is_credit)
    gain = books.ledger.system("REALISEDCURRENCYGAIN")
    assert books.ledger.balance(gain, date.max)
    attached = (
        books.contacts,
        books.ledger.accounts,
        books.manual_journals,
        books.quotes,
        books.purchase_orders,
        books.bank_transfers,
        books.repeating_invoices,
    )
    for records in attached:
        assert any(books.attachments(key) for key in records)


@pytest.mark.parametrize("country", COUNTRIES)
def test_open_documents_equal_the_control_accounts_with_every_feature(country: str) -> None:
    books = everything(country=country)
    for system, is_receivable in (("DEBTORS", True), ("CREDITORS", False)):
        open_amount, foreign = Decimal(0), 0
        for document in books.documents.values():
            is_on_control = document.counts and document.type not in PREPAYMENT_TYPES
            if is_on_control and document.is_receivable == is_receivable:
                sign = CONTROL_SIGNS[document.type]
                open_amount += sign * in_base(document.due, document.rate)
                foreign += document.rate != 1 and bool(document.payments or document.allocations)
        balance = books.ledger.balance(books.ledger.system(system), date.max)
        assert abs(balance - open_amount) <= foreign * Decimal("0.02")


def test_businesses_without_customers_or_suppliers_go_on_with_every_feature() -> None:
    for customers, suppliers in ((0, 3), (3, 0), (0, 0)):
        traits = {"features": ["all"], "customers": customers, "suppliers": suppliers}
        made = build_company("Lonely", seed=1, days=60, now=NOW, traits=traits)
        made.advance(NOW)
        assert sum(made.books.ledger.balances(date.max).values()) == 0
