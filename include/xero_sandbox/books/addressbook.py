"""Contacts and their groups; the accounts of the chart.

Knows what may be changed of them, and what shows it. Must not know what is posted, clocks or HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from xero_sandbox.books.documents import Contact
from xero_sandbox.books.holdings import Holdings
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.paper_records import ContactGroup, PurchaseOrder, Quote
from xero_sandbox.books.refusals import BooksError

_CONTACT_FIELDS = frozenset(
    {
        "account_number",
        "bank_account_details",
        "city",
        "contact_number",
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
_CONTACT_STATUSES = ("ACTIVE", "ARCHIVED", "GDPRREQUEST")
_ACCOUNT_FIELDS = frozenset(("name", "code", "description", "status"))


class AddressBook(Holdings):
    """What can be done to contacts, contact groups and accounts."""

    def add_contact(self, contact: Contact) -> Contact:
        """Add a contact. Raises BooksError when another one has the name, as Xero does."""
        self._claim_name(contact.name.casefold(), contact.name)
        self.contacts[contact.contact_id] = contact
        self._noted(contact.contact_id, "Created", contact.created_at)
        self._shelving.contact(contact)
        return contact

    def edit_contact(self, contact: Contact, *, at: datetime, **changes: str) -> None:
        """Change fields of a contact: name, email, phone, status, …; bumps UpdatedDateUTC."""
        for name in changes:
            if name not in _CONTACT_FIELDS:
                raise BooksError(f"A contact has no field {name} that can be edited.")
        status = changes.get("status", contact.status)
        if status not in _CONTACT_STATUSES:
            raise BooksError(f"A contact is one of {', '.join(_CONTACT_STATUSES)}, not {status}.")
        new_name = changes.get("name", contact.name).casefold()
        if new_name != contact.name.casefold():
            self._claim_name(new_name, changes["name"])
        for name, value in changes.items():
            setattr(contact, name, value)
        contact.updated_at = at
        self._noted(contact.contact_id, "Edited", at)
        self._shelving.contact(contact)
        if "name" in changes:
            # Documents show their contact's name without being bumped by its change.
            self._shelving.documents_show_more()

    def merge_contact(self, contact: Contact, into: Contact, *, at: datetime) -> None:
        """Merge a contact into another: it is archived, and everything it had is the other's."""
        if contact is into or contact.merged_to or into.merged_to:
            raise BooksError("A contact is merged into another one that stands.")
        for document in self.documents.values():
            if document.contact is contact:
                document.contact, document.updated_at = into, at
                self._shelving.document(document)
        for record in self.bank_transactions.values():
            if record.contact is contact:
                record.contact, record.updated_at = into, at
                self._shelving.bank_transaction(record)
        self._merge_papers(contact, into, at=at)
        into.open_documents |= contact.open_documents
        contact.open_documents = {}
        into.is_customer |= contact.is_customer
        into.is_supplier |= contact.is_supplier
        contact.status, contact.merged_to, contact.updated_at = "ARCHIVED", into.contact_id, at
        self._noted(contact.contact_id, "Merged", at, "Merged into {}.", into.name)
        self._shelving.contact(contact)
        self._shelving.contact_shows_more(into)
        self._shelving.documents_show_more()

    def add_contact_group(self, group: ContactGroup) -> ContactGroup:
        """Add a contact group, or show what changed of it."""
        self.contact_groups[group.group_id] = group
        self._shelving.contact_group(group)
        return group

    def add_account(self, account: Account) -> Account:
        """Add an account to the chart. Raises BooksError when its code is taken."""
        if account.code in self.by_code:
            raise BooksError(f"The account code {account.code} is already used.")
        if account.currency not in ("", *self.currencies):
            raise BooksError(f"The organisation does not use {account.currency}.")
        self.by_code[account.code] = account
        self.ledger.add_account(account)
        self._shelving.account(account)
        return account

    def edit_account(self, account: Account, *, at: datetime, **changes: str) -> Account:
        """Change name, code, description or status of an account; bumps UpdatedDateUTC.

        Documents show the new code and name without being bumped.
        """
        if not changes.keys() <= _ACCOUNT_FIELDS:
            raise BooksError("Of an account, name, code, description and status can be edited.")
        code = changes.get("code", account.code)
        if code != account.code and code in self.by_code:
            raise BooksError(f"The account code {code} is already used.")
        if code != account.code:
            del self.by_code[account.code]
        for name, value in changes.items():
            setattr(account, name, value)
        account.updated_at = at
        self.by_code[code] = account
        self._shelving.account(account)
        return account

    def delete_account(self, account: Account) -> None:
        """Delete an account that nothing was ever posted on: it is gone."""
        if account.system or self.ledger.has_postings(account.account_id):
            raise BooksError(f"Account {account.code} is in use: it can only be archived.")
        del self.by_code[account.code]
        del self.ledger.accounts[account.account_id]
        self._shelving.remove("Accounts", account.account_id)

    def _claim_name(self, folded: str, name: str) -> None:
        if folded in self._names:
            raise BooksError(f"The contact name {name} is already assigned.")
        self._names.add(folded)

    def _merge_papers(self, contact: Contact, into: Contact, *, at: datetime) -> None:
        papers: Iterable[Quote | PurchaseOrder] = (
            *self.quotes.values(),
            *self.purchase_orders.values(),
        )
        for paper in papers:
            if paper.contact is contact:
                paper.contact, paper.updated_at = into, at
                if isinstance(paper, Quote):
                    self._shelving.quote(paper)
                else:
                    self._shelving.purchase_order(paper)
        for template in self.repeating_invoices.values():
            if template.contact is contact:
                template.contact = into
                self._shelving.repeating_invoice(template)
