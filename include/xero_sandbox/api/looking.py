"""Looking at single fields of a record, without spelling all of it where its source has them.

Knows which fields of the wire form a source has under hand. Must not know filters or HTTP. A test
holds every one of them against what is spelled. Records of given payloads are their own source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from xero_sandbox.api.fields import Path, path_of, reader_of
from xero_sandbox.api.resources import Resource
from xero_sandbox.wire.records import Body, Entry

_Getter = Callable[[Any], object]


class Look:
    """One record being looked at; it is spelled at most once, and only if it must be."""

    __slots__ = ("_body", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._body: Body | None = None

    @property
    def body(self) -> Body:
        """The record as a page has it."""
        if self._body is None:
            self._body = self.entry.body()
        return self._body


def looker(resource: Resource, path: Path) -> Callable[[Look], object]:
    """A function that reads one field of records of a resource, as `fields.reader_of` does."""
    read = reader_of(path)
    at_hand = AT_HAND.get(resource.key, {}).get(path)
    if at_hand is None:
        return lambda look: read(look.body)
    get = at_hand

    def reading(look: Look) -> object:
        source = look.entry.source
        # Asked a hundred thousand times: a dict is recognised faster than any Mapping.
        return read(source) if isinstance(source, dict) else get(source)

    return reading


def _day(name: str) -> _Getter:
    get: Callable[[Any], date] = attrgetter(name)
    return lambda source: datetime.combine(get(source), time(), tzinfo=UTC)


def _changed(source: Any) -> datetime:
    """When a record changed, to the millisecond, as the wire has it."""
    at: datetime = source.updated_at
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _paths(getters: Mapping[str, _Getter]) -> Mapping[Path, _Getter]:
    return MappingProxyType({path_of(name): get for name, get in getters.items()})


_STATUS: Mapping[str, _Getter] = {"Status": attrgetter("status"), "UpdatedDateUTC": _changed}
_DATED: Mapping[str, _Getter] = {
    **_STATUS,
    "Date": _day("on"),
    "Reference": attrgetter("reference"),
}
_OF_CONTACT: Mapping[str, _Getter] = {
    "Contact.ContactID": attrgetter("contact.contact_id"),
    "Contact.Name": attrgetter("contact.name"),
}
_DOCUMENT: Mapping[str, _Getter] = {
    **_DATED,
    **_OF_CONTACT,
    "CurrencyCode": attrgetter("currency"),
    "SubTotal": attrgetter("sub_total"),
    "Total": attrgetter("total"),
    "TotalTax": attrgetter("total_tax"),
    "Type": attrgetter("type"),
}

AT_HAND: Mapping[str, Mapping[Path, _Getter]] = MappingProxyType(
    {
        "BankTransactions": _paths(
            {
                **_DATED,
                "BankTransactionID": attrgetter("transaction_id"),
                "IsReconciled": attrgetter("is_reconciled"),
                "Total": attrgetter("total"),
                "Type": attrgetter("type"),
            }
        ),
        "Contacts": _paths(
            {
                "ContactID": attrgetter("contact_id"),
                "ContactStatus": attrgetter("status"),
                "EmailAddress": attrgetter("email"),
                "Name": attrgetter("name"),
                "UpdatedDateUTC": _changed,
            }
        ),
        "CreditNotes": _paths(
            {
                **_DOCUMENT,
                "CreditNoteID": attrgetter("document_id"),
                "CreditNoteNumber": attrgetter("number"),
            }
        ),
        "Invoices": _paths(
            {
                **_DOCUMENT,
                "AmountDue": attrgetter("due"),
                "AmountPaid": attrgetter("paid"),
                "DueDate": _day("due_date"),
                "InvoiceID": attrgetter("document_id"),
                "InvoiceNumber": attrgetter("number"),
            }
        ),
        "Items": _paths({"Code": attrgetter("code")}),
        "Payments": _paths(
            {
                **_DATED,
                "Amount": attrgetter("amount"),
                "PaymentID": attrgetter("payment_id"),
            }
        ),
        "PurchaseOrders": _paths(
            {**_STATUS, **_OF_CONTACT, "PurchaseOrderNumber": attrgetter("number")}
        ),
    }
)
"""Array key, then path of a field, to how it is read off a source."""
