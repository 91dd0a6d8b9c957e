"""The cash-basis books: what payments and allocations recognise, when, and what undoes it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.sandbox.bookkeeping import AT, LATER, TODAY, Bookkeeper, amounts
from xero_sandbox.books.documents import JournalLine, ManualJournal

DAY = timedelta(days=1)


@pytest.fixture
def keeper() -> Bookkeeper:
    return Bookkeeper()


def test_an_invoice_shows_only_as_it_is_paid_pro_rata_to_gross(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"), keeper.line("50", code="270"))
    assert keeper.cash_balances() == {}
    keeper.pay(invoice, "33.00", on=TODAY + DAY)
    # 33 of 165: gross 23 and 10, tax 3 and 0.
    assert keeper.cash_balances(TODAY) == {}
    assert keeper.cash_balances() == amounts(
        Business_Bank_Account="33.00", Sales="-20.00", Interest_Income="-10.00", GST="-3.00"
    )
    keeper.pay(invoice, on=TODAY + DAY)
    accrual = keeper.balances()
    assert keeper.cash_balances() == accrual


def test_tax_is_rounded_and_net_is_the_remainder(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"))
    keeper.pay(invoice, "0.10")
    assert keeper.cash_balances() == amounts(
        Business_Bank_Account="0.10", Sales="-0.09", GST="-0.01"
    )


def test_a_deleted_payment_and_a_void_leave_nothing(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"))
    payment = keeper.pay(invoice)
    assert keeper.cash_balances()
    keeper.books.delete_payment(keeper.books.payment(payment), at=LATER)
    keeper.books.void(invoice, at=LATER)
    assert keeper.cash_balances() == {}
    first, second = keeper.books.cash.journals
    assert (second.reverses, second.on, second.created_at) == (first.number, TODAY, LATER)


def test_an_edit_after_payment_recognises_the_new_lines(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"))
    keeper.pay(invoice, "57.50")
    assert keeper.cash_balances()["Sales"] == Decimal(-50)
    keeper.books.edit(invoice, at=LATER, lines=[keeper.line("100", code="210")])
    found = keeper.cash_balances()
    assert found == amounts(Business_Bank_Account="57.50", Services="-50", GST="-7.50")
    assert len(keeper.books.cash.journals) == 3


def test_an_allocation_recognises_both_documents_on_the_later_date(keeper: Bookkeeper) -> None:
    later = TODAY + 3 * DAY
    invoice = keeper.enter(keeper.line("100"))
    credit = keeper.enter(keeper.line("40", code="210"), kind="ACCRECCREDIT", on=later)
    allocation = keeper.books.allocate(credit, invoice, amount=Decimal(23), at=AT, ids=keeper.ids)
    assert keeper.cash_balances(TODAY) == {}
    assert keeper.cash_balances() == amounts(Sales="-20", Services="20")
    keeper.books.remove_allocation(allocation, at=LATER)
    assert keeper.cash_balances() == {}


def test_a_prepayment_counts_on_its_date_and_moves_at_allocation(keeper: Bookkeeper) -> None:
    credit = keeper.credit("RECEIVE-PREPAYMENT", keeper.line("100", code="210"))
    assert keeper.cash_balances() == amounts(
        Business_Bank_Account="115", Services="-100", GST="-15"
    )
    invoice = keeper.enter(keeper.line("100"))
    keeper.books.allocate(credit, invoice, amount=Decimal(115), at=AT, ids=keeper.ids)
    assert keeper.cash_balances() == amounts(Business_Bank_Account="115", Sales="-100", GST="-15")


def test_an_overpayment_counts_when_it_is_allocated(keeper: Bookkeeper) -> None:
    credit = keeper.credit("RECEIVE-OVERPAYMENT", keeper.line("115", code="881"))
    assert keeper.cash_balances() == amounts(
        Business_Bank_Account="115", Accounts_Receivable="-115"
    )
    invoice = keeper.enter(keeper.line("50"))
    keeper.books.allocate(credit, invoice, amount=invoice.due, at=AT, ids=keeper.ids)
    assert keeper.cash_balances() == amounts(
        Business_Bank_Account="115", Accounts_Receivable="-57.50", Sales="-50", GST="-7.50"
    )
    keeper.pay(credit)
    assert keeper.cash_balances() == keeper.balances()


def test_an_expense_claim_counts_when_it_is_paid(keeper: Bookkeeper) -> None:
    books = keeper.books
    claim = books.claim_expenses([keeper.line("100", code="449")], on=TODAY, at=AT, ids=keeper.ids)
    assert keeper.cash_balances() == {}
    books.pay_expense_claim(claim, on=TODAY + DAY, at=AT, account=keeper.bank, ids=keeper.ids)
    assert keeper.cash_balances() == keeper.balances()
    assert keeper.cash_balances(TODAY) == {}


def test_money_transfers_payroll_and_conversion_are_told_as_they_are(keeper: Bookkeeper) -> None:
    books = keeper.books
    keeper.money("SPEND", keeper.line("10", code="429"))
    deleted = keeper.money("RECEIVE", keeper.line("10"))
    books.transfer(keeper.bank, books.account("091"), amount=Decimal(5), on=TODAY, at=AT,
                   ids=keeper.ids)  # fmt: skip
    books.post_conversion({"090": Decimal(500)}, on=TODAY, at=AT)
    books.post_payroll({"477": Decimal(100)}, on=TODAY, at=AT, ids=keeper.ids)
    books.delete_bank_transaction(deleted, at=LATER)
    assert keeper.cash_balances() == keeper.balances()
    assert len(books.cash.journals) == len(books.ledger.journals)


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_manual_journal_counts_if_it_says_so(keeper: Bookkeeper, is_shown: bool) -> None:
    lines = tuple(
        JournalLine(keeper.books.account(code), "", Decimal(n), "NONE", Decimal(0), Decimal(n))
        for code, n in (("404", "10"), ("970", "-10"))
    )
    journal = ManualJournal(keeper.new_id(), "x", TODAY, lines, AT, AT)
    journal.show_on_cash_basis = is_shown
    keeper.books.enter_manual_journal(journal, at=AT)
    assert bool(keeper.cash_balances()) is is_shown
    keeper.books.void_manual_journal(journal, at=LATER)
    assert keeper.cash_balances() == {}


def test_the_cost_of_what_was_sold_counts_as_the_sale_is_paid(keeper: Bookkeeper) -> None:
    keeper.widget()
    bill = keeper.enter(keeper.line("2", code="630", quantity="10", item="WIDGET"), kind="ACCPAY")
    invoice = keeper.enter(keeper.line("25", quantity="4", item="WIDGET"))
    keeper.pay(invoice, "57.50")
    assert keeper.cash_balances() == amounts(
        Business_Bank_Account="57.50", Sales="-50", GST="-7.50", Cost_of_Goods_Sold="4",
        Inventory="-4",
    )  # fmt: skip
    keeper.pay(invoice)
    keeper.pay(bill)
    assert keeper.cash_balances() == keeper.balances()


def test_a_foreign_document_is_recognised_at_its_own_rate_beside_the_gain(
    keeper: Bookkeeper,
) -> None:
    invoice = keeper.enter(keeper.line("100"), rate="0.500000")
    keeper.pay(invoice, "57.50", rate="0.400000")
    assert keeper.cash_balances() == amounts(
        Business_Bank_Account="143.75", Sales="-100", GST="-15", Realised_Currency_Gains="-28.75"
    )
    credit = keeper.enter(keeper.line("50"), kind="ACCRECCREDIT", rate="0.250000")
    keeper.books.allocate(credit, invoice, amount=Decimal("57.50"), at=AT, ids=keeper.ids)
    assert keeper.cash_balances() == keeper.balances()


def test_the_cash_books_are_caught_up_and_never_rewritten(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"))
    keeper.pay(invoice, "50")
    before = list(keeper.books.cash.journals)
    keeper.pay(invoice)
    keeper.books.edit(invoice, at=LATER, reference="r")
    assert keeper.books.cash.journals[: len(before)] == before
    assert keeper.cash_balances() == keeper.balances()
