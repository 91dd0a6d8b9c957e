"""What the books of one organisation hold, and how each change reaches ledger, shelves and notes.

Knows the records by id, their histories and attachments. Must not know which changes are allowed
or what they post; the verbs are in the modules that `books.py` puts together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from xero_sandbox.books.cash import CashBooks
from xero_sandbox.books.countries import Country
from xero_sandbox.books.documents import (
    Allocation,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    Document,
    ExpenseClaim,
    ManualJournal,
    Payment,
    TrackingCategory,
)
from xero_sandbox.books.ledger import Account, Ledger
from xero_sandbox.books.paper_records import (
    Attachment,
    BrandingTheme,
    Budget,
    ContactGroup,
    HistoryNote,
    Item,
    LinkedTransaction,
    PurchaseOrder,
    Quote,
    RepeatingInvoice,
    StaffMember,
)
from xero_sandbox.books.refusals import found
from xero_sandbox.books.stock import Stock
from xero_sandbox.wire.records import Body
from xero_sandbox.wire.shelving import Shelving

_NUMBERED = {
    "ACCREC": "INV",
    "ACCRECCREDIT": "CN",
    "ACCPAYCREDIT": "SCN",
    "QUOTE": "QU",
    "PURCHASEORDER": "PO",
}
_SYSTEM = "System Generated"
# Details as they are kept: a text, or a template and what goes into it once somebody asks.
_Details = str | tuple[object, ...]


class Holdings:
    """Records, ledgers and shelves of one organisation.

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
        self.allocations: dict[str, Allocation] = {}
        self.batch_payments: dict[str, BatchPayment] = {}
        self.bank_transactions: dict[str, BankTransaction] = {}
        self.bank_transfers: dict[str, BankTransfer] = {}
        self.manual_journals: dict[str, ManualJournal] = {}
        self.expense_claims: dict[str, ExpenseClaim] = {}
        # Payment id to claim id.
        self.expense_payments: dict[str, str] = {}
        self.quotes: dict[str, Quote] = {}
        self.purchase_orders: dict[str, PurchaseOrder] = {}
        self.repeating_invoices: dict[str, RepeatingInvoice] = {}
        self.linked_transactions: dict[str, LinkedTransaction] = {}
        self.items: dict[str, Item] = {}
        self.tracking_categories: dict[str, TrackingCategory] = {}
        self.budgets: dict[str, Budget] = {}
        self.contact_groups: dict[str, ContactGroup] = {}
        self.branding_themes: dict[str, BrandingTheme] = {}
        self.staff: dict[str, StaffMember] = {}
        self._shelving = Shelving()
        self.shelves = self._shelving.shelves
        self._stock = Stock(self.items, self._shelving.item)
        self._cash: CashBooks | None = None
        self._notes: list[tuple[str, datetime, str, _Details, str]] = []
        self._attachments: dict[str, list[Attachment]] = {}
        self._names: set[str] = set()
        self._numbers: dict[str, int] = defaultdict(int)
        self._shelving.begin_day(today)
        self._shelving.settings(country, self.currencies)
        for account in accounts:
            self._shelving.account(account)

    # What is there

    @property
    def cash(self) -> Ledger:
        """The cash-basis ledger, as immutable as the other one; caught up when asked for."""
        if self._cash is None:
            self._cash = CashBooks(self)
        return self._cash.caught_up()

    def contact(self, contact_id: str) -> Contact:
        """Return a contact; BooksError when there is none."""
        return found(self.contacts.get(contact_id), "contact", contact_id)

    def document(self, document_id: str) -> Document:
        """Return an invoice, bill or credit of any kind; BooksError when there is none."""
        return found(self.documents.get(document_id), "document", document_id)

    def payment(self, payment_id: str) -> Payment:
        """Return a payment; BooksError when there is none."""
        return found(self.payments.get(payment_id), "payment", payment_id)

    def bank_transaction(self, transaction_id: str) -> BankTransaction:
        """Return money received or spent; BooksError when there is none."""
        record = self.bank_transactions.get(transaction_id)
        return found(record, "bank transaction", transaction_id)

    def account(self, code: str) -> Account:
        """Return the account of a code; BooksError when there is none."""
        return found(self.by_code.get(code), "account", code)

    def system_account(self, name: str) -> Account:
        """Return the account whose SystemAccount is `name`; LedgerError without one."""
        return self.ledger.accounts[self.ledger.system(name)]

    def next_number(self, kind: str) -> str:
        """Return the next number of a sequence, as `INV-0001`; also of QUOTE and PURCHASEORDER."""
        self._numbers[kind] += 1
        return f"{_NUMBERED[kind]}-{self._numbers[kind]:04d}"

    def begin_day(self, today: date) -> None:
        """Let the organisation's own date be `today`: what is overdue may change."""
        if today != self.today:
            self.today = today
            self._shelving.begin_day(today)

    def shelve_organisation(self, tenant_id: str, body: Body) -> None:
        """Let the organisation itself be served as `body`."""
        self._shelving.organisation(tenant_id, body)

    def lock(self, *, period: date | None = None, year_end: date | None = None) -> str:
        """Lock the books up to these days; the organisation's id. Its adviser may change all."""
        dates = {"PeriodLockDate": period, "EndOfYearLockDate": year_end}
        return self._shelving.locked({name: day for name, day in dates.items() if day})

    # What is said about it

    def note(
        self, record_id: str, changes: str, *, at: datetime, details: str = "", user: str = _SYSTEM
    ) -> None:
        """Write a note into the history of a record; it does not bump it."""
        self._notes.append((record_id, at, changes, details, user))

    def history(self, record_id: str) -> list[HistoryNote]:
        """Return what happened to a record, oldest first."""
        return [
            HistoryNote(at, changes, _spoken(details), user)
            for noted, at, changes, details, user in self._notes
            if noted == record_id
        ]

    def attach(self, record_id: str, attachment: Attachment) -> None:
        """Hang a file on a record; that does not bump it."""
        attached = self._attachments.setdefault(record_id, [])
        attached.append(attachment)
        self._shelving.attached(record_id, attached)

    def attachments(self, record_id: str) -> Sequence[Attachment]:
        """Return the files that hang on a record, oldest first."""
        return self._attachments.get(record_id, ())

    # How changes reach shelves and notes

    def _noted(self, record_id: str, changes: str, at: datetime, *details: object) -> None:
        """Note a change; `details` are a template and its values, put together when asked for."""
        self._notes.append((record_id, at, changes, details, _SYSTEM))

    def _changed(self, document: Document, at: datetime) -> None:
        """Bump a document whose state changed, and show it."""
        document.updated_at = at
        self._shown(document)

    def _shown(self, document: Document) -> None:
        """Show a document as it is now, under the stamp it has."""
        open_documents = document.contact.open_documents
        if document.status == "AUTHORISED" and document.due:
            open_documents[document.document_id] = document
        else:
            open_documents.pop(document.document_id, None)
        self._shelving.document(document)
        self._shelving.contact_shows_more(document.contact)

    def _settle(self, document: Document) -> None:
        """Set the status that follows from what is due; nothing to pay at all is paid, too."""
        if document.due:
            document.status, document.fully_paid_on = "AUTHORISED", None
            return
        days = [payment.on for payment in document.payments if payment.status != "DELETED"]
        days += [allocation.on for allocation in document.allocations]
        document.status, document.fully_paid_on = "PAID", max(days, default=document.on)


def _spoken(details: _Details) -> str:
    if isinstance(details, str):
        return details
    return str(details[0]).format(*details[1:]) if details else ""
