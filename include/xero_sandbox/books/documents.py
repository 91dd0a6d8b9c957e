"""The documents that post, and what is still due of them.

Knows how Xero computes an amount due. Must not know the ledger, JSON, time or how a business
behaves. Documents change only through `books.py`; those that post nothing are in `paperwork.py`.
Lines (`lines.py`), contacts (`contacts.py`) and what is written by hand (`manual.py`) can be had
from here, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from xero_sandbox.books.contacts import Contact, ContactPerson, PaymentTerm
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.lines import Line, TrackingCategory, TrackingOption, compute_line, totals
from xero_sandbox.books.manual import ExpenseClaim, JournalLine, ManualJournal
from xero_sandbox.books.money import ONE, ZERO

__all__ = [
    "CONTROL_SIGNS",
    "CREDIT_NOTE_TYPES",
    "CREDIT_TYPES",
    "OVERPAYMENT_TYPES",
    "PAYMENT_TYPES",
    "PREPAYMENT_TYPES",
    "RECEIVABLE_TYPES",
    "Allocation",
    "BankTransaction",
    "BankTransfer",
    "BatchPayment",
    "Contact",
    "ContactPerson",
    "Document",
    "ExpenseClaim",
    "JournalLine",
    "Line",
    "ManualJournal",
    "Payment",
    "PaymentTerm",
    "TrackingCategory",
    "TrackingOption",
    "compute_line",
    "totals",
]

CREDIT_NOTE_TYPES = ("ACCRECCREDIT", "ACCPAYCREDIT")
PREPAYMENT_TYPES = ("RECEIVE-PREPAYMENT", "SPEND-PREPAYMENT")
OVERPAYMENT_TYPES = ("RECEIVE-OVERPAYMENT", "SPEND-OVERPAYMENT")
CREDIT_TYPES = (*CREDIT_NOTE_TYPES, *PREPAYMENT_TYPES, *OVERPAYMENT_TYPES)
RECEIVABLE_TYPES = ("ACCREC", "ACCRECCREDIT", "RECEIVE-PREPAYMENT", "RECEIVE-OVERPAYMENT")
PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENTPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENTPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
}
# What the control account (the bank account, for money) gets from the whole: debit +1, credit -1.
# A prepayment gives it nothing of its own; its sign is that of what its allocations take back.
CONTROL_SIGNS = {
    "ACCREC": 1,
    "ACCPAYCREDIT": 1,
    "SPEND-PREPAYMENT": 1,
    "SPEND-OVERPAYMENT": 1,
    "RECEIVE": 1,
    "ACCPAY": -1,
    "SPEND": -1,
    "ACCRECCREDIT": -1,
    "RECEIVE-PREPAYMENT": -1,
    "RECEIVE-OVERPAYMENT": -1,
}


@dataclass(slots=True, eq=False)
class Document:
    """An invoice, bill, credit note, prepayment or overpayment of either side; `type` says which.

    `on` is its business date. `rate` is foreign units per one unit of base currency, 1 for the
    base currency itself. `rounding` is what the total that somebody typed has more than the lines.
    A prepayment or overpayment came with a bank transaction, which has the
    same lines and total; its allocations and refunds are its own.
    """

    document_id: str
    type: str
    number: str
    contact: Contact
    on: date
    due_date: date
    line_kind: str
    lines: tuple[Line, ...]
    currency: str
    created_at: datetime
    updated_at: datetime
    rate: Decimal = ONE
    reference: str = ""
    status: str = "AUTHORISED"
    is_sent: bool = False
    expected_payment_date: date | None = None
    planned_payment_date: date | None = None
    fully_paid_on: date | None = None
    payments: list[Payment] = field(default_factory=list, repr=False)
    allocations: list[Allocation] = field(default_factory=list, repr=False)
    sub_total: Decimal = ZERO
    total_tax: Decimal = ZERO
    total: Decimal = ZERO
    rounding: Decimal = ZERO
    bank_transaction: BankTransaction | None = field(default=None, repr=False)
    # The template that wrote it, of `paperwork.py`.
    repeating_id: str = ""

    def __post_init__(self) -> None:
        self.add_up()

    def add_up(self) -> None:
        """Compute the totals from the lines."""
        self.sub_total, self.total_tax, written = totals(self.lines)
        self.total = written + self.rounding if self.rounding else written

    @property
    def is_credit(self) -> bool:
        """Whether it can be applied to invoices: a credit note, prepayment or overpayment."""
        return self.type in CREDIT_TYPES

    @property
    def is_receivable(self) -> bool:
        """Whether it belongs to sales (else to purchases)."""
        return self.type in RECEIVABLE_TYPES

    @property
    def counts(self) -> bool:
        """Whether it is approved, and so part of the ledger."""
        return self.status in ("AUTHORISED", "PAID")

    @property
    def paid(self) -> Decimal:
        """Sum of the payments that stand; for a credit note, of the refunds."""
        return sum((p.amount for p in self.payments if p.status != "DELETED"), ZERO)

    @property
    def allocated(self) -> Decimal:
        """Sum of the credit applied to it, or, for a credit note, given by it."""
        return sum((allocation.amount for allocation in self.allocations), ZERO)

    @property
    def due(self) -> Decimal:
        """What is still to be paid; for a credit note the remaining credit."""
        if self.status in ("VOIDED", "DELETED"):
            return ZERO
        if not self.payments and not self.allocations:
            return self.total
        return self.total - self.paid - self.allocated

    def due_on(self, day: date) -> Decimal:
        """What was due at the end of `day` by the dates of document, payments and allocations."""
        if not self.counts or self.on > day:
            return ZERO
        paid = (p.amount for p in self.payments if p.status != "DELETED" and p.on <= day)
        allocated = (a.amount for a in self.allocations if a.on <= day)
        return self.total - sum(paid, ZERO) - sum(allocated, ZERO)


@dataclass(slots=True, eq=False)
class Payment:
    """Money for a document; `amount` in the document's currency, `bank_amount` in the account's."""

    payment_id: str
    document: Document
    account: Account
    on: date
    amount: Decimal
    bank_amount: Decimal
    rate: Decimal
    created_at: datetime
    updated_at: datetime
    reference: str = ""
    status: str = "AUTHORISED"
    is_reconciled: bool = False
    batch: BatchPayment | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class BatchPayment:
    """Several payments that the bank saw as one; posts nothing of its own."""

    batch_id: str
    type: str
    account: Account
    on: date
    payments: tuple[Payment, ...]
    created_at: datetime
    updated_at: datetime
    reference: str = ""
    status: str = "AUTHORISED"
    is_reconciled: bool = False

    @property
    def total(self) -> Decimal:
        """What the bank saw, in the account's currency."""
        return sum((payment.bank_amount for payment in self.payments), ZERO)


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Credit of one document applied to another, dated with the later of the two."""

    allocation_id: str
    credit: Document
    invoice: Document
    on: date
    amount: Decimal


@dataclass(slots=True, eq=False)
class BankTransaction:
    """Money received or spent without an invoice; `type` is Xero's.

    RECEIVE, SPEND, and each of them with -PREPAYMENT, -OVERPAYMENT (`credit` is what became of
    it) or -TRANSFER (`transfer` is what it is a leg of; the leg itself posts nothing, and it
    has no contact).
    """

    transaction_id: str
    type: str
    contact: Contact | None
    account: Account
    on: date
    line_kind: str
    lines: tuple[Line, ...]
    currency: str
    created_at: datetime
    updated_at: datetime
    rate: Decimal = ONE
    reference: str = ""
    status: str = "AUTHORISED"
    is_reconciled: bool = False
    sub_total: Decimal = ZERO
    total_tax: Decimal = ZERO
    total: Decimal = ZERO
    credit: Document | None = field(default=None, repr=False)
    transfer: BankTransfer | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.sub_total, self.total_tax, self.total = totals(self.lines)

    @property
    def is_receipt(self) -> bool:
        """Whether money came in (else it went out)."""
        return self.type.startswith("RECEIVE")


@dataclass(slots=True, eq=False)
class BankTransfer:
    """Money moved between two own accounts; `amount` in the currency of the first.

    `to_amount` in the currency of the second. Each leg is a bank transaction, too. A deleted one
    is listed only when asked for; nothing it does has an UpdatedDateUTC.
    """

    transfer_id: str
    from_account: Account
    to_account: Account
    on: date
    amount: Decimal
    to_amount: Decimal
    created_at: datetime
    rate: Decimal = ONE
    reference: str = ""
    status: str = "AUTHORISED"
    from_is_reconciled: bool = False
    to_is_reconciled: bool = False
    from_leg: BankTransaction | None = None
    to_leg: BankTransaction | None = None
    tracking: tuple[TrackingOption, ...] = ()
