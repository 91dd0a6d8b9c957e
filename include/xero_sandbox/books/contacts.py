"""Customers and suppliers.

Knows what is written down about them. Must not know what documents are, JSON or time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xero_sandbox.books.documents import Document


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """Somebody who works at a contact."""

    first_name: str
    last_name: str
    email: str
    include_in_emails: bool = False


@dataclass(frozen=True, slots=True)
class PaymentTerm:
    """When a contact pays, or is paid.

    `type` is DAYSAFTERBILLDATE, DAYSAFTERBILLMONTH, OFCURRENTMONTH or OFFOLLOWINGMONTH.
    """

    day: int
    type: str


@dataclass(slots=True, eq=False)
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
    contact_number: str = ""
    tax_number: str = ""
    currency: str = ""
    status: str = "ACTIVE"
    is_customer: bool = False
    is_supplier: bool = False
    bank_account_details: str = ""
    merged_to: str = ""
    persons: tuple[ContactPerson, ...] = ()
    sales_terms: PaymentTerm | None = None
    bill_terms: PaymentTerm | None = None
    open_documents: dict[str, Document] = field(default_factory=dict, repr=False)
