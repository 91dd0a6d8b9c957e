"""Lines of documents and their arithmetic; what lines can be tracked by.

Knows how Xero computes the amounts of a line and the totals of some. Must not know documents, the
ledger, JSON or time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ZERO, cents


@dataclass(slots=True, eq=False)
class TrackingOption:
    """One option of a tracking category; renaming or archiving it shows wherever it stands."""

    option_id: str
    name: str
    category: TrackingCategory
    status: str = "ACTIVE"


@dataclass(slots=True, eq=False)
class TrackingCategory:
    """What lines can be tracked by, such as Region; Xero allows two active ones."""

    category_id: str
    name: str
    options: list[TrackingOption] = field(default_factory=list, repr=False)
    status: str = "ACTIVE"


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
    tracking: tuple[TrackingOption, ...] = ()


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
    tracking: tuple[TrackingOption, ...] = (),
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
        discount_rate, tracking,
    )  # fmt: skip


def totals(lines: Sequence[Line]) -> tuple[Decimal, Decimal, Decimal]:
    """Return sub total, tax and total of the lines."""
    net = tax = ZERO
    for line in lines:
        net += line.net
        tax += line.tax
    return net, tax, net + tax
