"""Transfers, batches, foreign bank accounts, and what happens to money that was entered."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.sandbox.bookkeeping import AT, LATER, TODAY, Bookkeeper, amounts
from xero_sandbox.books.books import BooksError
from xero_sandbox.books.money import cents
from xero_sandbox.books.revaluation import foreign_balances, revaluation


@pytest.fixture
def keeper() -> Bookkeeper:
    return Bookkeeper()


def test_a_transfer_is_one_journal_and_two_bank_transactions(keeper: Bookkeeper) -> None:
    books = keeper.books
    transfer = books.transfer(
        keeper.bank, books.account("091"), amount=Decimal(75), on=TODAY, at=AT, ids=keeper.ids
    )
    assert keeper.balances() == amounts(
        Business_Savings_Account="75.00", Business_Bank_Account="-75.00"
    )
    [journal] = books.ledger.journals
    assert (journal.source_type, journal.source_id) == ("TRANSFER", transfer.transfer_id)
    legs = {record.type: record for record in books.bank_transactions.values()}
    assert set(legs) == {"SPEND-TRANSFER", "RECEIVE-TRANSFER"}
    assert {leg.total for leg in legs.values()} == {Decimal(75)}
    with pytest.raises(BooksError, match="delete the transfer"):
        books.delete_bank_transaction(legs["SPEND-TRANSFER"], at=LATER)
    books.reconcile(legs["SPEND-TRANSFER"], at=LATER)
    assert (transfer.from_is_reconciled, transfer.to_is_reconciled) == (True, False)
    books.delete_transfer(transfer, at=LATER)
    assert keeper.balances() == {}
    assert {leg.status for leg in legs.values()} == {"DELETED"}
    entry = books.shelves["BankTransfers"].get(transfer.transfer_id)
    assert entry is not None
    assert entry.updated_at == AT


def test_a_transfer_between_two_currencies_posts_one_amount_in_base_currency(
    keeper: Bookkeeper,
) -> None:
    move = keeper.books.transfer
    sent = move(
        keeper.bank,
        keeper.euro_bank,
        amount=Decimal(200),
        to_amount=Decimal(110),
        on=TODAY,
        at=AT,
        ids=keeper.ids,
    )
    assert (sent.rate, sent.to_leg and sent.to_leg.total) == (Decimal("0.55"), Decimal(110))
    move(
        keeper.euro_bank,
        keeper.bank,
        amount=Decimal(11),
        to_amount=Decimal(21),
        on=TODAY,
        at=AT,
        ids=keeper.ids,
    )
    assert keeper.balances() == amounts(Euro_Account="179.00", Business_Bank_Account="-179.00")
    assert foreign_balances(keeper.books, TODAY) == {keeper.euro_bank.account_id: Decimal(99)}
    with pytest.raises(BooksError, match="amount that arrived"):
        move(keeper.bank, keeper.euro_bank, amount=Decimal(1), on=TODAY, at=AT, ids=keeper.ids)


def test_a_batch_posts_nothing_but_its_payments_and_falls_as_a_whole(keeper: Bookkeeper) -> None:
    books = keeper.books
    bills = [keeper.enter(keeper.line(p, code="400"), kind="ACCPAY") for p in ("100", "50")]
    batch = books.pay_batch(
        [(bill, bill.due) for bill in bills],
        at=AT,
        on=TODAY,
        account=keeper.bank,
        ids=keeper.ids,
        reference="Friday",
    )
    assert (batch.type, batch.total) == ("PAYBATCH", Decimal("172.50"))
    assert len(books.ledger.journals) == 4
    assert {bill.status for bill in bills} == {"PAID"}
    with pytest.raises(BooksError, match="delete the batch"):
        books.delete_payment(batch.payments[0], at=LATER)
    books.reconcile(batch, at=LATER)
    assert all(payment.is_reconciled for payment in batch.payments)
    books.delete_batch(batch, at=LATER)
    assert {payment.status for payment in batch.payments} == {"DELETED"}
    assert {bill.status for bill in bills} == {"AUTHORISED"}
    assert "Business Bank Account" not in keeper.balances()


def test_a_batch_with_one_bad_payment_pays_nothing(keeper: Bookkeeper) -> None:
    good, bill = keeper.enter(keeper.line("10")), keeper.enter(keeper.line("10"), kind="ACCPAY")
    wanted = [
        ([(good, Decimal(5)), (bill, Decimal(5))], "all of one currency"),
        ([(good, Decimal(5)), (good, Decimal(5))], "each document once"),
        ([(good, Decimal(500))], "exceeds"),
    ]
    for payments, sentence in wanted:
        with pytest.raises(BooksError, match=sentence):
            keeper.books.pay_batch(payments, at=AT, on=TODAY, account=keeper.bank, ids=keeper.ids)
    assert not keeper.books.payments
    assert not keeper.books.batch_payments


def test_a_foreign_invoice_paid_to_a_foreign_account_realises_its_gain(
    keeper: Bookkeeper,
) -> None:
    invoice = keeper.enter(keeper.line("100", code="960"), rate="0.500000")
    keeper.pay(invoice, account=keeper.euro_bank, rate="0.400000")
    assert keeper.balances() == amounts(
        Euro_Account="250.00", Retained_Earnings="-200.00", Realised_Currency_Gains="-50.00"
    )
    assert foreign_balances(keeper.books, TODAY) == {keeper.euro_bank.account_id: Decimal(100)}
    with pytest.raises(BooksError, match="does not hold NZD"):
        keeper.pay(keeper.enter(keeper.line("1")), account=keeper.euro_bank)


def test_a_foreign_account_is_revalued_against_bank_currency_gain(keeper: Bookkeeper) -> None:
    keeper.money("RECEIVE", keeper.line("100", code="960"), rate="0.500000")
    keeper.enter(keeper.line("30", code="960"), rate="0.500000")
    keeper.credit("RECEIVE-PREPAYMENT", keeper.line("7", code="960"), rate="0.500000")
    rate = Decimal("0.400000")
    found = revaluation(keeper.books, TODAY, lambda *_: rate)
    names = {keeper.books.ledger.accounts[key].name: amount for key, amount in found.items()}
    assert names == {
        "Euro Account": cents(Decimal(107) / rate) - Decimal(214),
        "Bank Revaluations": Decimal("-53.50"),
        "Accounts Receivable": Decimal(15),
        "Unrealised Currency Gains": Decimal(-15),
    }
    before = revaluation(keeper.books, TODAY - timedelta(days=1), lambda *_: rate)
    assert not any(before.values())


def test_money_is_entered_in_the_currency_of_its_account(keeper: Bookkeeper) -> None:
    record = keeper.money("SPEND", keeper.line("10", code="429"))
    record.currency = "EUR"
    with pytest.raises(BooksError, match="holds NZD"):
        keeper.books.edit_bank_transaction(record, at=LATER)
    record.currency = "NZD"
    keeper.books.edit_bank_transaction(record, at=LATER, on=date(2026, 4, 1), reference="r")
    assert {journal.on for journal in keeper.standing(record.transaction_id)} == {date(2026, 4, 1)}
    keeper.books.delete_bank_transaction(record, at=LATER)
    with pytest.raises(BooksError, match="already deleted"):
        keeper.books.delete_bank_transaction(record, at=LATER)


@pytest.mark.parametrize("code", ["090", "610", "800", "877"])
def test_lines_cannot_be_coded_to_banks_and_control_accounts(keeper: Bookkeeper, code: str) -> None:
    with pytest.raises(BooksError, match="cannot be used on a line"):
        keeper.enter(keeper.line("10", code=code))
    with pytest.raises(BooksError, match="cannot be used on a line"):
        keeper.money("SPEND", keeper.line("10", code=code))
    assert not keeper.books.documents
    assert not keeper.books.ledger.journals
