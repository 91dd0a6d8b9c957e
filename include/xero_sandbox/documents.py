"""The documents of an organisation and their arithmetic: lines, tax, totals, what is still due.

Knows how Xero computes a line, a total and an amount due. Must not know the ledger, JSON, time or
how a business behaves. Documents change only through `books.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from xero_sandbox.ledger import Account
from xero_sandbox.money import ONE, ZERO, cents

RECEIVABLE_TYPES = ("ACCREC", "ACCRECCREDIT")
CREDIT_TYPES = ("ACCRECCREDIT", "ACCPAYCREDIT")
# What the control account (or the bank) gets from the whole document: debit +1, credit -1.
CONTROL_SIGNS = {
    "ACCREC": 1,
    "ACCPAYCREDIT": 1,
    "RECEIVE": 1,
    "ACCPAY": -1,
    "ACCRECCREDIT": -1,
    "SPEND": -1,
}


@dataclass(slots=True)
class Contact:
    """A customer or supplier; `open_documents` are those of it that still have something due."""

    contact_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    city: str = ""
    country: str = ""
    account_number: str = ""
    tax_number: str = ""
    currency: str = ""
    status: str = "ACTIVE"
    is_customer: bool = False
    is_supplier: bool = False
    open_documents: dict[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One line; amounts in the document's currency, `net` without tax, `price` up to 4 places."""

    line_id: str
    description: str
    quantity: Decimal
    price: Decimal
    account: Account
    tax_type: str
    amount: Decimal
    tax: Decimal
    net: Decimal
    item_code: str = ""
    discount_rate: Decimal = ZERO


def compute_line(
    line_id: str,
    *,
    kind: str,
    quantity: Decimal,
    price: Decimal,
    account: Account,
    tax_type: str,
    tax_rate: Decimal,
    description: str = "",
    item_code: str = "",
    discount_rate: Decimal = ZERO,
) -> Line:
    """Return the line with its amounts; `kind` is Exclusive, Inclusive or NoTax.

    `tax_rate` is a percentage. Tax is rounded per line, half away from zero; the line's amount is
    after discount and contains the tax when the kind is Inclusive.
    """
    amount = cents(quantity * price * (100 - discount_rate) / 100)
    if kind == "NoTax" or not tax_rate:
        tax = ZERO
    elif kind == "Inclusive":
        tax = cents(amount * tax_rate / (100 + tax_rate))
    else:
        tax = cents(amount * tax_rate / 100)
    net = amount - tax if kind == "Inclusive" else amount
    return Line(
        line_id, description, quantity, price, account, tax_type, amount, tax, net, item_code,
        discount_rate,
    )  # fmt: skip


@dataclass(slots=True)
class Document:
    """An invoice, a bill or a credit note of either side; `type` says which.

    `on` is its business date. `rate` is foreign units per one unit of base currency, 1 for the
    base currency itself.
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
    payments: list[Payment] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)
    sub_total: Decimal = ZERO
    total_tax: Decimal = ZERO
    total: Decimal = ZERO

    def __post_init__(self) -> None:
        self.add_up()

    def add_up(self) -> None:
        """Compute the totals from the lines."""
        self.sub_total, self.total_tax, self.total = totals(self.lines)

    @property
    def is_credit(self) -> bool:
        """Whether this is a credit note."""
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
        return self.total - self.paid - self.allocated

    def due_on(self, day: date) -> Decimal:
        """What was due at the end of `day` by the dates of document, payments and allocations."""
        if not self.counts or self.on > day:
            return ZERO
        paid = (p.amount for p in self.payments if p.status != "DELETED" and p.on <= day)
        allocated = (a.amount for a in self.allocations if a.on <= day)
        return self.total - sum(paid, ZERO) - sum(allocated, ZERO)


@dataclass(slots=True)
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


@dataclass(frozen=True, slots=True)
class Allocation:
    """Credit of one document applied to another, dated with the later of the two."""

    allocation_id: str
    credit: Document
    invoice: Document
    on: date
    amount: Decimal


@dataclass(slots=True)
class BankTransaction:
    """Money received or spent without an invoice."""

    transaction_id: str
    type: str
    contact: Contact
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

    def __post_init__(self) -> None:
        self.sub_total, self.total_tax, self.total = totals(self.lines)


def totals(lines: Sequence[Line]) -> tuple[Decimal, Decimal, Decimal]:
    """Return sub total, tax and total of the lines."""
    net = sum((line.net for line in lines), ZERO)
    tax = sum((line.tax for line in lines), ZERO)
    return net, tax, net + tax
