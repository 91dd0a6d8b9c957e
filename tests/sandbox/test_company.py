"""Companies from a seed: the state at a moment depends on the seed and the moment alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from xero_sandbox.books.money import in_base
from xero_sandbox.business.company import DEMO, Company, build_company
from xero_sandbox.wire.format import dump
from xero_sandbox.wire.shelving import RESOURCES

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
# What is owed to us, and what is ours at suppliers.
DEBITS = ("ACCREC", "ACCPAYCREDIT", "SPEND-OVERPAYMENT")
SMALL = {"invoices_per_day": 1.5, "customers": 6, "suppliers": 3}


def company(*, days: int = 60, seed: int = 3, now: datetime = NOW, **traits: Any) -> Company:
    return build_company("Test Ltd", seed=seed, days=days, now=now, traits={**SMALL, **traits})


def everything(of: Company) -> bytes:
    """Every byte the organisation would serve."""
    return dump([of.records(resource) for resource in RESOURCES]) + dump(
        of.report("TrialBalance", {})
    )


@pytest.fixture(scope="module")
def demo() -> list[Company]:
    built = []
    for spec in DEMO:
        each = build_company(spec.name, seed=7, days=spec.days, now=NOW, traits=spec.traits)
        each.advance(NOW)
        built.append(each)
    return built


def test_every_journal_balances(demo: list[Company]) -> None:
    for each in demo:
        assert len(each.books.ledger.journals) > 1000
        for journal in each.books.ledger.journals:
            assert sum(posting.amount for posting in journal.postings) == 0


def test_open_documents_equal_the_control_accounts(demo: list[Company]) -> None:
    for each in demo:
        ledger = each.books.ledger
        for name, is_receivable in (("DEBTORS", True), ("CREDITORS", False)):
            subledger, part_paid = Decimal(0), 0
            for document in each.books.documents.values():
                # Money in advance stands on the accounts of its lines until it is applied.
                if document.type.endswith("-PREPAYMENT"):
                    continue
                if document.counts and document.is_receivable == is_receivable:
                    open_amount = in_base(document.due, document.rate)
                    sign = 1 if document.type in DEBITS else -1
                    subledger += sign * open_amount
                    part_paid += document.rate != 1 and bool(document.payments)
            difference = abs(ledger.balance(ledger.system(name), date.max) - subledger)
            assert difference <= part_paid * Decimal("0.01")
            if len(each.books.currencies) == 1:
                assert difference == 0


def test_every_document_adds_up(demo: list[Company]) -> None:
    for each in demo:
        for record in each.records("Invoices"):
            body: Mapping[str, Any] = record
            assert body["SubTotal"] + body["TotalTax"] == body["Total"]
            assert sum(line["TaxAmount"] for line in body["LineItems"]) == body["TotalTax"]
            paid = sum((payment["Amount"] for payment in body["Payments"]), Decimal(0))
            credits_ = [*body["CreditNotes"], *body["Overpayments"], *body["Prepayments"]]
            credited = sum((credit["AppliedAmount"] for credit in credits_), Decimal(0))
            assert (paid, credited) == (body["AmountPaid"], body["AmountCredited"])
            if body["Status"] in ("AUTHORISED", "PAID", "DRAFT"):
                assert body["AmountDue"] == body["Total"] - paid - credited
            assert (body["Status"] == "PAID") == ("FullyPaidOnDate" in body)


def test_the_demo_shows_what_businesses_do(demo: list[Company]) -> None:
    statuses = Counter(
        (record["Type"], record["Status"]) for each in demo for record in each.records("Invoices")
    )
    assert set(statuses) >= {
        ("ACCREC", "PAID"),
        ("ACCREC", "AUTHORISED"),
        ("ACCREC", "DRAFT"),
        ("ACCREC", "DELETED"),
        ("ACCREC", "VOIDED"),
        ("ACCPAY", "PAID"),
        ("ACCPAY", "AUTHORISED"),
        ("ACCPAY", "VOIDED"),
    }
    payments = Counter(
        (record["PaymentType"], record["Status"])
        for each in demo
        for record in each.records("Payments")
    )
    assert set(payments) >= {
        ("ACCRECPAYMENT", "AUTHORISED"),
        ("ACCRECPAYMENT", "DELETED"),
        ("ACCPAYPAYMENT", "AUTHORISED"),
        ("ARCREDITPAYMENT", "AUTHORISED"),
    }
    assert {str(c["ContactStatus"]) for each in demo for c in each.records("Contacts")} == {
        "ACTIVE",
        "ARCHIVED",
    }
    assert any(record["RemainingCredit"] for each in demo for record in each.records("CreditNotes"))
    currencies = {str(record["CurrencyCode"]) for record in demo[2].records("Invoices")}
    assert currencies == {"USD", "EUR", "GBP", "JPY", "AUD"}
    gain = demo[2].books.ledger.system("REALISEDCURRENCYGAIN")
    assert demo[2].books.ledger.balance(gain, date.max) != 0
    names = "".join(str(contact["Name"]) for each in demo for contact in each.records("Contacts"))
    assert all(letter in names for letter in "株茶шκÅō&")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    first, again, other = company(), company(), company(seed=4)
    for each in (first, again, other):
        each.advance(NOW)
    assert everything(first) == everything(again)
    assert everything(first) != everything(other)


def test_one_step_equals_many_steps() -> None:
    steps, leap = company(currencies=["EUR"]), company(currencies=["EUR"])
    moment = NOW - 20 * DAY
    while moment < NOW + 10 * DAY:
        steps.advance(moment)
        steps.records("Invoices")
        moment += timedelta(hours=19, minutes=13)
    steps.advance(NOW + 10 * DAY)
    leap.advance(NOW + 10 * DAY)
    assert everything(steps) == everything(leap)


def test_going_back_in_time_shows_what_there_was() -> None:
    each = company()
    each.advance(NOW - 10 * DAY)
    before = everything(each)
    each.advance(NOW)
    assert everything(each) != before
    each.advance(NOW - 10 * DAY)
    assert everything(each) == before


def test_a_clock_that_jitters_builds_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    each = company()
    each.advance(NOW)
    books = each.books
    each.advance(NOW - timedelta(milliseconds=1))
    assert each.books is books


def test_three_nights_see_three_days() -> None:
    each = company(invoices_per_day=4)
    seen = set()
    for night in range(3):
        each.advance(NOW + night * DAY)
        seen.add(everything(each))
        latest = max(entry.updated_at for r in RESOURCES for entry in each.entries(r).ordered())
        assert latest <= NOW + night * DAY
        assert latest > NOW + (night - 1) * DAY
    assert len(seen) == 3


def test_an_invoice_that_is_paid_moves_its_updated_date_and_sorts_last() -> None:
    each = company()
    each.advance(NOW)
    invoice = next(r for r in each.records("Invoices") if r["AmountDue"])
    payment = each.act("pay", {"id": invoice["InvoiceID"]}, now=NOW)
    changed = each.records("Invoices")[-1]
    assert changed["InvoiceID"] == invoice["InvoiceID"]
    assert changed["UpdatedDateUTC"] == payment["UpdatedDateUTC"] != invoice["UpdatedDateUTC"]
    assert changed["Status"] == "PAID"


def test_no_days_are_no_documents_however_much_time_passes() -> None:
    each = company(days=0)
    each.advance(NOW + 400 * DAY)
    counts = each.figures()
    settings = {
        "Organisations": 1,
        "Currencies": 1,
        "TaxRates": 6,
        "Accounts": 62,
        "BrandingThemes": 1,
        "Users": 1,
    }
    assert {name: counts[name] for name in RESOURCES if counts[name]} == settings


def test_before_its_first_day_an_organisation_has_no_documents() -> None:
    each = company(days=10)
    each.advance(NOW - 30 * DAY)
    assert each.records("Invoices") == []
    assert len(each.records("Accounts")) == 62


@pytest.mark.parametrize(
    ("timezone", "today"),
    [
        ("LINEISLANDSSTANDARDTIME", date(2026, 11, 21)),
        ("NEWZEALANDSTANDARDTIME", date(2026, 11, 21)),
        ("GMTSTANDARDTIME", date(2026, 11, 20)),
        ("UTC11", date(2026, 11, 20)),
    ],
)
def test_an_organisation_has_its_own_day(timezone: str, today: date) -> None:
    each = company(days=5, timezone=timezone)
    each.advance(NOW)
    assert each.books.today == today
    assert each.first_day == today - 5 * DAY
    [organisation] = each.records("Organisations")
    assert organisation["Timezone"] == timezone


def test_actions_of_the_door_are_repeated_when_the_books_are_built_again() -> None:
    each = company()
    invoice = each.act(
        "create_invoice", {"amount": 100, "date": "2026-11-01", "reference": "door"}, now=NOW
    )
    each.act("pay", {"id": invoice["InvoiceID"], "amount": "15.50"}, now=NOW + DAY)
    each.advance(NOW + 5 * DAY)
    state = everything(each)
    each.advance(NOW - 5 * DAY)
    assert invoice["InvoiceID"] not in {r["InvoiceID"] for r in each.records("Invoices")}
    each.advance(NOW + 5 * DAY)
    assert everything(each) == state

    restarted = company()
    restarted.act(
        "create_invoice", {"amount": 100, "date": "2026-11-01", "reference": "door"}, now=NOW
    )
    restarted.act("pay", {"id": invoice["InvoiceID"], "amount": "15.50"}, now=NOW + DAY)
    restarted.advance(NOW + 5 * DAY)
    assert everything(restarted) == state


def test_every_action_changes_the_record_it_names() -> None:
    each = company(days=0, currencies=["EUR"])
    act = lambda action, **fields: each.act(action, fields, now=NOW)  # noqa: E731
    contact = act("create_contact", name="Ann & Co", email="ann@example.com")
    assert act("edit_contact", id=contact["ContactID"], phone="1")["Name"] == "Ann & Co"
    made = {"contact": "Ann & Co", "amount": "100.00"}
    draft = act("create_invoice", status="DRAFT", **made)
    assert act("approve", id=draft["InvoiceID"])["Status"] == "AUTHORISED"
    assert act("void", id=draft["InvoiceID"])["Status"] == "VOIDED"
    dropped = act("create_invoice", status="DRAFT", **made)
    assert act("delete_draft", id=dropped["InvoiceID"])["Status"] == "DELETED"
    foreign = act("create_invoice", type="ACCPAY", currency="EUR", rate="0.55", **made)
    assert foreign["CurrencyRate"] == Decimal("0.55")
    invoice = act("create_invoice", lines=[{"unit_amount": 9.5, "quantity": 2}])
    assert invoice["Total"] == Decimal("21.85")
    edited = act("edit_invoice", id=invoice["InvoiceID"], reference="r", amount=50)
    assert (edited["Total"], edited["Reference"]) == (Decimal("57.50"), "r")
    credit = act("create_credit_note", amount=10)
    allocated = act("allocate", id=credit["CreditNoteID"], invoice_id=invoice["InvoiceID"])
    assert allocated["RemainingCredit"] == 0
    payment = act("pay", id=invoice["InvoiceID"], amount="6")
    assert act("delete_payment", id=payment["PaymentID"])["Status"] == "DELETED"
    spent = act("create_bank_transaction", amount=20)
    gone = act("delete_bank_transaction", id=spent["BankTransactionID"])
    assert gone["Status"] == "DELETED"
    assert act("edit_account", code="200", name="Income")["Name"] == "Income"
    assert act("archive_contact", id=contact["ContactID"])["ContactStatus"] == "ARCHIVED"
    assert sum(each.books.ledger.balances(date.max).values()) == 0


@pytest.mark.parametrize(
    ("action", "fields", "message"),
    [
        ("explode", {}, "Unknown action explode"),
        ("pay", {"id": "nobody"}, "There is no document nobody"),
        ("pay", {}, "The field id must be a text"),
        ("create_invoice", {"amount": 1, "colour": "red"}, "takes no colour"),
        ("create_invoice", {"amount": "much"}, "must be a number"),
        ("create_invoice", {"amount": 1, "date": "tomorrow"}, "must be a date"),
        ("create_invoice", {"amount": 1, "type": "QUOTE"}, "must be one of ACCREC"),
        ("create_invoice", {"amount": 1, "contact": "nobody"}, "There is no contact nobody"),
        ("create_invoice", {"lines": []}, "at least one line"),
        ("create_invoice", {"lines": ["x"]}, "A line is an object"),
    ],
)
def test_a_wrong_action_is_refused_with_a_sentence_and_changes_nothing(
    action: str, fields: dict[str, object], message: str
) -> None:
    each = company(days=3)
    each.advance(NOW)
    before = everything(each)
    with pytest.raises(ValueError, match=message):
        each.act(action, fields, now=NOW)
    assert everything(each) == before


def test_the_next_night_costs_next_to_nothing() -> None:
    """Not a timing: the events of one night are few, whatever the history."""
    each = company(days=200)
    each.advance(NOW)
    before = len(each.books.ledger.journals)
    started = time.process_time()
    each.advance(NOW + DAY)
    assert len(each.books.ledger.journals) - before < 40
    assert time.process_time() - started < 0.5


def test_the_books_of_a_country_have_its_taxes() -> None:
    for country, rate in (("NZ", "15"), ("AU", "10"), ("GB", "20"), ("US", "8.625")):
        each = company(country=country, days=20)
        each.advance(NOW)
        taxed = next(
            (line, record)
            for record in each.records("Invoices")
            for line in record["LineItems"]  # type: ignore[attr-defined]
            if line["TaxAmount"] and record["LineAmountTypes"] == "Exclusive"
        )
        line = taxed[0]
        assert abs(line["TaxAmount"] - line["LineAmount"] * Decimal(rate) / 100) <= Decimal("0.005")
