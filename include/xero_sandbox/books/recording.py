"""How each record gets into the ledger: under which date, source and reference.

Knows which postings belong to which record, and that the cost of goods sold is posted with them.
Must not know which changes are allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from xero_sandbox.books.documents import (
    Allocation,
    BankTransaction,
    Document,
    Line,
    Payment,
    totals,
)
from xero_sandbox.books.holdings import Holdings
from xero_sandbox.books.ledger import Posting
from xero_sandbox.books.money import ZERO
from xero_sandbox.books.posting import (
    ALLOCATION_SOURCES,
    BANK_SOURCES,
    PAYMENT_SOURCES,
    allocation_postings,
    bank_postings,
    converted,
    document_postings,
    payment_postings,
)


class Recording(Holdings):
    """Puts documents, payments, allocations and money into the ledger."""

    def _restock(
        self, record: Document | BankTransaction, lines: Sequence[Line]
    ) -> Sequence[Posting]:
        """Move stock by `lines` instead of by what the record said before; its cost postings.

        Raises BooksError, with nothing moved, when there is not that much in stock.
        """
        key = record.document_id if isinstance(record, Document) else record.transaction_id
        if not self._stock.concerns(key, lines):
            return ()
        rounding = record.rounding if isinstance(record, Document) else ZERO
        nets, _, _ = converted(lines, total=totals(lines)[2] + rounding, rate=record.rate)
        return self._stock.restate(key, record.type, lines=lines, nets=nets)

    def _post_document(self, document: Document, cost: Sequence[Posting], *, at: datetime) -> None:
        self.ledger.post(
            [*document_postings(self.ledger, document), *cost],
            on=document.on,
            created_at=at,
            source_type=document.type,
            source_id=document.document_id,
            reference=document.reference,
        )

    def _post_payment(self, payment: Payment, *, at: datetime) -> None:
        self.ledger.post(
            payment_postings(self.ledger, payment, self.base_currency),
            on=payment.on,
            created_at=at,
            source_type=PAYMENT_SOURCES[payment.document.type],
            source_id=payment.payment_id,
            reference=payment.reference,
        )

    def _post_allocation(self, allocation: Allocation, *, at: datetime) -> None:
        self.ledger.post(
            allocation_postings(self.ledger, allocation),
            on=allocation.on,
            created_at=at,
            source_type=ALLOCATION_SOURCES[allocation.credit.type],
            source_id=allocation.allocation_id,
            reference=allocation.credit.reference,
        )

    def _post_bank(self, record: BankTransaction, cost: Sequence[Posting], *, at: datetime) -> None:
        self.ledger.post(
            [*bank_postings(self.ledger, record), *cost],
            on=record.on,
            created_at=at,
            source_type=BANK_SOURCES[record.type],
            source_id=_source_of(record),
            reference=record.reference,
        )

    def _reverse_bank(self, record: BankTransaction, *, at: datetime) -> None:
        self.ledger.reverse(_source_of(record), at)


def _source_of(record: BankTransaction) -> str:
    """The id under which money stands in the journals: its pre- or overpayment's, or its own."""
    return record.transaction_id if record.credit is None else record.credit.document_id
