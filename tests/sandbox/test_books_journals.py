"""Manual journals, and what is posted without any document: conversion, payroll, claims."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sandbox.bookkeeping import AT, LATER, TODAY, Bookkeeper, amounts
from xero_sandbox.books.books import BooksError
from xero_sandbox.books.documents import JournalLine, ManualJournal


@pytest.fixture
def keeper() -> Bookkeeper:
    return Bookkeeper()


def journal_line(keeper: Bookkeeper, code: str, net: str, tax: str = "0") -> JournalLine:
    account = keeper.books.account(code)
    amount = Decimal(net)
    return JournalLine(account, "", amount, account.tax_type, Decimal(tax), amount)


def manual(keeper: Bookkeeper, *lines: JournalLine, status: str = "POSTED") -> ManualJournal:
    return ManualJournal(keeper.new_id(), "Accrual", TODAY, lines, AT, AT, status=status)


def test_a_manual_journal_posts_its_lines_as_signed_and_their_tax(keeper: Bookkeeper) -> None:
    lines = (journal_line(keeper, "400", "100", "15"), journal_line(keeper, "970", "-115"))
    journal = keeper.books.enter_manual_journal(manual(keeper, *lines), at=AT)
    assert keeper.balances() == amounts(
        Advertising="100.00", GST="15.00", Owner_A_Share_Capital="-115.00"
    )
    changed = (journal_line(keeper, "404", "115"), journal_line(keeper, "970", "-115"))
    keeper.books.edit_manual_journal(journal, at=LATER, lines=changed)
    assert keeper.balances() == amounts(Bank_Fees="115.00", Owner_A_Share_Capital="-115.00")
    assert journal.updated_at == LATER
    keeper.books.void_manual_journal(journal, at=LATER)
    assert (journal.status, keeper.balances()) == ("VOIDED", {})
    with pytest.raises(BooksError, match="VOIDED"):
        keeper.books.void_manual_journal(journal, at=LATER)


def test_a_draft_manual_journal_posts_nothing_until_it_is_posted(keeper: Bookkeeper) -> None:
    lines = (journal_line(keeper, "404", "10"), journal_line(keeper, "970", "-10"))
    draft = keeper.books.enter_manual_journal(manual(keeper, *lines, status="DRAFT"), at=AT)
    assert not keeper.books.ledger.journals
    keeper.books.post_manual_journal(draft, at=LATER)
    assert keeper.balances() == amounts(Bank_Fees="10", Owner_A_Share_Capital="-10")
    other = keeper.books.enter_manual_journal(manual(keeper, *lines, status="DRAFT"), at=AT)
    keeper.books.void_manual_journal(other, at=LATER)
    assert other.status == "DELETED"


def test_a_manual_journal_balances_and_keeps_off_banks_and_control_accounts(
    keeper: Bookkeeper,
) -> None:
    cases = (
        (("404", "10"), ("970", "-9"), "sum to zero"),
        (("090", "10"), ("970", "-10"), "cannot be used"),
        (("610", "10"), ("970", "-10"), "cannot be used"),
    )
    for first, second, sentence in cases:
        lines = (journal_line(keeper, *first), journal_line(keeper, *second))
        with pytest.raises(BooksError, match=sentence):
            keeper.books.enter_manual_journal(manual(keeper, *lines), at=AT)
    assert not keeper.books.manual_journals


def test_what_no_document_shows_has_no_source_or_one_that_nobody_finds(
    keeper: Bookkeeper,
) -> None:
    books = keeper.books
    books.post_conversion({"090": Decimal(500), "970": Decimal(-300)}, on=TODAY, at=AT)
    books.depreciate(
        Decimal(40), expense=books.account("416"), asset=books.account("711"), on=TODAY, at=AT
    )
    books.adjust_bank(keeper.bank, Decimal("0.05"), on=TODAY, at=AT)
    assert {(j.source_type, j.source_id) for j in books.ledger.journals} == {(None, None)}
    books.post_payroll(
        {"477": Decimal(1000), "825": Decimal(-250)}, on=TODAY, at=AT, ids=keeper.ids
    )
    assert books.ledger.journals[-1].source_type == "PAYSLIP"
    found = keeper.balances()
    assert found["Historical Adjustment"] == Decimal(-200)
    assert found["Rounding"] == Decimal("-0.05")
    assert found["Wages Payable - Payroll"] == Decimal(-750)
    assert sum(found.values()) == 0
    with pytest.raises(BooksError, match="follows from documents"):
        books.post_conversion({"610": Decimal(1)}, on=TODAY, at=AT)
    with pytest.raises(BooksError, match="foreign"):
        books.post_conversion({"99E": Decimal(1)}, on=TODAY, at=AT)


def test_an_expense_claim_is_owed_to_staff_until_it_is_paid(keeper: Bookkeeper) -> None:
    books = keeper.books
    claim = books.claim_expenses([keeper.line("100", code="449")], on=TODAY, at=AT, ids=keeper.ids)
    assert keeper.balances() == amounts(
        Motor_Vehicle_Expenses="100", GST="15", Unpaid_Expense_Claims="-115"
    )
    pay = books.pay_expense_claim
    pay(claim, on=TODAY, at=AT, account=keeper.bank, ids=keeper.ids, amount=Decimal(15))
    pay(claim, on=TODAY, at=AT, account=keeper.bank, ids=keeper.ids)
    assert keeper.balances() == amounts(
        Motor_Vehicle_Expenses="100", GST="15", Business_Bank_Account="-115"
    )
    sources = [journal.source_type for journal in books.ledger.journals]
    assert sources == ["EXPCLAIM", "EXPPAYMENT", "EXPPAYMENT"]
    with pytest.raises(BooksError, match="greater than zero"):
        pay(claim, on=TODAY, at=AT, account=keeper.bank, ids=keeper.ids)
