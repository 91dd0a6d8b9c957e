"""What Xero refuses in an organisation of very many documents.

Knows which filters and orders Xero has optimised. Must not know how a list is answered. Follows
"Efficient data retrieval": above the threshold a list must be paged, and may be filtered and
ordered by few fields only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xero_sandbox.api.fields import path_of
from xero_sandbox.api.operands import ORDERINGS
from xero_sandbox.api.resources import Resource
from xero_sandbox.api.selecting import Term
from xero_sandbox.api.where import Use, Where
from xero_sandbox.errors import HighVolumeError


@dataclass(frozen=True)
class _Optimised:
    """Fields that may be compared for equality, and those that may have bounds, too."""

    equal: tuple[str, ...] = ("Status",)
    bound: tuple[str, ...] = ("Date",)
    order: tuple[str, ...] = ("Date",)


OPTIMISED = {
    "BankTransactions": _Optimised(equal=("Type", "Status", "Contact.ContactID")),
    "Contacts": _Optimised(
        equal=("Name", "EmailAddress", "AccountNumber"), bound=(), order=("Name",)
    ),
    "CreditNotes": _Optimised(),
    "Invoices": _Optimised(
        equal=(
            "Status",
            "Contact.ContactID",
            "Contact.ContactNumber",
            "Contact.Name",
            "InvoiceID",
            "InvoiceNumber",
            "Reference",
            "Type",
        ),
        bound=("AmountDue", "AmountPaid", "Date", "DueDate"),
    ),
    "ManualJournals": _Optimised(),
    "Payments": _Optimised(equal=("Invoice.InvoiceID", "PaymentType", "Reference", "Status")),
    "PurchaseOrders": _Optimised(),
}
"""Array key to what a large organisation may be asked; other resources have no threshold."""


def refuse_high_volume(
    resource: Resource,
    *,
    count: int,
    threshold: int,
    is_narrowed: bool,
    where: Where | None,
    order: Sequence[Term],
) -> None:
    """Raise HighVolumeError for a list that Xero would not read through.

    `count` documents are there; `is_narrowed`: it is paged, asks for named records, or for what
    changed since.
    """
    optimised = OPTIMISED.get(resource.key)
    if optimised is None or count <= threshold:
        return
    if (
        is_narrowed
        and _is_fast_filter(where, optimised)
        and _is_fast_order(resource, order, optimised)
    ):
        return
    raise HighVolumeError(
        f"Your request is not filtering {resource.key} efficiently, given the extremely high "
        "volume for this organisation. Please page, and filter and order by optimised fields."
    )


def _is_fast_filter(where: Where | None, optimised: _Optimised) -> bool:
    if where is None:
        return True
    return where.is_simple and all(_is_fast_use(use, optimised) for use in where.uses)


def _is_fast_use(use: Use, optimised: _Optimised) -> bool:
    if use.path in map(path_of, optimised.bound):
        return use.sign == "==" or use.sign in ORDERINGS
    return use.sign == "==" and use.path in map(path_of, optimised.equal)


def _is_fast_order(resource: Resource, order: Sequence[Term], optimised: _Optimised) -> bool:
    fast = (*optimised.order, "UpdatedDateUTC", resource.id_field)
    return all(term.path in map(path_of, fast) for term in order)
