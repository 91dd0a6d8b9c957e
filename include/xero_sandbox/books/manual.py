"""What is posted without an invoice or money: manual journals and expense claims.

Knows what they hold. Must not know the ledger, JSON or time. They change only through `books.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from xero_sandbox.books.ledger import Account
from xero_sandbox.books.lines import Line, TrackingOption, totals
from xero_sandbox.books.money import ZERO


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a manual journal: debit positive; `net` without tax, `amount` as typed."""

    account: Account
    description: str
    amount: Decimal
    tax_type: str
    tax: Decimal
    net: Decimal
    tracking: tuple[TrackingOption, ...] = ()


@dataclass(slots=True, eq=False)
class ManualJournal:
    """Postings written by hand; they sum to zero, tax included. Base currency."""

    journal_id: str
    narration: str
    on: date
    lines: tuple[JournalLine, ...]
    created_at: datetime
    updated_at: datetime
    line_kind: str = "NoTax"
    status: str = "POSTED"
    show_on_cash_basis: bool = True
    url: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is part of the ledger."""
        return self.status == "POSTED"


@dataclass(slots=True, eq=False)
class ExpenseClaim:
    """What staff paid for the business, in base currency; no list of documents shows it."""

    claim_id: str
    on: date
    lines: tuple[Line, ...]
    created_at: datetime
    reference: str = ""
    paid: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """What is owed to staff for it, tax included."""
        return totals(self.lines)[2]
