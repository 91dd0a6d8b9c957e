"""The shelves of an organisation's books: which record lies where, under which stamp.

Knows which shelf a record goes to and who spells it. Must not know rules, the ledger or HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xero_sandbox import spelling, spelling_settings
from xero_sandbox.chart import CURRENCY_NAMES, Country
from xero_sandbox.documents import BankTransaction, Contact, Document, Payment
from xero_sandbox.ledger import Account
from xero_sandbox.records import LONG_AGO, Body, Entry, Shape, Shelf

RESOURCES = (
    "Organisations",
    "Currencies",
    "TaxRates",
    "Accounts",
    "Contacts",
    "Invoices",
    "CreditNotes",
    "Payments",
    "BankTransactions",
)
_WITH_CONTACTS = ("Invoices", "CreditNotes", "Payments", "BankTransactions")


class Shelving:
    """Puts records on their shelves; a record put again takes the place of its older self."""

    def __init__(self) -> None:
        self.shelves = {resource: Shelf() for resource in RESOURCES}

    def organisation(self, tenant_id: str, body: Body) -> None:
        """Shelve the organisation itself."""
        self._put("Organisations", Entry(tenant_id, LONG_AGO, source=body, spell=_as_is))

    def settings(self, country: Country, currencies: Sequence[str]) -> None:
        """Shelve tax rates and currencies."""
        for rate in country.tax_rates:
            entry = Entry(rate.tax_type, LONG_AGO, source=rate, spell=spelling_settings.tax_rate)
            self._put("TaxRates", entry)
        for code in currencies:
            body: Body = {"Code": code, "Description": CURRENCY_NAMES[code]}
            self._put("Currencies", Entry(code, LONG_AGO, source=body, spell=_as_is))

    def account(self, record: Account) -> None:
        """Shelve an account."""
        entry = Entry(
            record.account_id, record.updated_at, source=record, spell=spelling_settings.account
        )
        self._put("Accounts", entry)

    def contact(self, record: Contact, spell: Callable[[Contact, Shape], Body]) -> None:
        """Shelve a contact."""
        entry = Entry(record.contact_id, record.updated_at, source=record, spell=spell)
        self._put("Contacts", entry)

    def document(self, record: Document) -> None:
        """Shelve an invoice, bill or credit note."""
        spell = spelling.credit_note if record.is_credit else spelling.invoice
        entry = Entry(record.document_id, record.updated_at, source=record, spell=spell)
        self._put("CreditNotes" if record.is_credit else "Invoices", entry)

    def payment(self, record: Payment) -> None:
        """Shelve a payment or refund."""
        entry = Entry(record.payment_id, record.updated_at, source=record, spell=spelling.payment)
        self._put("Payments", entry)

    def bank_transaction(self, record: BankTransaction) -> None:
        """Shelve money received or spent."""
        entry = Entry(
            record.transaction_id,
            record.updated_at,
            source=record,
            spell=spelling.bank_transaction,
        )
        self._put("BankTransactions", entry)

    def contact_shows_more(self, record: Contact) -> None:
        """Spell a contact anew: its balances changed, which does not bump it."""
        shown = self.shelves["Contacts"].get(record.contact_id)
        if shown is not None:
            shown.forget()

    def documents_show_more(self) -> None:
        """Spell documents anew: they show something that changed without bumping them."""
        for resource in _WITH_CONTACTS:
            self.shelves[resource].forget()

    def _put(self, resource: str, entry: Entry) -> None:
        self.shelves[resource].put(entry)


def _as_is(body: Body, _: Shape) -> Body:
    return body
