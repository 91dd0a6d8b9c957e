"""Credit applied to documents: from credit notes, prepayments and overpayments.

Knows what may be applied to what. Must not know what is posted (`posting.py`), clocks or HTTP.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import Allocation, Document
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.recording import Recording
from xero_sandbox.books.refusals import BooksError, require_cents, require_status


class Crediting(Recording):
    """What can be done with remaining credit."""

    def allocate(
        self, credit: Document, invoice: Document, *, amount: Decimal, at: datetime, ids: Random
    ) -> Allocation:
        """Apply `amount` of a credit to a document of the same side, contact and currency."""
        require_status(credit, "AUTHORISED")
        require_status(invoice, "AUTHORISED")
        is_one_side = credit.is_receivable == invoice.is_receivable
        if not is_one_side or not credit.is_credit or invoice.is_credit:
            raise BooksError("Credit is applied to an invoice or bill of its own side.")
        if credit.currency != invoice.currency or credit.contact is not invoice.contact:
            raise BooksError("Credit is applied to an invoice of its contact and currency.")
        require_cents(amount)
        if amount > min(credit.due, invoice.due):
            raise BooksError("The amount exceeds the remaining credit or the amount due.")
        on = max(credit.on, invoice.on)
        allocation = Allocation(new_guid(ids), credit, invoice, on, amount)
        self.allocations[allocation.allocation_id] = allocation
        credit.allocations.append(allocation)
        invoice.allocations.append(allocation)
        self._post_allocation(allocation, at=at)
        for document, other in ((credit, invoice), (invoice, credit)):
            self._settle(document)
            self._noted(
                document.document_id, "Credit Applied", at, "{} of {}.", amount, other.number
            )
            self._changed(document, at)
        return allocation

    def remove_allocation(self, allocation: Allocation, *, at: datetime) -> None:
        """Take credit back: both documents have it due again."""
        if allocation not in allocation.credit.allocations:
            raise BooksError("This allocation is already removed.")
        self.ledger.reverse(allocation.allocation_id, at)
        for document in (allocation.credit, allocation.invoice):
            document.allocations.remove(allocation)
            self._settle(document)
            self._noted(document.document_id, "Credit Removed", at, "{}.", allocation.amount)
            self._changed(document, at)
