"""Whatever is done to an organisation, its books balance and agree with its documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xero_sandbox.company import Company, build_company
from xero_sandbox.money import in_base

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

amounts = st.integers(1, 500_000).map(lambda number: str(Decimal(number) / 100))
deeds = st.one_of(
    st.fixed_dictionaries(
        {
            "do": st.sampled_from(("create_invoice", "create_credit_note")),
            "amount": amounts,
            "line_amount_types": st.sampled_from(("Exclusive", "Inclusive", "NoTax")),
            "status": st.sampled_from(("AUTHORISED", "DRAFT")),
            "is_purchase": st.booleans(),
            "rate": st.sampled_from((None, "0.551234", "1.9")),
            "back": st.integers(-5, 400),
        }
    ),
    st.fixed_dictionaries(
        {
            "do": st.sampled_from(
                ("pay", "void", "approve", "delete_draft", "edit_invoice", "allocate")
            ),
            "which": st.integers(0, 50),
            "amount": st.none() | amounts,
        }
    ),
    st.fixed_dictionaries(
        {"do": st.just("delete_payment"), "which": st.integers(0, 50)},
    ),
    st.fixed_dictionaries({"do": st.just("wait"), "hours": st.integers(-50, 90)}),
)


def carry_out(company: Company, deed: dict[str, Any], now: datetime) -> None:
    documents = list(company.books.documents.values())
    payments = list(company.books.payments)
    match deed["do"]:
        case "create_invoice" | "create_credit_note" as action:
            sides = ("ACCREC", "ACCPAY")
            kind = sides[deed["is_purchase"]] + ("CREDIT" if "credit" in action else "")
            fields = {
                "type": kind,
                "amount": deed["amount"],
                "line_amount_types": deed["line_amount_types"],
                "status": deed["status"],
                "date": (company.books.today - timedelta(days=deed["back"])).isoformat(),
            }
            if deed["rate"]:
                fields |= {"currency": "EUR", "rate": deed["rate"]}
        case "delete_payment" as action:
            if not payments:
                return
            fields = {"id": payments[deed["which"] % len(payments)]}
        case action:
            if not documents:
                return
            document = documents[deed["which"] % len(documents)]
            fields = {"id": document.document_id}
            if deed["amount"] and action in ("pay", "edit_invoice", "allocate"):
                fields["amount"] = deed["amount"]
            if action == "allocate":
                fields["invoice_id"] = documents[-1].document_id
    try:
        company.act(action, fields, now=now)
    except ValueError:
        return


@settings(max_examples=40, deadline=None)
@given(st.lists(deeds, max_size=25), st.integers(0, 6))
def test_any_history_leaves_balanced_books_that_agree_with_the_documents(
    history: list[dict[str, Any]], seed: int
) -> None:
    traits = {"invoices_per_day": 2, "customers": 3, "suppliers": 2, "currencies": ["EUR"]}
    company = build_company("Any", seed=seed, days=6, now=NOW, traits=traits)
    now = NOW
    for deed in history:
        if deed["do"] == "wait":
            now += timedelta(hours=deed["hours"])
            company.advance(now)
        else:
            company.advance(now)
            carry_out(company, deed, now)
    check(company)


def check(company: Company) -> None:
    books = company.books
    for journal in books.ledger.journals:
        assert sum(posting.amount for posting in journal.postings) == 0
    cents = 0
    subledger = Decimal(0)
    for document in books.documents.values():
        assert document.due >= 0
        assert (document.status == "PAID") == (document.fully_paid_on is not None)
        if document.counts:
            assert (document.status == "PAID") == (document.due == 0)
            sign = 1 if document.type in ("ACCREC", "ACCPAYCREDIT") else -1
            subledger += sign * in_base(document.due, document.rate)
            if document.rate != 1:
                cents += len(document.payments) + len(document.allocations)
    control = sum(
        books.ledger.balance(books.ledger.system(name), date.max)
        for name in ("DEBTORS", "CREDITORS")
    )
    assert abs(control - subledger) <= cents * Decimal("0.01")
    report: Any = company.report("TrialBalance", {})
    total = [cell["Value"] for cell in report["Rows"][-1]["Rows"][0]["Cells"]]
    assert total[1] == total[2]
    assert total[3] == total[4]
