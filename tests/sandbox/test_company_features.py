"""What an organisation can do beyond the plain one: each feature alone, and all of them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest

from xero_sandbox.books.books import Books
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import OVERPAYMENT_TYPES, PREPAYMENT_TYPES, Document
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.business.names import DESCRIPTIONS
from xero_sandbox.business.traits import ALL, FEATURES

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAYS = 150


@cache
def company(*features: str, days: int = DAYS, country: str = "NZ") -> Company:
    """A small organisation, built once and only looked at."""
    traits = {"features": list(features), "country": country, "invoices_per_day": 1.0}
    made = build_company("Features Ltd", seed=5, days=days, now=NOW, traits=traits)
    made.advance(NOW)
    return made


def invoices(books: Books) -> Iterable[Document]:
    return (each for each in books.documents.values() if each.type in {"ACCREC", "ACCPAY"})


def sources(books: Books) -> set[str | None]:
    return {journal.source_type for journal in books.ledger.journals}


def moved(books: Books, system: str) -> bool:
    account_id = books.ledger.system(system)
    return any(p.account_id == account_id for j in books.ledger.journals for p in j.postings)


def statuses(records: Iterable[object]) -> set[str]:
    return {record.status for record in records}  # type: ignore[attr-defined]


def notes(books: Books) -> list[str]:
    return [note.changes for key in books.documents for note in books.history(key)]


def inclusive_shares(books: Books) -> Iterable[float]:
    """How many of the documents of each contact that has some have prices with tax."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for document in invoices(books):
        kinds[document.contact.contact_id].append(document.line_kind)
    return (each.count("Inclusive") / len(each) for each in kinds.values() if len(each) > 4)


SIGNS: dict[str, Callable[[Books], bool]] = {
    "approvals": lambda b: any(
        "Submitted" in {note.changes for note in b.history(each.document_id)}
        for each in invoices(b)
        if each.type == "ACCPAY"
    ),
    "attachments": lambda b: any(b.attachments(key) for key in b.documents),
    "batches": lambda b: (
        {each.type for each in b.batch_payments.values()} == {"PAYBATCH", "RECBATCH"}
    ),
    "budgets": lambda b: {each.type for each in b.budgets.values()} == {"OVERALL"},
    "conversion": lambda b: moved(b, "HISTORICAL"),
    "depreciation": lambda b: b.ledger.balance(b.account("721").account_id, date.max) < 0,
    "discounts": lambda b: (
        {
            Decimal("33.33"),
            Decimal("5.00"),
        }
        <= {line.discount_rate for each in invoices(b) for line in each.lines}
    ),
    "every_script": lambda b: (
        len({line.description for each in invoices(b) for line in each.lines} & set(DESCRIPTIONS))
        > len(DESCRIPTIONS) / 2
    ),
    "expense_claims": lambda b: {"EXPCLAIM", "EXPPAYMENT"} <= sources(b),
    "foreign_banks": lambda b: (
        {each.currency for each in b.bank_transactions.values()} == set(b.currencies)
        and any(p.account.currency != b.base_currency for p in b.payments.values())
    ),
    "groups": lambda b: any(each.contacts for each in b.contact_groups.values()),
    "history": lambda b: (
        "Note" in notes(b) and any(each.expected_payment_date for each in invoices(b))
    ),
    "inclusive": lambda b: any(share > 0.7 for share in inclusive_shares(b)),
    "linked": lambda b: statuses(b.linked_transactions.values()) >= {"BILLED", "APPROVED"},
    "manual_journals": lambda b: "POSTED" in statuses(b.manual_journals.values()),
    "mixed_taxes": lambda b: (
        {line.tax_type for each in invoices(b) for line in each.lines}
        >= {"TAX001", "ZERORATED", "NONE", "GSTONIMPORTS"}
    ),
    "overpayments": lambda b: any(d.type in OVERPAYMENT_TYPES for d in b.documents.values()),
    "owner_payments": lambda b: any(p.account.code == "881" for p in b.payments.values()),
    "payroll": lambda b: moved(b, "WAGEPAYABLES") and "PAYSLIP" in sources(b),
    "prepayments": lambda b: any(d.type in PREPAYMENT_TYPES for d in b.documents.values()),
    "purchase_orders": lambda b: (
        any(each.bill_id in b.documents for each in b.purchase_orders.values())
        and statuses(b.purchase_orders.values()) >= {"BILLED", "AUTHORISED"}
    ),
    "quotes": lambda b: statuses(b.quotes.values()) >= {"SENT", "DECLINED", "INVOICED"},
    "repeating": lambda b: (
        {each.repeating_id for each in invoices(b)} - {""} <= set(b.repeating_invoices)
        and sum(bool(each.repeating_id) for each in invoices(b)) > 10
    ),
    "rounding": lambda b: (
        moved(b, "ROUNDING")
        and None in sources(b)
        and any(each.rounding and each.counts for each in invoices(b))
    ),
    "stock": lambda b: (
        any(each.is_tracked and each.quantity for each in b.items.values())
        and sum(i.cost_pool for i in b.items.values())
        == b.ledger.balance(b.account("630").account_id, date.max)
    ),
    "tracking": lambda b: (
        len(b.tracking_categories) == 2
        and any(len(line.tracking) == 2 for each in invoices(b) for line in each.lines)
    ),
    "transfers": lambda b: (
        bool(b.bank_transfers)
        and any(each.account.code == "092" for each in b.bank_transactions.values())
    ),
    "upkeep": lambda b: any(each.merged_to for each in b.contacts.values()) and len(b.staff) > 1,
}


def test_every_feature_has_its_sign() -> None:
    assert set(SIGNS) == set(FEATURES)


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_is_there_when_it_was_asked_for_and_only_then(feature: str) -> None:
    assert SIGNS[feature](company(feature).books)
    assert not SIGNS[feature](company().books)


# Whoever gets more documents is idle at other times, so that another customer is archived.
WITH_CUSTOMERS = {"linked", "overpayments", "prepayments", "quotes", "repeating", "stock"}
DISTURBING = WITH_CUSTOMERS | {"foreign_banks", "upkeep"}


@pytest.mark.parametrize("feature", sorted(set(FEATURES) - DISTURBING))
def test_a_feature_leaves_the_documents_of_the_plain_business_where_they_are(feature: str) -> None:
    plain, with_it = company().books, company(feature).books
    missing = set(plain.documents) - set(with_it.documents)
    assert not missing
    for key, document in plain.documents.items():
        assert with_it.documents[key].on == document.on
        assert with_it.documents[key].contact.contact_id == document.contact.contact_id


@pytest.mark.parametrize("country", COUNTRIES)
def test_all_contains_every_feature_in_every_country(country: str) -> None:
    books = company(ALL, days=200, country=country).books
    rare = set(COUNTRIES[country].rare_sales_taxes)
    assert rare <= {line.tax_type for each in invoices(books) for line in each.lines}
    own = {"mixed_taxes", "budgets"}  # looked at just above, and below
    assert [name for name in FEATURES if name not in own and not SIGNS[name](books)] == []
    assert {each.type for each in books.budgets.values()} == {"OVERALL", "TRACKING"}
    for journal in books.ledger.journals:
        assert sum(posting.amount for posting in journal.postings) == 0


def test_some_changes_do_not_move_the_date_of_the_last_one() -> None:
    books = company("upkeep").books
    recoded = [
        document
        for document in books.documents.values()
        for note in books.history(document.document_id)
        if note.changes == "Recoded" and note.at > document.updated_at
    ]
    assert recoded
    renamed = [each for each in books.contacts.values() if each.name.endswith(" (new)")]
    assert any(
        d.contact in renamed and d.updated_at < d.contact.updated_at for d in invoices(books)
    )


def test_what_was_tried_out_is_gone_from_every_list() -> None:
    made = company("upkeep", days=400)
    tried = [account for account in made.books.ledger.accounts.values() if "Trying" in account.name]
    assert len(tried) <= 2
    assert any(each.code.startswith("TRY") for each in made.books.items.values()) == bool(tried)


def test_documents_are_changed_weeks_later_and_the_past_moves() -> None:
    ledger = company("upkeep").books.ledger
    late = [
        journal
        for journal in ledger.journals
        if journal.reverses is not None
        and journal.created_at.date() - journal.on > timedelta(days=14)
    ]
    assert len(late) > 3


def test_orders_of_goods_become_bills_that_bring_them_into_stock() -> None:
    books = company("purchase_orders", "stock", "discounts").books
    goods = {item.code for item in books.items.values() if item.is_tracked}
    lines = [line for order in books.purchase_orders.values() for line in order.lines]
    assert {line.item_code for line in lines} & goods
    assert any(line.discount_rate for line in lines)
    billed = [books.documents[o.bill_id] for o in books.purchase_orders.values() if o.bill_id]
    assert {line.item_code for bill in billed for line in bill.lines} & goods
    plain = company("purchase_orders").books.purchase_orders.values()
    assert not any(line.item_code or line.discount_rate for o in plain for line in o.lines)


def test_conversion_balances_are_those_of_the_day_before_the_first_one() -> None:
    made = company("conversion")
    [journal] = [j for j in made.books.ledger.journals if j.source_id is None]
    assert journal.on == made.first_day - timedelta(days=1)
    assert journal.source_type is None


def test_an_organisation_without_features_posts_nothing_that_no_document_shows() -> None:
    books = company().books
    assert None not in sources(books)
    assert {name for name in FEATURES if SIGNS[name](books)} == set()
    assert len(books.currencies) == 1


def test_foreign_bank_accounts_bring_their_currencies_and_their_names() -> None:
    books = company("foreign_banks").books
    banks = {each.currency for each in books.by_code.values() if each.type == "BANK"}
    assert banks == {"NZD", "USD", "EUR", "JPY"} == set(books.currencies)


def test_names_and_lines_come_in_every_script() -> None:
    books = company("every_script").books
    names = [each.name for each in books.contacts.values()]
    text = "".join(names)
    text += "".join(line.description for each in invoices(books) for line in each.lines)
    scripts = {unicodedata.name(letter).split()[0] for letter in text if letter.isalpha()}
    assert scripts >= {
        "ARABIC",
        "CJK",
        "CYRILLIC",
        "DEVANAGARI",
        "GREEK",
        "HANGUL",
        "HEBREW",
        "KATAKANA",
        "LATIN",
        "THAI",
    }
    assert set("é😀\"<&'\n") <= set(text)
    assert max(len(name) for name in names) <= 255


def test_repeating_invoices_are_written_on_their_day() -> None:
    books = company("repeating").books
    for template in books.repeating_invoices.values():
        days = [d.on for d in invoices(books) if d.repeating_id == template.repeating_id]
        assert days == sorted(days)
        assert not days or days[0] == template.start_date
        if template.status == "AUTHORISED":
            assert template.next_date > books.today


@pytest.mark.parametrize(
    ("country", "currencies", "expected"),
    [
        ("NZ", [], (280, "2647730.06", 210, "1820963.99", "119085.93")),
        ("AU", ["USD"], (283, "2204210.40", 222, "1708614.97", "103904.14")),
        ("US", ["EUR", "JPY"], (280, "28267034.38", 221, "1141287.11", "70261.51")),
    ],
)
def test_a_plain_organisation_stays_what_it_was_when_features_are_added(
    country: str, currencies: list[str], expected: tuple[object, ...]
) -> None:
    """Figures of a day when there was no feature: one that draws from the plain stream shows."""
    traits = {"country": country, "currencies": currencies}
    plain = build_company("Plain", seed=3, days=120, now=NOW, traits=traits)
    plain.advance(NOW)
    books = plain.books
    found = (
        len(books.documents),
        str(sum(document.total for document in books.documents.values())),
        len(books.payments),
        str(sum(payment.bank_amount for payment in books.payments.values())),
        str(sum(record.total for record in books.bank_transactions.values())),
    )
    assert found == expected
