"""Open foreign documents and foreign bank accounts at the rate of a report's date.

Knows what is open, or lies on a foreign account, at a date, and how it is revalued: in reports
only, never a journal. Must not know report layouts or HTTP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

from xero_sandbox.books.books import Books
from xero_sandbox.books.documents import CONTROL_SIGNS, PREPAYMENT_TYPES
from xero_sandbox.books.money import ZERO, cents, in_base
from xero_sandbox.books.posting import control_account


def revaluation(
    books: Books, on: date, rate_on: Callable[[date, str], Decimal]
) -> dict[str, Decimal]:
    """Return account id to the unrealised difference at `on`, debit positive; sums to zero.

    The control accounts take the difference between what is open at the day's rate and at the
    documents' own rates, UNREALISEDCURRENCYGAIN the other side; so do foreign bank accounts and
    BANKCURRENCYGAIN. A prepayment is not on the control account and keeps its worth.
    """
    if len(books.currencies) == 1:
        return {}
    rates = {
        currency: rate_on(on, currency)
        for currency in books.currencies
        if currency != books.base_currency
    }
    found: dict[str, Decimal] = defaultdict(lambda: ZERO)
    gain = books.ledger.system("UNREALISEDCURRENCYGAIN")
    for document in books.documents.values():
        if document.currency == books.base_currency or document.type in PREPAYMENT_TYPES:
            continue
        open_amount = document.due_on(on)
        if not open_amount:
            continue
        now_worth = cents(open_amount / rates[document.currency])
        carried = in_base(open_amount, document.rate)
        difference = CONTROL_SIGNS[document.type] * (now_worth - carried)
        found[control_account(books.ledger, document)] += difference
        found[gain] -= difference
    for account_id, difference in _bank_differences(books, on, rates):
        found[account_id] += difference
        found[books.ledger.system("BANKCURRENCYGAIN")] -= difference
    return dict(found)


def foreign_balances(books: Books, on: date) -> dict[str, Decimal]:
    """Return account id to what lies on each foreign bank account at `on`, in its own currency."""
    foreign = {
        account.account_id: ZERO
        for account in books.ledger.accounts.values()
        if account.type == "BANK" and account.currency != books.base_currency
    }
    if not foreign:
        return {}
    # The legs of transfers are bank transactions, too.
    for record in books.bank_transactions.values():
        if record.account.account_id in foreign and record.status != "DELETED" and record.on <= on:
            amount = record.total if record.is_receipt else -record.total
            foreign[record.account.account_id] += amount
    for payment in books.payments.values():
        key = payment.account.account_id
        if key in foreign and payment.status != "DELETED" and payment.on <= on:
            foreign[key] += CONTROL_SIGNS[payment.document.type] * payment.bank_amount
    return foreign


def _bank_differences(
    books: Books, on: date, rates: dict[str, Decimal]
) -> Iterator[tuple[str, Decimal]]:
    for account_id, amount in foreign_balances(books, on).items():
        rate = rates[books.ledger.accounts[account_id].currency]
        difference = cents(amount / rate) - books.ledger.balance(account_id, on)
        if difference:
            yield account_id, difference
