"""Filters and orders over the books of a company, held against plain Python."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.asking import BY_PATH, NOW, Xero
from xero_sandbox.api.fields import reader_of
from xero_sandbox.api.looking import AT_HAND, Look, looker
from xero_sandbox.business.company import Company, build_company


@pytest.fixture(scope="module")
def company() -> Company:
    traits = {"invoices_per_day": 3, "currencies": ["EUR"], "features": ("all",)}
    built = build_company("Filtered Ltd", seed=9, days=150, now=NOW, traits=traits)
    built.advance(NOW)
    return built


@pytest.fixture(scope="module")
def xero(company: Company) -> Xero:
    return Xero(company)


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ('Status=="PAID"', lambda i: i["Status"] == "PAID"),
        (
            'Type=="ACCREC" AND Total>=500 AND AmountDue>0',
            lambda i: i["Type"] == "ACCREC" and i["Total"] >= 500 and i["AmountDue"] > 0,
        ),
        (
            "Date>=DateTime(2026,9,1) AND Date<DateTime(2026,10,1)",
            lambda i: "2026-09-01" <= i["DateString"] < "2026-10-01",
        ),
        (
            'CurrencyCode=="EUR" OR Status=="DRAFT"',
            lambda i: i["CurrencyCode"] == "EUR" or i["Status"] == "DRAFT",
        ),
        ("FullyPaidOnDate==null", lambda i: "FullyPaidOnDate" not in i),
        ("NOT SentToContact", lambda i: not i.get("SentToContact")),
        ('InvoiceNumber.StartsWith("INV-00")', lambda i: i["InvoiceNumber"].startswith("INV-00")),
        ('Contact.Name.Contains("a")', lambda i: "a" in i["Contact"]["Name"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_filter_selects_what_plain_python_selects(xero: Xero, where: str, wanted: Any) -> None:
    invoices = xero.body("Invoices", {"pageSize": "1000"})["Invoices"]
    chosen = [invoice for invoice in invoices if wanted(invoice)]
    assert 0 < len(chosen) < len(invoices)
    assert xero.body("Invoices", {"pageSize": "1000", "where": where})["Invoices"] == chosen
    contact = chosen[0]["Contact"]["ContactID"]
    both = {"where": f'{where} AND Contact.ContactID==Guid("{contact}")', "pageSize": "1000"}
    if " OR " not in where:
        assert xero.body("Invoices", both)["Invoices"] == [
            invoice for invoice in chosen if invoice["Contact"]["ContactID"] == contact
        ]


def test_order_sorts_what_plain_python_sorts(xero: Xero) -> None:
    invoices = xero.body("Invoices", {"pageSize": "1000"})["Invoices"]
    ordered = xero.body("Invoices", {"pageSize": "1000", "order": "Type ASC, Total DESC"})
    assert ordered["Invoices"] == sorted(invoices, key=lambda i: (i["Type"], -i["Total"]))


@pytest.mark.parametrize("key", sorted(AT_HAND))
def test_what_a_source_has_at_hand_is_what_is_spelled(company: Company, key: str) -> None:
    entries = company.entries(key).ordered()
    assert entries
    for path in AT_HAND[key]:
        spelled, at_hand = reader_of(path), looker(BY_PATH[key], path)
        assert [at_hand(Look(entry)) for entry in entries] == [
            spelled(entry.body()) for entry in entries
        ], path
