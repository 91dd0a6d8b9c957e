"""Money received and spent without an invoice, in advance or too much.

Knows what each kind of bank transaction needs, and what becomes of it. Must not know what is
posted (`posting.py`), clocks or HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from random import Random

from xero_sandbox.books.documents import (
    OVERPAYMENT_TYPES,
    PREPAYMENT_TYPES,
    RECEIVABLE_TYPES,
    BankTransaction,
    Document,
    Line,
    totals,
)
from xero_sandbox.books.ids import new_guid, random_of
from xero_sandbox.books.posting import BANK_SOURCES
from xero_sandbox.books.recording import Recording
from xero_sandbox.books.refusals import (
    BooksError,
    require_bank,
    require_open_accounts,
    require_rate,
    require_status,
)


class Banking(Recording):
    """What can be done with bank transactions."""

    def enter_bank_transaction(
        self, record: BankTransaction, *, at: datetime, ids: Random | None = None
    ) -> BankTransaction:
        """Enter money received or spent; `ids` gives the id of a pre- or overpayment.

        An overpayment's lines go to the control account, whatever they say.
        """
        if record.type not in BANK_SOURCES:
            raise BooksError(f"A bank transaction cannot be entered as {record.type}.")
        if record.type in OVERPAYMENT_TYPES:
            record.lines = self._on_control(record, record.lines)
        _require_money(record, record.lines)
        cost = self._restock(record, record.lines)
        if record.type in PREPAYMENT_TYPES + OVERPAYMENT_TYPES:
            credit_id = new_guid(ids or random_of(record.transaction_id, "credit"))
            record.credit = self._credit_of(record, credit_id, at=at)
        record.updated_at = at
        self.bank_transactions[record.transaction_id] = record
        self._post_bank(record, cost, at=at)
        self._noted(record.transaction_id, "Created", at)
        self._shelving.bank_transaction(record)
        if record.credit is not None:
            self.documents[record.credit.document_id] = record.credit
            self._noted(record.credit.document_id, "Created", at)
            self._changed(record.credit, at)
        return record

    def edit_bank_transaction(
        self,
        record: BankTransaction,
        *,
        at: datetime,
        lines: Sequence[Line] | None = None,
        on: date | None = None,
        reference: str | None = None,
    ) -> None:
        """Change money received or spent: it is reversed and posted again, whatever changed."""
        _require_untouched(record)
        new_lines = record.lines if lines is None else tuple(lines)
        if record.type in OVERPAYMENT_TYPES:
            new_lines = self._on_control(record, new_lines)
        _require_money(record, new_lines)
        cost = self._restock(record, new_lines)
        record.lines = new_lines
        record.sub_total, record.total_tax, record.total = totals(new_lines)
        record.on = on or record.on
        record.reference = record.reference if reference is None else reference
        record.updated_at = at
        self._reverse_bank(record, at=at)
        self._post_bank(record, cost, at=at)
        self._noted(record.transaction_id, "Edited", at)
        self._shelving.bank_transaction(record)
        credit = record.credit
        if credit is not None:
            credit.lines, credit.on, credit.due_date = record.lines, record.on, record.on
            credit.reference = record.reference
            credit.add_up()
            self._changed(credit, at)

    def delete_bank_transaction(self, record: BankTransaction, *, at: datetime) -> None:
        """Delete money received or spent: it stays in the list as DELETED, its credit VOIDED."""
        _require_untouched(record)
        self._restock(record, ())
        record.status = "DELETED"
        record.updated_at = at
        self._reverse_bank(record, at=at)
        self._noted(record.transaction_id, "Deleted", at)
        self._shelving.bank_transaction(record)
        if record.credit is not None:
            record.credit.status = "VOIDED"
            self._noted(record.credit.document_id, "Voided", at)
            self._changed(record.credit, at)

    def _credit_of(self, record: BankTransaction, credit_id: str, *, at: datetime) -> Document:
        """The pre- or overpayment that came with this money."""
        if record.contact is None:
            raise BooksError("A prepayment or overpayment has a contact.")
        return Document(
            document_id=credit_id,
            type=record.type,
            number="",
            contact=record.contact,
            on=record.on,
            due_date=record.on,
            line_kind=record.line_kind,
            lines=record.lines,
            currency=record.currency,
            created_at=at,
            updated_at=at,
            rate=record.rate,
            reference=record.reference,
            bank_transaction=record,
        )

    def _on_control(self, record: BankTransaction, lines: Sequence[Line]) -> tuple[Line, ...]:
        is_receivable = record.type in RECEIVABLE_TYPES
        control = self.system_account("DEBTORS" if is_receivable else "CREDITORS")
        if any(line.tax or line.tracking for line in lines):
            raise BooksError("An overpayment has neither tax nor tracking.")
        return tuple(replace(line, account=control) for line in lines)


def _require_money(record: BankTransaction, lines: tuple[Line, ...]) -> None:
    require_bank(record.account)
    if record.contact is None:
        raise BooksError("A bank transaction has a contact.")
    if record.currency != record.account.currency:
        raise BooksError(f"Account {record.account.code} holds {record.account.currency}.")
    require_rate(record.rate)
    if record.type not in OVERPAYMENT_TYPES:
        require_open_accounts(line.account for line in lines)
    total = totals(lines)[2]
    if total < 0 or (not total and record.type not in {"RECEIVE", "SPEND"}):
        raise BooksError("The total of a bank transaction must be greater than zero.")


def _require_untouched(record: BankTransaction) -> None:
    if record.status == "DELETED":
        raise BooksError("This bank transaction is already deleted.")
    if record.transfer is not None:
        raise BooksError("This is the leg of a bank transfer: delete the transfer.")
    credit = record.credit
    if credit is not None:
        require_status(credit, "AUTHORISED")
        if credit.paid or credit.allocated:
            raise BooksError("This money has been allocated or refunded.")
