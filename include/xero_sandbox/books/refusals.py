"""What the books refuse, with a sentence for a person.

Knows the error and the checks that many verbs share. Must not know the ledger's rules or HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

from xero_sandbox.books.documents import Document
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import cents

# Accounts that only documents of their own kind move.
_CLOSED = frozenset(("DEBTORS", "CREDITORS", "UNPAIDEXPCLM", "TRACKINGTRANSFERS"))

_LEAST_RATE = Decimal("0.000001")

_T = TypeVar("_T")


class BooksError(ValueError):
    """Something that Xero would refuse; the message is for a person."""


def found(record: _T | None, kind: str, key: str) -> _T:
    """Return the record; BooksError when there is none."""
    if record is None:
        raise BooksError(f"There is no {kind} {key}.")
    return record


def require_status(document: Document, *statuses: str) -> None:
    """Raise BooksError unless the document has one of the statuses."""
    if document.status not in statuses:
        raise BooksError(f"This cannot be done to a document that is {document.status}.")


def require_open_accounts(accounts: Iterable[Account]) -> None:
    """Raise BooksError for an account that no line can be coded to."""
    for account in accounts:
        if account.type == "BANK" or account.system in _CLOSED:
            raise BooksError(f"Account {account.code} ({account.name}) cannot be used on a line.")


def require_rate(rate: Decimal) -> None:
    """Raise BooksError for a rate that nothing can be divided by."""
    if rate < _LEAST_RATE:
        raise BooksError(f"The currency rate must be at least {_LEAST_RATE}.")


def require_cents(amount: Decimal) -> None:
    """Raise BooksError unless the amount is more than nothing and has whole cents."""
    if not amount > 0:
        raise BooksError("Payment amount must be greater than zero.")
    if amount != cents(amount):
        raise BooksError(f"The amount {amount} has more than two decimals.")


def require_bank(account: Account) -> None:
    """Raise BooksError unless the account is one that money lies on."""
    if account.type != "BANK":
        raise BooksError(f"Account {account.code} is not a bank account.")
