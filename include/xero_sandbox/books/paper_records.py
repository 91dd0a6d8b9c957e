"""Papers that post nothing: quotes, purchase orders, templates, links, budgets, items and notes.

Knows what they hold. Must not know the ledger, JSON, time or how a business behaves. They change
only through `books.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from xero_sandbox.books.documents import Contact, Line, TrackingOption, totals
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ONE, ZERO


@dataclass(slots=True, eq=False, kw_only=True)
class Proposal:
    """What a quote and a purchase order have in common: lines that are not posted yet."""

    number: str
    contact: Contact
    on: date
    line_kind: str
    lines: tuple[Line, ...]
    currency: str
    created_at: datetime
    updated_at: datetime
    rate: Decimal = ONE
    status: str = "DRAFT"
    reference: str = ""

    @property
    def total(self) -> Decimal:
        """Sum of its lines with tax."""
        return totals(self.lines)[2]


@dataclass(slots=True, eq=False, kw_only=True)
class Quote(Proposal):
    """An offer to a customer: DRAFT, SENT, ACCEPTED, DECLINED, INVOICED or DELETED."""

    quote_id: str
    expiry_date: date
    title: str = ""
    summary: str = ""
    terms: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class PurchaseOrder(Proposal):
    """An order to a supplier: DRAFT, SUBMITTED, AUTHORISED, BILLED or DELETED."""

    order_id: str
    delivery_date: date | None
    is_sent: bool = False
    bill_id: str = ""


@dataclass(slots=True, eq=False)
class RepeatingInvoice:
    """A template of invoices (ACCREC) or bills (ACCPAY); every `period` `unit` it writes one."""

    repeating_id: str
    type: str
    contact: Contact
    line_kind: str
    lines: tuple[Line, ...]
    currency: str
    start_date: date
    next_date: date
    period: int
    unit: str
    due_date_days: int
    status: str = "AUTHORISED"
    reference: str = ""
    end_date: date | None = None


@dataclass(slots=True, eq=False)
class LinkedTransaction:
    """A line of a bill that is charged on to a customer: a billable expense."""

    link_id: str
    source_id: str
    source_line_id: str
    contact: Contact | None
    updated_at: datetime
    status: str = "APPROVED"
    source_type: str = "ACCPAY"
    target_id: str = ""
    target_line_id: str = ""


@dataclass(slots=True, eq=False)
class Item:
    """Something sold or bought; a tracked one has stock at average cost.

    `quantity` and `cost_pool` (base currency) are those of a tracked item as the books stand.
    """

    item_id: str
    code: str
    name: str
    updated_at: datetime
    description: str = ""
    purchase_description: str = ""
    sale_price: Decimal | None = None
    sale_account: Account | None = None
    sale_tax_type: str = ""
    purchase_price: Decimal | None = None
    purchase_account: Account | None = None
    purchase_tax_type: str = ""
    inventory_account: Account | None = None
    quantity: Decimal = ZERO
    cost_pool: Decimal = ZERO

    @property
    def is_tracked(self) -> bool:
        """Whether it has stock: then purchases go to the inventory account."""
        return self.inventory_account is not None


@dataclass(slots=True, eq=False)
class Budget:
    """Planned amounts: `amounts` by account id and month (its first day), income positive.

    `type` is OVERALL or TRACKING, with the options it is for.
    """

    budget_id: str
    type: str
    description: str
    updated_at: datetime
    amounts: dict[str, dict[date, Decimal]] = field(default_factory=dict)
    tracking: tuple[TrackingOption, ...] = ()


@dataclass(slots=True, eq=False)
class ContactGroup:
    """Contacts under one name; the groups of a contact are shown with it."""

    group_id: str
    name: str
    contacts: list[Contact] = field(default_factory=list)
    status: str = "ACTIVE"


@dataclass(slots=True, eq=False)
class BrandingTheme:
    """How papers look."""

    theme_id: str
    name: str
    sort_order: int
    created_at: datetime
    type: str = "INVOICE"


@dataclass(slots=True, eq=False)
class StaffMember:
    """A user of the organisation, as the accounting API lists them; not a login."""

    user_id: str
    email: str
    first_name: str
    last_name: str
    role: str
    updated_at: datetime
    is_subscriber: bool = False


@dataclass(frozen=True, slots=True)
class HistoryNote:
    """What happened to a record, and who did it."""

    at: datetime
    changes: str
    details: str = ""
    user: str = "System Generated"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that hangs on a record; its bytes follow from `seed` and are made when asked for."""

    attachment_id: str
    file_name: str
    mime_type: str
    seed: int
    include_online: bool = False
