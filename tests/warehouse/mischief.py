"""What people do to the books of a living organisation, drawn from a seed.

For tests alone: edits, voids, deletions, merges, archived and forgotten records, changes that move
no stamp, changes dated back. Every deed goes through the sandbox's control door; one that Xero's
rules refuse is tried with another record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

Records = Mapping[str, Any]
Told = Mapping[str, Records]
Fields = dict[str, Any]
Act = Callable[..., Any]

_MOST_TRIES = 6
_BEFORE = timedelta(days=40)


class Mischief:
    """Does a few deeds a day; `done` counts those that the books took, by the name of the deed."""

    def __init__(self, seed: int, act: Act) -> None:
        self.random = Random(seed)
        self.done: Counter[str] = Counter()
        self._act = act
        self._number = 0
        self._waiting: list[str] = []

    def spend_a_day(self, told: Told, day: date, *, deeds: int) -> None:
        """Do so many deeds; each comes once before any comes again."""
        for _ in range(deeds):
            if not self._waiting:
                self._waiting = self.random.sample(list(DEEDS), len(DEEDS))
            self._do(self._waiting.pop(), told, day)

    def _do(self, name: str, told: Told, day: date) -> None:
        action, choices = DEEDS[name]
        for tries, fields in enumerate(choices(self, told, day)):
            if tries == _MOST_TRIES:
                return
            try:
                self._act(action, **fields)
            except ValueError as refused:
                # The books' own refusal; anything else is a fault of the sandbox.
                if ": 400 " not in str(refused):
                    raise
            else:
                self.done[name] += 1
                return

    def name(self, kind: str) -> str:
        """A name that nothing has yet."""
        self._number += 1
        return f"{kind} {self._number}"

    def some(self, records: Records, **having: Any) -> list[Any]:
        """Records with these values, in an order of chance."""
        fitting = [
            each
            for each in records.values()
            if all(each.get(field) == value for field, value in having.items())
        ]
        return self.random.sample(fitting, len(fitting))


Choices = Callable[[Mischief, Told, date], Iterator[Fields]]


def _of(
    endpoint: str, id_field: str, *, key: str = "id", where: Any = None, **more: Any
) -> Choices:
    """Any record of an endpoint, with more fields; one that is callable makes its value."""

    def choices(mischief: Mischief, told: Told, day: date) -> Iterator[Fields]:
        for record in mischief.some(told[endpoint], **(where or {})):
            made = {
                name: value(mischief, day) if callable(value) else value
                for name, value in more.items()
            }
            yield {key: record[id_field], **made}

    return choices


def _new(**fields: Any) -> Choices:
    """A new record of these fields; one that is callable makes its value."""

    def choices(mischief: Mischief, told: Told, day: date) -> Iterator[Fields]:
        yield {
            name: value(mischief, day) if callable(value) else value
            for name, value in fields.items()
        }

    return choices


def _named(kind: str) -> Callable[[Mischief, date], str]:
    return lambda mischief, _: mischief.name(kind)


def _amount(mischief: Mischief, _: date) -> str:
    return f"{mischief.random.randint(100, 99_999) / 100:.2f}"


def _earlier(_: Mischief, day: date) -> str:
    return (day - _BEFORE).isoformat()


def _later(mischief: Mischief, day: date) -> str:
    return (day + timedelta(days=mischief.random.randint(20, 90))).isoformat()


def _merge(mischief: Mischief, told: Told, _: date) -> Iterator[Fields]:
    active = mischief.some(told["contacts"], ContactStatus="ACTIVE")
    for gone, stays in pairwise(active):
        yield {"id": gone["ContactID"], "into": stays["ContactID"]}


def _part_paid(mischief: Mischief, told: Told, day: date) -> Iterator[Fields]:
    for each in mischief.some(told["invoices"], Status="PAID"):
        yield {"id": each["InvoiceID"], "due_date": _later(mischief, day)}


def _allocate(mischief: Mischief, told: Told, _: date) -> Iterator[Fields]:
    for note in mischief.some(told["credit_notes"], Status="AUTHORISED"):
        for invoice in mischief.some(told["invoices"], Status="AUTHORISED")[:2]:
            yield {"id": note["CreditNoteID"], "invoice_id": invoice["InvoiceID"], "amount": "0.01"}


def _pay_batch(mischief: Mischief, told: Told, _: date) -> Iterator[Fields]:
    bills = mischief.some(told["invoices"], Status="AUTHORISED", Type="ACCPAY", CurrencyCode="NZD")
    for one, other in pairwise(bills):
        yield {"payments": [{"id": one["InvoiceID"]}, {"id": other["InvoiceID"]}]}


def _option(**more: Any) -> Choices:
    def choices(mischief: Mischief, told: Told, day: date) -> Iterator[Fields]:
        for category in mischief.some(told["tracking_categories"], Status="ACTIVE"):
            for option in category["Options"]:
                made = {name: value(mischief, day) for name, value in more.items()}
                yield {"option": option["TrackingOptionID"], **made}

    return choices


_BALANCED = [
    {"account_code": "400", "amount": "12.50"},
    {"account_code": "404", "amount": "-12.50"},
]

# By name: the action of the control door, and the fields to try it with, one after another.
DEEDS: Mapping[str, tuple[str, Choices]] = {
    "contact made": ("create_contact", _new(name=_named("Somebody"))),
    "contact renamed": ("edit_contact", _of("contacts", "ContactID", name=_named("Renamed"))),
    "contact moved": ("edit_contact", _of("contacts", "ContactID", city=_named("Town"))),
    "contact archived": (
        "archive_contact",
        _of("contacts", "ContactID", where={"ContactStatus": "ACTIVE"}),
    ),
    "contact forgotten": (
        "forget_contact",
        _of("contacts", "ContactID", where={"ContactStatus": "ARCHIVED"}),
    ),
    "contacts merged": ("merge_contact", _merge),
    "group made": ("create_contact_group", _new(name=_named("Group"))),
    "account made": ("create_account", _new(code=_named("N"), name=_named("Account"))),
    "account renamed": ("edit_account", _of("accounts", "AccountID", name=_named("Account"))),
    "account recoded": (
        "edit_account",
        _of("accounts", "AccountID", where={"Type": "EXPENSE"}, new_code=_named("C")),
    ),
    "account deleted": (
        "delete_account",
        _of("accounts", "AccountID", where={"Class": "EXPENSE", "SystemAccount": None}),
    ),
    "note added": ("add_note", _of("invoices", "InvoiceID", details="They will pay on Friday.")),
    "file attached": ("attach", _of("invoices", "InvoiceID", file_name="receipt.png")),
    "invoice dated back": ("create_invoice", _new(amount=_amount, date=_earlier)),
    "draft made": ("create_invoice", _new(amount=_amount, status="DRAFT")),
    "draft deleted": ("delete_draft", _of("invoices", "InvoiceID", where={"Status": "DRAFT"})),
    "invoice changed": ("edit_invoice", _of("invoices", "InvoiceID", amount=_amount)),
    "invoice redated": ("edit_invoice", _of("invoices", "InvoiceID", date=_earlier)),
    "due date of a paid one moved": ("edit_invoice", _part_paid),
    "invoice recoded": ("recode", _of("invoices", "InvoiceID", account_code="260")),
    "invoice voided": ("void", _of("invoices", "InvoiceID", where={"Status": "AUTHORISED"})),
    "credit note made": ("create_credit_note", _new(amount=_amount)),
    "credit applied": ("allocate", _allocate),
    "invoice paid": ("pay", _of("invoices", "InvoiceID", where={"Status": "AUTHORISED"})),
    "payment deleted": ("delete_payment", _of("payments", "PaymentID")),
    "batch paid": ("pay_batch", _pay_batch),
    "batch deleted": ("delete_batch", _of("batch_payments", "BatchPaymentID")),
    "prepayment made": ("create_prepayment", _new(amount=_amount)),
    "overpayment made": ("create_overpayment", _new(amount=_amount)),
    "bank transaction dated back": ("create_bank_transaction", _new(amount=_amount, date=_earlier)),
    "bank transaction changed": (
        "edit_bank_transaction",
        _of("bank_transactions", "BankTransactionID", amount=_amount),
    ),
    "bank transaction deleted": (
        "delete_bank_transaction",
        _of("bank_transactions", "BankTransactionID"),
    ),
    "bank transaction reconciled": (
        "reconcile",
        _of("bank_transactions", "BankTransactionID", where={"IsReconciled": False}),
    ),
    "money moved": ("transfer", _new(amount=_amount)),
    "transfer deleted": ("delete_transfer", _of("bank_transfers", "BankTransferID")),
    "journal written": ("create_manual_journal", _new(lines=_BALANCED, date=_earlier)),
    "journal changed": (
        "edit_manual_journal",
        _of("manual_journals", "ManualJournalID", narration=_named("Correction")),
    ),
    "journal voided": (
        "void_manual_journal",
        _of("manual_journals", "ManualJournalID", where={"Status": "POSTED"}),
    ),
    "quote made": ("create_quote", _new(amount=_amount)),
    "quote changed": ("edit_quote", _of("quotes", "QuoteID", reference=_named("Offer"))),
    "order made": ("create_purchase_order", _new(amount=_amount)),
    "order changed": (
        "edit_purchase_order",
        _of("purchase_orders", "PurchaseOrderID", reference=_named("Order")),
    ),
    "template made": ("create_repeating_invoice", _new(amount=_amount)),
    "bill charged on": (
        "link_transaction",
        _of("invoices", "InvoiceID", where={"Type": "ACCPAY"}),
    ),
    "link deleted": ("delete_link", _of("linked_transactions", "LinkedTransactionID")),
    "item made": ("create_item", _new(code=_named("I"), sale_price="19.9999")),
    "item changed": ("edit_item", _of("items", "Code", key="code", sale_price=_amount)),
    "item deleted": ("delete_item", _of("items", "Code", key="code")),
    "option renamed": ("rename_option", _option(name=_named("Option"))),
    "option archived": ("archive_option", _option()),
    "budget made": ("create_budget", _new(amounts={"400": "100.00"}, description=_named("Plan"))),
    "theme made": ("create_branding_theme", _new(name=_named("Theme"))),
    "user let in": (
        "create_user",
        _new(first_name="Ann", last_name=_named("Other"), email="ann@example.com"),
    ),
}
