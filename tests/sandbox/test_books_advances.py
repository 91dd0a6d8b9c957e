"""Pre- and overpayments, their allocation and refund; removal of allocations; credit's limits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.sandbox.bookkeeping import AT, LATER, TODAY, Bookkeeper, amounts
from xero_sandbox.books.books import BooksError


@pytest.fixture
def keeper() -> Bookkeeper:
    return Bookkeeper()


def test_a_prepayment_posts_bank_against_its_own_lines_and_tax(keeper: Bookkeeper) -> None:
    credit = keeper.credit("RECEIVE-PREPAYMENT", keeper.line("100", code="200"))
    assert keeper.balances() == amounts(
        Business_Bank_Account="115.00", Sales="-100.00", GST="-15.00"
    )
    assert (credit.due, credit.status) == (Decimal("115.00"), "AUTHORISED")
    [journal] = keeper.books.ledger.journals
    assert (journal.source_type, journal.source_id) == ("ARPREPAYMENT", credit.document_id)


def test_an_allocated_prepayment_gives_its_lines_and_tax_back_against_debtors(
    keeper: Bookkeeper,
) -> None:
    credit = keeper.credit("RECEIVE-PREPAYMENT", keeper.line("100", code="210"))
    invoice = keeper.enter(keeper.line("200"), on=TODAY + timedelta(days=5))
    allocation = keeper.books.allocate(
        credit, invoice, amount=Decimal("46.00"), at=AT, ids=keeper.ids
    )
    assert allocation.on == invoice.on
    assert keeper.balances() == amounts(
        Business_Bank_Account="115.00",
        Accounts_Receivable="184.00",
        Sales="-200.00",
        Services="-60.00",
        GST="-39.00",
    )
    assert (credit.due, invoice.due) == (Decimal("69.00"), Decimal("184.00"))


def test_a_refunded_prepayment_gives_its_lines_and_tax_back_against_the_bank(
    keeper: Bookkeeper,
) -> None:
    credit = keeper.credit("SPEND-PREPAYMENT", keeper.line("100", code="429"))
    keeper.pay(credit, "23.00")
    assert keeper.balances() == amounts(
        Business_Bank_Account="-92.00", General_Expenses="80.00", GST="12.00"
    )
    keeper.pay(credit)
    assert keeper.balances() == {}
    assert credit.status == "PAID"


def test_an_overpayment_stands_on_the_control_account_without_tax(keeper: Bookkeeper) -> None:
    credit = keeper.credit("RECEIVE-OVERPAYMENT", keeper.line("50", code="881"))
    assert keeper.balances() == amounts(Business_Bank_Account="50.00", Accounts_Receivable="-50.00")
    assert credit.lines[0].account.system == "DEBTORS"
    with pytest.raises(BooksError, match="neither tax"):
        keeper.credit("RECEIVE-OVERPAYMENT", keeper.line("50", code="200"))


def test_an_allocated_overpayment_moves_nothing_but_what_is_due(keeper: Bookkeeper) -> None:
    credit = keeper.credit("SPEND-OVERPAYMENT", keeper.line("50", code="881"))
    bill = keeper.enter(keeper.line("100", code="400"), kind="ACCPAY")
    before = keeper.balances()
    keeper.books.allocate(credit, bill, amount=Decimal(50), at=AT, ids=keeper.ids)
    assert keeper.balances() == before
    assert (credit.status, bill.due) == ("PAID", Decimal("65.00"))


def test_the_refund_of_an_overpayment_clears_the_control_account(keeper: Bookkeeper) -> None:
    credit = keeper.credit("RECEIVE-OVERPAYMENT", keeper.line("50", code="881"))
    keeper.pay(credit)
    assert keeper.balances() == {}
    assert credit.status == "PAID"


def test_a_foreign_prepayment_allocated_at_another_rate_realises_the_difference(
    keeper: Bookkeeper,
) -> None:
    line = keeper.line("100", code="960")
    credit = keeper.credit("RECEIVE-PREPAYMENT", line, rate="0.400000")
    invoice = keeper.enter(keeper.line("100", code="960"), rate="0.500000")
    keeper.books.allocate(credit, invoice, amount=Decimal(100), at=AT, ids=keeper.ids)
    assert keeper.balances() == amounts(
        Euro_Account="250.00", Retained_Earnings="-200.00", Realised_Currency_Gains="-50.00"
    )


def test_a_removed_allocation_leaves_both_documents_as_they_were(keeper: Bookkeeper) -> None:
    credit = keeper.enter(keeper.line("40"), kind="ACCRECCREDIT")
    invoice = keeper.enter(keeper.line("100"))
    before = keeper.balances()
    allocation = keeper.books.allocate(
        credit, invoice, amount=Decimal("46.00"), at=AT, ids=keeper.ids
    )
    keeper.books.remove_allocation(allocation, at=LATER)
    assert keeper.balances() == before
    assert (credit.due, invoice.due) == (Decimal("46.00"), Decimal("115.00"))
    assert credit.status == invoice.status == "AUTHORISED"
    assert invoice.updated_at == LATER
    with pytest.raises(BooksError, match="already removed"):
        keeper.books.remove_allocation(allocation, at=LATER)


def test_money_that_has_been_allocated_can_neither_be_edited_nor_deleted(
    keeper: Bookkeeper,
) -> None:
    record = keeper.money("RECEIVE-PREPAYMENT", keeper.line("100"))
    invoice = keeper.enter(keeper.line("100"))
    assert record.credit is not None
    keeper.books.allocate(record.credit, invoice, amount=Decimal(1), at=AT, ids=keeper.ids)
    for refused in (keeper.books.edit_bank_transaction, keeper.books.delete_bank_transaction):
        with pytest.raises(BooksError, match="allocated or refunded"):
            refused(record, at=LATER)
    with pytest.raises(BooksError, match="delete its bank transaction"):
        keeper.books.void(record.credit, at=LATER)


def test_deleted_money_voids_the_credit_that_came_with_it(keeper: Bookkeeper) -> None:
    record = keeper.money("RECEIVE-PREPAYMENT", keeper.line("100"))
    keeper.books.edit_bank_transaction(record, at=LATER, lines=[keeper.line("60")])
    assert record.credit is not None
    assert (record.total, record.credit.due) == (Decimal("69.00"), Decimal("69.00"))
    keeper.books.delete_bank_transaction(record, at=LATER)
    assert (record.status, record.credit.status) == ("DELETED", "VOIDED")
    assert keeper.balances() == {}


def test_credit_is_applied_only_to_the_same_side_contact_and_currency(keeper: Bookkeeper) -> None:
    credit = keeper.enter(keeper.line("40"), kind="ACCRECCREDIT")
    bill = keeper.enter(keeper.line("40", code="400"), kind="ACCPAY")
    foreign = keeper.enter(keeper.line("40"), rate="0.500000")
    for document, sentence in ((bill, "own side"), (foreign, "currency"), (credit, "own side")):
        with pytest.raises(BooksError, match=sentence):
            keeper.books.allocate(credit, document, amount=Decimal(1), at=AT, ids=keeper.ids)
    invoice = keeper.enter(keeper.line("10"))
    with pytest.raises(BooksError, match="exceeds the remaining credit"):
        keeper.books.allocate(credit, invoice, amount=Decimal(12), at=AT, ids=keeper.ids)
    with pytest.raises(BooksError, match="two decimals"):
        keeper.books.allocate(credit, invoice, amount=Decimal("0.001"), at=AT, ids=keeper.ids)
