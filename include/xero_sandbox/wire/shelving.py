"""The shelves of an organisation's books: which record lies where, under which stamp.

Knows which shelf a record goes to and who spells it. Must not know rules, the ledger or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from xero_sandbox.books.countries import CURRENCY_NAMES, Country
from xero_sandbox.books.documents import (
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    Document,
    ManualJournal,
    Payment,
    TrackingCategory,
)
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.paper_records import (
    Attachment,
    BrandingTheme,
    Budget,
    ContactGroup,
    Item,
    LinkedTransaction,
    PurchaseOrder,
    Quote,
    RepeatingInvoice,
    StaffMember,
)
from xero_sandbox.wire import (
    spelling_contacts,
    spelling_documents,
    spelling_money,
    spelling_papers,
    spelling_settings,
)
from xero_sandbox.wire.records import LONG_AGO, Body, Entry, Shape, Shelf
from xero_sandbox.wire.spelling import Surroundings, document_kind

_SPELLINGS: dict[str, Callable[[Any, Shape, Surroundings], Body]] = {
    "Organisations": lambda body, _, __: body,
    "Currencies": lambda body, _, __: body,
    "TaxRates": spelling_settings.tax_rate,
    "Accounts": spelling_settings.account,
    "Contacts": spelling_contacts.contact,
    "Invoices": spelling_documents.invoice,
    "CreditNotes": spelling_documents.credit_note,
    "Payments": spelling_money.payment,
    "BankTransactions": spelling_money.bank_transaction,
    "Prepayments": spelling_documents.prepayment,
    "Overpayments": spelling_documents.overpayment,
    "BatchPayments": spelling_money.batch_payment,
    "BankTransfers": spelling_money.bank_transfer,
    "ManualJournals": spelling_papers.manual_journal,
    "Quotes": spelling_papers.quote,
    "PurchaseOrders": spelling_papers.purchase_order,
    "RepeatingInvoices": spelling_papers.repeating_invoice,
    "LinkedTransactions": spelling_papers.linked_transaction,
    "Items": spelling_settings.item,
    "Budgets": spelling_papers.budget,
    "ContactGroups": spelling_contacts.contact_group,
    "BrandingThemes": spelling_settings.branding_theme,
    "Users": spelling_settings.user,
    "TrackingCategories": spelling_settings.tracking_category,
}
RESOURCES = tuple(_SPELLINGS)


class Shelving:
    """Puts records on their shelves; a record put again takes the place of its older self."""

    def __init__(self) -> None:
        self.shelves = {resource: Shelf() for resource in RESOURCES}
        self._around = Surroundings()
        self._spell = {
            resource: _speller(spell, self._around) for resource, spell in _SPELLINGS.items()
        }

    # Settings

    def organisation(self, tenant_id: str, body: Body) -> None:
        """Shelve the organisation itself."""
        self._put("Organisations", tenant_id, at=LONG_AGO, record=body)

    def locked(self, until: Mapping[str, date]) -> str:
        """Let the organisation say up to which days it is locked, by Xero's names; its id."""
        [entry] = self.shelves["Organisations"].ordered()
        self.organisation(
            entry.record_id, {**entry.source, **spelling_settings.organisation(until)}
        )
        return entry.record_id

    def settings(self, country: Country, currencies: Sequence[str]) -> None:
        """Shelve tax rates and currencies."""
        for rate in country.tax_rates:
            self._put("TaxRates", rate.tax_type, at=LONG_AGO, record=rate)
        for code in currencies:
            body: Body = {"Code": code, "Description": CURRENCY_NAMES[code]}
            self._put("Currencies", code, at=LONG_AGO, record=body)

    def account(self, record: Account) -> None:
        """Shelve an account; its code and name show wherever it stands."""
        if self.shelves["Accounts"].get(record.account_id) is not None:
            self._forget(RESOURCES)
        self._put("Accounts", record.account_id, at=record.updated_at, record=record)

    def tracking_category(self, record: TrackingCategory) -> None:
        """Shelve a tracking category; its names show wherever something is tracked by it."""
        if self.shelves["TrackingCategories"].get(record.category_id) is not None:
            self._forget(RESOURCES)
        self._put("TrackingCategories", record.category_id, at=LONG_AGO, record=record)

    def branding_theme(self, record: BrandingTheme) -> None:
        """Shelve a branding theme; the first of them is the one that papers have."""
        if not record.sort_order or not self._around.theme_id:
            self._around.theme_id = record.theme_id
            self._forget(RESOURCES)
        self._put("BrandingThemes", record.theme_id, at=record.created_at, record=record)

    def user(self, record: StaffMember) -> None:
        """Shelve a user."""
        self._put("Users", record.user_id, at=record.updated_at, record=record)

    def item(self, record: Item) -> None:
        """Shelve an item."""
        self._put("Items", record.item_id, at=record.updated_at, record=record)

    def budget(self, record: Budget) -> None:
        """Shelve a budget."""
        self._put("Budgets", record.budget_id, at=record.updated_at, record=record)

    # Contacts

    def contact(self, record: Contact) -> None:
        """Shelve a contact; purchase orders show the whole of it."""
        if self.shelves["Contacts"].get(record.contact_id) is not None:
            self._forget(("PurchaseOrders",))
        self._put("Contacts", record.contact_id, at=record.updated_at, record=record)

    def contact_group(self, record: ContactGroup) -> None:
        """Shelve a contact group; its members show it without being bumped."""
        for groups in self._around.groups.values():
            groups.pop(record.group_id, None)
        for member in record.contacts:
            self._around.groups.setdefault(member.contact_id, {})[record.group_id] = record
        self._put("ContactGroups", record.group_id, at=LONG_AGO, record=record)
        self._forget(("Contacts", "PurchaseOrders"))

    def contact_shows_more(self, record: Contact) -> None:
        """Spell a contact anew: its balances changed, which does not bump it."""
        self._forget_one("Contacts", record.contact_id)

    def documents_show_more(self) -> None:
        """Spell documents anew: they show something that changed without bumping them."""
        self._forget(RESOURCES)

    def begin_day(self, today: date) -> None:
        """Let the organisation's own date be `today`: what is overdue may change."""
        self._around.today = today
        self._forget(("Contacts",))

    # Documents and money

    def document(self, record: Document) -> None:
        """Shelve an invoice, bill or credit; its payments and what it is applied to show it."""
        self._put(_shelf_of(record), record.document_id, at=record.updated_at, record=record)
        for payment in record.payments:
            self._forget_one("Payments", payment.payment_id)
        for allocation in record.allocations:
            other = allocation.invoice if record.is_credit else allocation.credit
            self._forget_one(_shelf_of(other), other.document_id)

    def payment(self, record: Payment) -> None:
        """Shelve a payment or refund."""
        self._put("Payments", record.payment_id, at=record.updated_at, record=record)

    def batch_payment(self, record: BatchPayment) -> None:
        """Shelve a batch payment; its payments show it."""
        self._put("BatchPayments", record.batch_id, at=record.updated_at, record=record)
        for payment in record.payments:
            self._forget_one("Payments", payment.payment_id)

    def bank_transaction(self, record: BankTransaction) -> None:
        """Shelve money received or spent."""
        self._put("BankTransactions", record.transaction_id, at=record.updated_at, record=record)

    def bank_transfer(self, record: BankTransfer) -> None:
        """Shelve a transfer: If-Modified-Since goes by its creation."""
        self._put("BankTransfers", record.transfer_id, at=record.created_at, record=record)

    def manual_journal(self, record: ManualJournal) -> None:
        """Shelve a manual journal."""
        self._put("ManualJournals", record.journal_id, at=record.updated_at, record=record)

    # Papers that post nothing

    def quote(self, record: Quote) -> None:
        """Shelve a quote."""
        self._put("Quotes", record.quote_id, at=record.updated_at, record=record)

    def purchase_order(self, record: PurchaseOrder) -> None:
        """Shelve a purchase order."""
        self._put("PurchaseOrders", record.order_id, at=record.updated_at, record=record)

    def repeating_invoice(self, record: RepeatingInvoice) -> None:
        """Shelve a template."""
        self._put("RepeatingInvoices", record.repeating_id, at=LONG_AGO, record=record)

    def linked_transaction(self, record: LinkedTransaction) -> None:
        """Shelve the link of a billable expense."""
        self._put("LinkedTransactions", record.link_id, at=record.updated_at, record=record)

    # Whatever it is

    def attached(self, record_id: str, attachments: Sequence[Attachment]) -> None:
        """Let a record show these attachments; that does not bump it."""
        self._around.attachments[record_id] = attachments
        for shelf in self.shelves.values():
            shown = shelf.get(record_id)
            if shown is not None:
                shown.forget()
                return

    def remove(self, resource: str, record_id: str) -> None:
        """Take a record off its shelf for good; nothing happens when it is not there."""
        self.shelves[resource].remove(record_id)

    def _put(self, resource: str, record_id: str, *, at: datetime, record: Any) -> None:
        entry = Entry(record_id, at, source=record, spell=self._spell[resource])
        self.shelves[resource].put(entry)

    def _forget_one(self, resource: str, record_id: str) -> None:
        shown = self.shelves[resource].get(record_id)
        if shown is not None:
            shown.forget()

    def _forget(self, resources: Sequence[str]) -> None:
        for resource in resources:
            self.shelves[resource].forget()


def _shelf_of(record: Document) -> str:
    return f"{document_kind(record)}s"


def _speller(
    spell: Callable[[Any, Shape, Surroundings], Body], around: Surroundings
) -> Callable[[Any, Shape], Body]:
    return lambda record, shape: spell(record, shape, around)
