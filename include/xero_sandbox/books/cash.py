"""The cash-basis books: the journals of the accrual books told again as money sees them.

Knows which accrual journals wait for money, and what a payment or an allocation recognises of a
document: its lines and tax pro rata to gross. Must not know verbs, JSON or reports.

Every accrual journal is read once, in order, so the cash journals are as immutable: an edit, a
void or a removed payment reverses what it had recognised. Invoices, bills, credit notes and
expense claims post nothing until they are settled; an overpayment stands on the control account
until it is allocated; everything else is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from xero_sandbox.books.documents import (
    CONTROL_SIGNS,
    CREDIT_NOTE_TYPES,
    OVERPAYMENT_TYPES,
    PREPAYMENT_TYPES,
    Allocation,
)
from xero_sandbox.books.ledger import Journal, Ledger, Posting
from xero_sandbox.books.money import ZERO, in_base
from xero_sandbox.books.prorating import gross_by_tracking, pro_rata, spread

if TYPE_CHECKING:
    from xero_sandbox.books.holdings import Holdings

_PAID_IN_ADVANCE = (*PREPAYMENT_TYPES, *OVERPAYMENT_TYPES)


class CashBooks:
    """The cash-basis ledger of one organisation, caught up when it is asked for."""

    def __init__(self, books: Holdings) -> None:
        self._books = books
        self._ledger = books.ledger.twin()
        self._read = 0
        # By document or expense claim: its accrual journal, and those that settle it.
        self._standing: dict[str, Journal] = {}
        self._settled_by: dict[str, list[Journal]] = {}
        self._controls = frozenset(
            books.ledger.system(name)
            for name in ("DEBTORS", "CREDITORS", "UNPAIDEXPCLM", "TRACKINGTRANSFERS")
        )

    def caught_up(self) -> Ledger:
        """Return the cash-basis ledger with everything that the accrual books know by now."""
        journals = self._books.ledger.journals
        while self._read < len(journals):
            journal = journals[self._read]
            self._read += 1
            self._tell(journal)
        return self._ledger

    def _tell(self, journal: Journal) -> None:
        key, books = journal.source_id or "", self._books
        document = books.documents.get(key)
        manual = books.manual_journals.get(key)
        settled = self._settled_documents(key)
        if key in books.expense_claims or (
            document is not None and document.type not in _PAID_IN_ADVANCE
        ):
            self._tell_document(key, journal)
        elif settled:
            self._tell_settlement(journal, settled)
        elif manual is None or manual.show_on_cash_basis:
            self._post(journal, journal.postings, told_by=journal)

    def _settled_documents(self, key: str) -> tuple[str, ...]:
        """The documents whose lines a payment or an allocation recognises; none for the others."""
        books = self._books
        if claim_id := books.expense_payments.get(key):
            return (claim_id,)
        if payment := books.payments.get(key):
            is_advance = payment.document.type in _PAID_IN_ADVANCE
            return () if is_advance else (payment.document.document_id,)
        if allocation := books.allocations.get(key):
            both = (allocation.invoice, allocation.credit)
            return tuple(d.document_id for d in both if d.type not in _PAID_IN_ADVANCE)
        return ()

    def _tell_document(self, key: str, journal: Journal) -> None:
        """Keep a document for those who settle it; tell again what has been settled of it."""
        settlements = self._settled_by.get(key, ())
        if journal.reverses is not None:
            self._standing.pop(key, None)
            for settlement in settlements:
                self._ledger.reverse(settlement.source_id or "", journal.created_at)
            return
        self._standing[key] = journal
        for settlement in settlements:
            self._post(settlement, self._recognised(settlement), told_by=journal)

    def _tell_settlement(self, journal: Journal, settled: Iterable[str]) -> None:
        for key in settled:
            settlements = self._settled_by.setdefault(key, [])
            if journal.reverses is None:
                settlements.append(journal)
            else:
                settlements[:] = [s for s in settlements if s.number != journal.reverses]
        if journal.reverses is None:
            self._post(journal, self._recognised(journal), told_by=journal)
        else:
            self._ledger.reverse(journal.source_id or "", journal.created_at)

    def _recognised(self, journal: Journal) -> list[Posting]:
        """A settlement's postings, with lines and tax in the place of what is on control."""
        kept = [p for p in journal.postings if p.account_id not in self._controls]
        allocation = self._books.allocations.get(journal.source_id or "")
        if allocation is not None:
            return kept + self._recognised_by_allocation(allocation)
        moved = (p.amount for p in journal.postings if p.account_id in self._controls)
        [key] = self._settled_documents(journal.source_id or "")
        return kept + self._share(key, sum(moved, ZERO))

    def _recognised_by_allocation(self, allocation: Allocation) -> list[Posting]:
        credit, invoice = allocation.credit, allocation.invoice
        sign = CONTROL_SIGNS[invoice.type]
        taken = sign * in_base(allocation.amount, credit.rate)
        settled = sign * in_base(allocation.amount, invoice.rate)
        postings = self._share(invoice.document_id, -settled)
        if credit.type in CREDIT_NOTE_TYPES:
            postings += self._share(credit.document_id, taken)
        elif credit.type in OVERPAYMENT_TYPES:
            control = self._books.ledger.system("DEBTORS" if sign > 0 else "CREDITORS")
            postings += spread(control, taken, gross_by_tracking(credit.lines))
        return postings

    def _share(self, key: str, part: Decimal) -> list[Posting]:
        """The lines and tax of a document that sum to `part`."""
        lines = [p for p in self._standing[key].postings if p.account_id not in self._controls]
        return pro_rata(lines, part, tax_account=self._books.ledger.system("GST"))

    def _post(self, journal: Journal, postings: Iterable[Posting], *, told_by: Journal) -> None:
        """Post, dated like `journal`; or reverse what was posted for it."""
        if journal.reverses is not None:
            self._ledger.reverse(journal.source_id or "", told_by.created_at)
            return
        self._ledger.post(
            tuple(postings),
            on=journal.on,
            created_at=told_by.created_at,
            source_type=journal.source_type,
            source_id=journal.source_id,
            reference=journal.reference,
        )
