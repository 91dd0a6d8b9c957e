"""Invoices, bills and credit notes: entering, approving, changing and voiding them.

Knows which status allows what. Must not know what is posted (`posting.py`), clocks, HTTP, or how
a business behaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from xero_sandbox.books.documents import (
    OVERPAYMENT_TYPES,
    PREPAYMENT_TYPES,
    Document,
    Line,
    totals,
)
from xero_sandbox.books.ledger import Account, Posting
from xero_sandbox.books.recording import Recording
from xero_sandbox.books.refusals import (
    BooksError,
    require_open_accounts,
    require_rate,
    require_status,
)

_ADVANCE = (*PREPAYMENT_TYPES, *OVERPAYMENT_TYPES)


class Invoicing(Recording):
    """What can be done to invoices, bills and credit notes."""

    def enter(self, document: Document, *, at: datetime) -> Document:
        """Enter a new document in the status it has; an approved one is posted.

        Without a number it gets the next one, unless it is a bill.
        """
        if document.type in _ADVANCE:
            raise BooksError("A prepayment or overpayment is entered as a bank transaction.")
        self._require_document(document, document.lines)
        if document.counts:
            self._post_document(document, self._restock(document, document.lines), at=at)
            self._settle(document)
        self.documents[document.document_id] = document
        if not document.number and document.type != "ACCPAY":
            document.number = self.next_number(document.type)
        contact = document.contact
        contact.is_customer |= document.is_receivable
        contact.is_supplier |= not document.is_receivable
        number, name = document.number, contact.name
        self._noted(
            document.document_id, "Created", at, "{} for {} of {}.", number, name, document.total
        )
        self._changed(document, at)
        return document

    def submit(self, document: Document, *, at: datetime) -> None:
        """Hand a draft in for approval."""
        require_status(document, "DRAFT")
        document.status = "SUBMITTED"
        self._noted(document.document_id, "Submitted", at)
        self._changed(document, at)

    def approve(self, document: Document, *, at: datetime) -> None:
        """Approve a draft: it is posted with its own date, which may lie in the past."""
        require_status(document, "DRAFT", "SUBMITTED")
        self._post_document(document, self._restock(document, document.lines), at=at)
        document.status = "AUTHORISED"
        self._settle(document)
        self._noted(document.document_id, "Approved", at)
        self._changed(document, at)

    def delete_draft(self, document: Document, *, at: datetime) -> None:
        """Delete a draft: it stays in the lists as DELETED."""
        require_status(document, "DRAFT", "SUBMITTED")
        document.status = "DELETED"
        self._noted(document.document_id, "Deleted", at)
        self._changed(document, at)

    def void(self, document: Document, *, at: datetime) -> None:
        """Void an approved document: its journals are reversed, dated like the originals."""
        if document.type in _ADVANCE:
            raise BooksError("This credit cannot be voided: delete its bank transaction.")
        require_status(document, "AUTHORISED")
        if document.paid or document.allocated:
            raise BooksError("This document cannot be voided: it has payments or credits.")
        self._restock(document, ())
        document.status = "VOIDED"
        self.ledger.reverse(document.document_id, at)
        self._noted(document.document_id, "Voided", at)
        self._changed(document, at)

    def edit(
        self,
        document: Document,
        *,
        at: datetime,
        lines: Sequence[Line] | None = None,
        on: date | None = None,
        due_date: date | None = None,
        reference: str | None = None,
        number: str | None = None,
        is_sent: bool | None = None,
        expected_payment_date: date | None = None,
        planned_payment_date: date | None = None,
    ) -> None:
        """Change a document; an approved one is reversed and posted again, whatever changed.

        A new due date, or that it was sent, does not bump UpdatedDateUTC once something is paid,
        as in Xero.
        """
        require_status(document, "DRAFT", "SUBMITTED", "AUTHORISED", "PAID")
        if document.allocations and on not in (None, document.on):
            raise BooksError("The date cannot change once credit is applied.")
        new_lines = document.lines if lines is None else tuple(lines)
        cost = self._accepted(document, new_lines)
        telling = (lines, on, reference, number, expected_payment_date, planned_payment_date)
        is_silent = bool(document.paid) and all(value is None for value in telling)
        document.on = on or document.on
        document.due_date = due_date or document.due_date
        document.reference = document.reference if reference is None else reference
        document.number = document.number if number is None else number
        document.is_sent = document.is_sent if is_sent is None else is_sent
        document.expected_payment_date = expected_payment_date or document.expected_payment_date
        document.planned_payment_date = planned_payment_date or document.planned_payment_date
        self._post_again(document, new_lines, cost=cost, at=at)
        self._noted(document.document_id, "Edited", at)
        if is_silent:
            self._shown(document)
        else:
            self._changed(document, at)

    def recode(
        self, document: Document, *, at: datetime, account: Account, line_ids: Sequence[str] = ()
    ) -> None:
        """Move lines (all, or those named) to another account, without bumping the document.

        Xero's Find & Recode does so, also to what has been paid.
        """
        require_status(document, "AUTHORISED", "PAID")
        lines = tuple(
            line if line_ids and line.line_id not in line_ids else replace(line, account=account)
            for line in document.lines
        )
        cost = self._accepted(document, lines)
        self._post_again(document, lines, cost=cost, at=at)
        self._noted(document.document_id, "Recoded", at, "Lines moved to {}.", account.name)
        self._shown(document)

    def _accepted(self, document: Document, lines: tuple[Line, ...]) -> Sequence[Posting]:
        """Let stock follow new lines; the cost of it. BooksError when they cannot be."""
        if document.type in _ADVANCE:
            raise BooksError("This credit cannot be edited: edit its bank transaction.")
        self._require_document(document, lines)
        if totals(lines)[2] + document.rounding < document.paid + document.allocated:
            raise BooksError("The new total is less than what was paid and credited.")
        return self._restock(document, lines) if document.counts else ()

    def _require_document(self, document: Document, lines: tuple[Line, ...]) -> None:
        require_open_accounts(line.account for line in lines)
        require_rate(document.rate)
        if document.currency not in self.currencies:
            raise BooksError(f"The organisation does not use {document.currency}.")
        if totals(lines)[2] + document.rounding < 0:
            raise BooksError("The document's total must not be negative.")
        if abs(document.rounding) >= 1:
            raise BooksError("A total may differ from its lines by less than one unit.")

    def _post_again(
        self,
        document: Document,
        lines: tuple[Line, ...],
        *,
        cost: Sequence[Posting],
        at: datetime,
    ) -> None:
        """Give a document its lines; reverse and repost it, and what is split by its lines."""
        combinations = {line.tracking for line in (*document.lines, *lines)}
        document.lines = lines
        document.add_up()
        if not document.counts:
            return
        self.ledger.reverse(document.document_id, at)
        self._post_document(document, cost, at=at)
        if len(combinations) > 1:
            for payment in document.payments:
                if payment.status != "DELETED":
                    self.ledger.reverse(payment.payment_id, at)
                    self._post_payment(payment, at=at)
            for allocation in document.allocations:
                self.ledger.reverse(allocation.allocation_id, at)
                self._post_allocation(allocation, at=at)
        self._settle(document)
