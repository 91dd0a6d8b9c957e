"""Tracking splits control, tax and bank postings, and never changes what an account holds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.bookkeeping import AT, LATER, TODAY, Bookkeeper, amounts
from xero_sandbox.books.books import BooksError
from xero_sandbox.books.documents import TrackingOption
from xero_sandbox.books.ledger import Journal


@pytest.fixture
def keeper() -> Bookkeeper:
    return Bookkeeper()


def split(keeper: Bookkeeper, journal: Journal) -> dict[tuple[str, str], Decimal]:
    """Amounts by account name and option name."""
    found: dict[tuple[str, str], Decimal] = {}
    for posting in journal.postings:
        name = keeper.books.ledger.accounts[posting.account_id].name
        options = ",".join(option.name for option in posting.tracking)
        found[name, options] = found.get((name, options), Decimal(0)) + posting.amount
    return found


def test_control_and_tax_of_a_document_are_split_by_its_lines(keeper: Bookkeeper) -> None:
    keeper.enter(
        keeper.line("100", tracking=keeper.north),
        keeper.line("20", tracking=keeper.south),
        keeper.line("10"),
        keeper.line("30", tracking=keeper.north),
    )
    [journal] = keeper.books.ledger.journals
    assert split(keeper, journal) == {
        ("Accounts Receivable", "North"): Decimal("149.50"),
        ("Accounts Receivable", "South"): Decimal("23.00"),
        ("Accounts Receivable", ""): Decimal("11.50"),
        ("Sales", "North"): Decimal("-130.00"),
        ("Sales", "South"): Decimal("-20.00"),
        ("Sales", ""): Decimal("-10.00"),
        ("GST", "North"): Decimal("-19.50"),
        ("GST", "South"): Decimal("-3.00"),
        ("GST", ""): Decimal("-1.50"),
    }
    assert len(journal.postings) == 3 + 4 + 3


def test_a_payment_is_split_pro_rata_to_gross_and_loses_no_cent(keeper: Bookkeeper) -> None:
    lines = [keeper.line(price, tracking=keeper.north) for price in ("1", "1")]
    invoice = keeper.enter(lines[0], keeper.line("1", tracking=keeper.south), keeper.line("1"))
    keeper.pay(invoice, "1.00")
    journal = keeper.books.ledger.journals[-1]
    assert split(keeper, journal) == {
        ("Business Bank Account", "North"): Decimal("0.34"),
        ("Business Bank Account", "South"): Decimal("0.33"),
        ("Business Bank Account", ""): Decimal("0.33"),
        ("Accounts Receivable", "North"): Decimal("-0.34"),
        ("Accounts Receivable", "South"): Decimal("-0.33"),
        ("Accounts Receivable", ""): Decimal("-0.33"),
    }


def test_an_allocation_moves_tracking_through_tracking_transfers(keeper: Bookkeeper) -> None:
    credit = keeper.enter(keeper.line("40", tracking=keeper.south), kind="ACCRECCREDIT")
    invoice = keeper.enter(keeper.line("100", tracking=keeper.north))
    before = keeper.balances()
    keeper.books.allocate(credit, invoice, amount=Decimal(46), at=AT, ids=keeper.ids)
    assert split(keeper, keeper.books.ledger.journals[-1]) == {
        ("Accounts Receivable", "South"): Decimal(46),
        ("Accounts Receivable", "North"): Decimal(-46),
        ("Tracking Transfers", "South"): Decimal(-46),
        ("Tracking Transfers", "North"): Decimal(46),
    }
    assert keeper.balances() == before


def test_lines_tracked_otherwise_split_what_was_paid_anew(keeper: Bookkeeper) -> None:
    line = keeper.line("100", tracking=keeper.north)
    invoice = keeper.enter(line)
    payment = keeper.pay(invoice, "50")
    keeper.books.edit(invoice, at=LATER, lines=[keeper.line("100", tracking=keeper.south)])
    [journal] = keeper.standing(payment)
    assert split(keeper, journal) == {
        ("Business Bank Account", "South"): Decimal(50),
        ("Accounts Receivable", "South"): Decimal(-50),
    }


def test_balances_can_be_asked_for_by_option(keeper: Bookkeeper) -> None:
    keeper.enter(keeper.line("100", tracking=keeper.north), keeper.line("20"))
    sales = keeper.books.account("200").account_id
    ledger = keeper.books.ledger
    assert ledger.tracked_balances(TODAY, options=[keeper.north])[sales] == Decimal("-100.00")
    assert sales not in ledger.tracked_balances(TODAY, options=[keeper.south])
    assert not ledger.tracked_balances(TODAY, options=[keeper.north], first=LATER.date())


def test_a_renamed_or_archived_option_shows_without_bumping_what_it_stands_on(
    keeper: Bookkeeper,
) -> None:
    invoice = keeper.enter(keeper.line("100", tracking=keeper.north))
    shown = keeper.books.shelves["Invoices"].get(invoice.document_id)
    assert shown is not None
    assert shown.body()["LineItems"][0]["Tracking"][0]["Option"] == "North"
    keeper.books.rename_option(keeper.north, "Top", at=LATER)
    assert shown.body()["LineItems"][0]["Tracking"][0]["Option"] == "Top"
    assert invoice.updated_at == AT
    keeper.books.archive_option(keeper.north, at=LATER)
    assert keeper.north.status == "ARCHIVED"
    with pytest.raises(BooksError, match="already archived"):
        keeper.books.archive_option(keeper.north, at=LATER)
    with pytest.raises(BooksError, match="already used"):
        keeper.books.rename_option(keeper.north, "South", at=LATER)
    another = TrackingOption(keeper.new_id(), "East", keeper.region)
    assert keeper.books.add_option(another) in keeper.region.options


def test_one_combination_tracks_the_whole_journal(keeper: Bookkeeper) -> None:
    keeper.money("SPEND", keeper.line("100", code="429", tracking=keeper.north))
    assert keeper.balances() == amounts(
        Business_Bank_Account="-115.00", General_Expenses="100.00", GST="15.00"
    )
    [journal] = keeper.books.ledger.journals
    assert {posting.tracking for posting in journal.postings} == {(keeper.north,)}
