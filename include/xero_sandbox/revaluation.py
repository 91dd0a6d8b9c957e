"""Open foreign documents at the rate of a report's date: in reports only, never a journal.

Knows what is open at a date and how it is revalued. Must not know report layouts or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from xero_sandbox.books import Books
from xero_sandbox.documents import CONTROL_SIGNS
from xero_sandbox.money import ZERO, cents, in_base


def revaluation(
    books: Books, on: date, rate_on: Callable[[date, str], Decimal]
) -> dict[str, Decimal]:
    """Return account id to the unrealised difference at `on`, debit positive; sums to zero.

    The control accounts take the difference between what is open at the day's rate and at the
    documents' own rates; UNREALISEDCURRENCYGAIN takes the other side.
    """
    if len(books.currencies) == 1:
        return {}
    found: dict[str, Decimal] = {}
    rates = {
        currency: rate_on(on, currency)
        for currency in books.currencies
        if currency != books.base_currency
    }
    for document in books.documents.values():
        if document.currency == books.base_currency:
            continue
        open_amount = document.due_on(on)
        if not open_amount:
            continue
        now_worth = cents(open_amount / rates[document.currency])
        carried = in_base(open_amount, document.rate)
        difference = CONTROL_SIGNS[document.type] * (now_worth - carried)
        control = books.ledger.system("DEBTORS" if document.is_receivable else "CREDITORS")
        gain = books.ledger.system("UNREALISEDCURRENCYGAIN")
        found[control] = found.get(control, ZERO) + difference
        found[gain] = found.get(gain, ZERO) - difference
    return found
