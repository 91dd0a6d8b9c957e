"""The books of one organisation: what may be done to its documents, and what that posts.

Knows every rule for changing a document (status, amount due, what a payment settles), posts each
change to the ledger, and keeps the shelves that are served. Must not know clocks, HTTP, or how a
business behaves: `habits.py` and the control door decide what happens and when.

Every method takes `at` (aware UTC), when it happened; it becomes UpdatedDateUTC of the records
that Xero would bump, and the creation time of the journals. Amounts are Decimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import TypeVar

from xero_sandbox import spelling_settings
from xero_sandbox.chart import Country
from xero_sandbox.documents import (
    Allocation,
    BankTransaction,
    Contact,
    Document,
    Line,
    Payment,
)
from xero_sandbox.ids import new_guid
from xero_sandbox.ledger import Account, Ledger
from xero_sandbox.money import ONE, ZERO, in_base
from xero_sandbox.posting import (
    allocation_postings,
    bank_postings,
    document_postings,
    payment_postings,
)
from xero_sandbox.records import Body, Shape
from xero_sandbox.shelving import Shelving
from xero_sandbox.spelling import PAYMENT_TYPES

_NUMBERED = {"ACCREC": "INV", "ACCRECCREDIT": "CN", "ACCPAYCREDIT": "SCN"}


class BooksError(ValueError):
    """Something that Xero would refuse; the message is for a person."""


class Books:
    """Documents, ledger and shelves of one organisation.

    `today` is the organisation's own date, which decides what is overdue; whoever keeps the
    clock moves it with `begin_day`.
    """

    def __init__(
        self,
        country: Country,
        *,
        currencies: Sequence[str],
        accounts: Sequence[Account],
        today: date,
    ) -> None:
        self.country = country
        self.currencies = tuple(currencies)
        self.base_currency = country.currency
        self.today = today
        self.ledger = Ledger(accounts)
        self.by_code = {account.code: account for account in accounts}
        self.contacts: dict[str, Contact] = {}
        self.documents: dict[str, Document] = {}
        self.payments: dict[str, Payment] = {}
        self.bank_transactions: dict[str, BankTransaction] = {}
        self._shelving = Shelving()
        self.shelves = self._shelving.shelves
        self._names: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._shelving.settings(country, self.currencies)
        for account in accounts:
            self._shelving.account(account)

    # What is there

    def contact(self, contact_id: str) -> Contact:
        """Return a contact; BooksError when there is none."""
        return _found(self.contacts.get(contact_id), "contact", contact_id)

    def document(self, document_id: str) -> Document:
        """Return an invoice, bill or credit note; BooksError when there is none."""
        return _found(self.documents.get(document_id), "document", document_id)

    def payment(self, payment_id: str) -> Payment:
        """Return a payment; BooksError when there is none."""
        return _found(self.payments.get(payment_id), "payment", payment_id)

    def account(self, code: str) -> Account:
        """Return the account of a code; BooksError when there is none."""
        return _found(self.by_code.get(code), "account", code)

    def begin_day(self, today: date) -> None:
        """Let the organisation's own date be `today`: what is overdue may change."""
        if today != self.today:
            self.today = today
            self.shelves["Contacts"].forget()

    def shelve_organisation(self, tenant_id: str, body: Body) -> None:
        """Let the organisation itself be served as `body`."""
        self._shelving.organisation(tenant_id, body)

    # Contacts and accounts

    def add_contact(self, contact: Contact) -> Contact:
        """Add a contact. Raises BooksError when another one has the name, as Xero does."""
        self._claim_name(contact.name.casefold(), contact.name)
        self.contacts[contact.contact_id] = contact
        self._shelving.contact(contact, self._spell_contact)
        return contact

    def _claim_name(self, folded: str, name: str) -> None:
        if folded in self._names:
            raise BooksError(f"The contact name {name} is already assigned.")
        self._names.add(folded)

    def edit_contact(self, contact: Contact, *, at: datetime, **changes: str) -> None:
        """Change fields of a contact: name, email, phone, status, …; bumps UpdatedDateUTC."""
        for name in changes:
            if name not in _CONTACT_FIELDS:
                raise BooksError(f"A contact has no field {name} that can be edited.")
        new_name = changes.get("name", contact.name).casefold()
        if new_name != contact.name.casefold():
            self._claim_name(new_name, changes["name"])
        for name, value in changes.items():
            setattr(contact, name, value)
        contact.updated_at = at
        self._shelving.contact(contact, self._spell_contact)
        if "name" in changes:
            # Documents show their contact's name without being bumped by its change.
            self._shelving.documents_show_more()

    def edit_account(self, account: Account, *, at: datetime, **changes: str) -> Account:
        """Change name, description or status of an account; bumps UpdatedDateUTC."""
        changed = replace(account, updated_at=at, **changes)  # type: ignore[arg-type]
        self.by_code[changed.code] = changed
        self.ledger.accounts[changed.account_id] = changed
        self._shelving.account(changed)
        return changed

    # Invoices, bills and credit notes

    def next_number(self, kind: str) -> str:
        """Return the next number of a sequence, as `INV-0001`."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{_NUMBERED[kind]}-{self._numbers[kind]:04d}"

    def enter(self, document: Document, *, at: datetime) -> Document:
        """Enter a new document in the status it has; an approved one is posted."""
        if document.total < 0:
            raise BooksError("The document's total must not be negative.")
        self.documents[document.document_id] = document
        if document.counts:
            self._post(document, at)
            self._settle(document)
        contact = document.contact
        if document.is_receivable and not contact.is_customer:
            contact.is_customer = True
        elif not document.is_receivable and not contact.is_supplier:
            contact.is_supplier = True
        self._changed(document, at)
        return document

    def approve(self, document: Document, *, at: datetime) -> None:
        """Approve a draft: it is posted with its own date, which may lie in the past."""
        self._require(document, "DRAFT", "SUBMITTED")
        document.status = "AUTHORISED"
        self._post(document, at)
        self._settle(document)
        self._changed(document, at)

    def delete_draft(self, document: Document, *, at: datetime) -> None:
        """Delete a draft: it stays in the lists as DELETED."""
        self._require(document, "DRAFT", "SUBMITTED")
        document.status = "DELETED"
        self._changed(document, at)

    def void(self, document: Document, *, at: datetime) -> None:
        """Void an approved document: its journals are reversed, dated like the originals."""
        self._require(document, "AUTHORISED")
        if document.paid or document.allocated:
            raise BooksError("This document cannot be voided: it has payments or credits.")
        document.status = "VOIDED"
        self.ledger.reverse(document.document_id, at)
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
    ) -> None:
        """Change a document; an approved one is reversed and posted again, whatever changed.

        A new due date of a part-paid document does not bump UpdatedDateUTC, as in Xero.
        """
        self._require(document, "DRAFT", "SUBMITTED", "AUTHORISED", "PAID")
        only_due_date = lines is None and on is None and reference is None
        if lines is not None:
            if sum((line.net + line.tax for line in lines), ZERO) < document.paid + (
                document.allocated
            ):
                raise BooksError("The new total is less than what was paid and credited.")
            document.lines = tuple(lines)
            document.add_up()
        document.on = on or document.on
        document.due_date = due_date or document.due_date
        document.reference = document.reference if reference is None else reference
        if document.counts:
            self.ledger.reverse(document.document_id, at)
            self._post(document, at)
            self._settle(document)
        if only_due_date and document.paid:
            self._shelving.document(document)
            self._shelving.contact_shows_more(document.contact)
        else:
            self._changed(document, at)

    def allocate(
        self, credit: Document, invoice: Document, *, amount: Decimal, at: datetime, ids: Random
    ) -> Allocation:
        """Apply `amount` of a credit note to a document of the same side, contact and currency."""
        self._require(credit, "AUTHORISED")
        self._require(invoice, "AUTHORISED")
        is_one_side = credit.is_receivable == invoice.is_receivable
        if not is_one_side or not credit.is_credit or invoice.is_credit:
            raise BooksError("A credit note is applied to an invoice of its own side.")
        if credit.currency != invoice.currency or credit.contact is not invoice.contact:
            raise BooksError("A credit note is applied to an invoice of its contact and currency.")
        if not ZERO < amount <= min(credit.due, invoice.due):
            raise BooksError("The amount exceeds the remaining credit or the amount due.")
        on = max(credit.on, invoice.on)
        allocation = Allocation(new_guid(ids), credit, invoice, on, amount)
        credit.allocations.append(allocation)
        invoice.allocations.append(allocation)
        self.ledger.post(
            allocation_postings(self.ledger, allocation),
            on=on,
            created_at=at,
            source_type=credit.type,
            source_id=allocation.allocation_id,
        )
        for document in (credit, invoice):
            self._settle(document)
            self._changed(document, at)
        return allocation

    # Money

    def pay(
        self,
        document: Document,
        amount: Decimal,
        *,
        at: datetime,
        on: date,
        account: Account,
        ids: Random,
        rate: Decimal | None = None,
        reference: str = "",
        is_reconciled: bool = False,
    ) -> Payment:
        """Pay `amount` (document's currency) of an invoice or bill, or refund a credit note.

        `rate` is the day's rate of a foreign document, paid to an account in base currency.
        """
        self._require(document, "AUTHORISED")
        if not ZERO < amount <= document.due:
            raise BooksError(
                "Payment amount exceeds the amount outstanding on this document."
                if amount > 0
                else "Payment amount must be greater than zero."
            )
        if account.type != "BANK" and not account.takes_payments:
            raise BooksError(f"Account {account.code} does not take payments.")
        paid_rate = ONE if document.currency == self.base_currency else rate or document.rate
        payment = Payment(
            payment_id=new_guid(ids),
            document=document,
            account=account,
            on=on,
            amount=amount,
            bank_amount=amount
            if account.currency == document.currency
            else in_base(amount, paid_rate),
            rate=paid_rate,
            created_at=at,
            updated_at=at,
            reference=reference,
            is_reconciled=is_reconciled,
        )
        document.payments.append(payment)
        self.payments[payment.payment_id] = payment
        self.ledger.post(
            payment_postings(self.ledger, payment, self.base_currency),
            on=on,
            created_at=at,
            source_type=PAYMENT_TYPES[document.type],
            source_id=payment.payment_id,
        )
        self._settle(document)
        self._shelving.payment(payment)
        self._changed(document, at)
        return payment

    def delete_payment(self, payment: Payment, *, at: datetime) -> None:
        """Delete a payment: it stays in the list as DELETED, and its document is due again."""
        if payment.status == "DELETED":
            raise BooksError("This payment is already deleted.")
        payment.status = "DELETED"
        payment.updated_at = at
        self.ledger.reverse(payment.payment_id, at)
        self._settle(payment.document)
        self._shelving.payment(payment)
        self._changed(payment.document, at)

    def reconcile(self, payment: Payment, *, at: datetime) -> None:
        """Match a payment with the bank's statement."""
        payment.is_reconciled = True
        payment.updated_at = at
        self._shelving.payment(payment)

    def enter_bank_transaction(self, record: BankTransaction, *, at: datetime) -> BankTransaction:
        """Enter money received or spent."""
        self.bank_transactions[record.transaction_id] = record
        self.ledger.post(
            bank_postings(self.ledger, record),
            on=record.on,
            created_at=at,
            source_type="CASHREC" if record.type == "RECEIVE" else "CASHPAID",
            source_id=record.transaction_id,
        )
        record.updated_at = at
        self._shelving.bank_transaction(record)
        return record

    def delete_bank_transaction(self, record: BankTransaction, *, at: datetime) -> None:
        """Delete money received or spent: it stays in the list as DELETED."""
        if record.status == "DELETED":
            raise BooksError("This bank transaction is already deleted.")
        record.status = "DELETED"
        record.updated_at = at
        self.ledger.reverse(record.transaction_id, at)
        self._shelving.bank_transaction(record)

    # How changes reach ledger and shelves

    def _post(self, document: Document, at: datetime) -> None:
        self.ledger.post(
            document_postings(self.ledger, document),
            on=document.on,
            created_at=at,
            source_type=document.type,
            source_id=document.document_id,
        )

    def _settle(self, document: Document) -> None:
        """Set the status that follows from what is due; nothing to pay at all is paid, too."""
        if document.due:
            document.status, document.fully_paid_on = "AUTHORISED", None
            return
        days = [payment.on for payment in document.payments if payment.status != "DELETED"]
        days += [allocation.on for allocation in document.allocations]
        document.status, document.fully_paid_on = "PAID", max(days, default=document.on)

    def _changed(self, document: Document, at: datetime) -> None:
        document.updated_at = at
        open_documents = document.contact.open_documents
        if document.status == "AUTHORISED" and document.due:
            open_documents[document.document_id] = document
        else:
            open_documents.pop(document.document_id, None)
        self._shelving.document(document)
        self._shelving.contact_shows_more(document.contact)

    def _spell_contact(self, contact: Contact, shape: Shape) -> Body:
        is_light = shape in (Shape.LIST, Shape.SUMMARY)
        balances = None if is_light else spelling_settings.balances(contact, self.today)
        return spelling_settings.contact(contact, shape, balances=balances)

    def _require(self, document: Document, *statuses: str) -> None:
        if document.status not in statuses:
            raise BooksError(f"This cannot be done to a document that is {document.status}.")


_CONTACT_FIELDS = frozenset(
    {
        "account_number",
        "city",
        "country",
        "email",
        "first_name",
        "last_name",
        "name",
        "phone",
        "status",
        "tax_number",
    }
)


_T = TypeVar("_T")


def _found(record: _T | None, kind: str, key: str) -> _T:
    if record is None:
        raise BooksError(f"There is no {kind} {key}.")
    return record
