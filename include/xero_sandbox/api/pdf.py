"""PDFs of invoices, bills, credit notes, quotes and purchase orders.

Knows what stands on each paper, and reads it from the record as it is spelled. Must not know
pages and fonts (`pdf_pages.py`), books or how a call is let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api.operation import ANYTHING, Endpoint, Operation
from xero_sandbox.api.parents import RECORD, parent_of
from xero_sandbox.api.resources import scopes_of
from xero_sandbox.wire.pdf_pages import page_of
from xero_sandbox.wire.records import Entry, Shape

PDF = "application/pdf"
_TITLES = {
    "Invoices": "Invoice",
    "CreditNotes": "Credit Note",
    "Quotes": "Quote",
    "PurchaseOrders": "Purchase Order",
}
_NUMBERS = {
    "Invoices": "InvoiceNumber",
    "CreditNotes": "CreditNoteNumber",
    "Quotes": "QuoteNumber",
    "PurchaseOrders": "PurchaseOrderNumber",
}
_DATES = (
    ("Date", "DateString"),
    ("Due date", "DueDateString"),
    ("Expires", "ExpiryDateString"),
    ("Delivery", "DeliveryDateString"),
)
_HEADER = ("Description", "Quantity", "Unit price", "Tax", "Amount")
_CELLS = ("Description", "Quantity", "UnitAmount", "TaxAmount", "LineAmount")
_SUMS = (("Subtotal", "SubTotal"), ("Tax", "TotalTax"), ("Total", "Total"))
RESOURCES = tuple(_TITLES)


def pdf_of(request: Request, resource: str, entry: Entry) -> Response:
    """Answer with the PDF of a record of one of RESOURCES."""
    body = entry.body(Shape.ONE)
    heading = f"{_TITLES[resource]} {body.get(_NUMBERS[resource], '')}".rstrip()
    pdf = page_of(
        heading,
        _lines(body, request.state.organisation.name),
        table=[_HEADER, *(_row(line) for line in body.get("LineItems") or ())],
        totals=[
            (f"{name} {body.get('CurrencyCode', '')}", _text(body, key)) for name, key in _SUMS
        ],
    )
    return Response(pdf, media_type=PDF)


def _lines(body: Mapping[str, Any], sender: str) -> list[str]:
    dates = [f"{name}: {_text(body, key)[:10]}" for name, key in _DATES if body.get(key)]
    to = (body.get("Contact") or {}).get("Name", "")
    return [f"From: {sender}", f"To: {to}", *dates, f"Reference: {body.get('Reference', '')}"]


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_text(line, key) for key in _CELLS)


def _text(body: Mapping[str, Any], key: str) -> str:
    return str(body.get(key, ""))


def _pdf(resource: str) -> Endpoint:
    def handle(request: Request) -> Response:
        return pdf_of(request, resource, parent_of(request, resource))

    return handle


routes = [
    Operation(
        f"/{resource}/{RECORD}/pdf",
        _pdf(resource),
        scopes=scopes_of(resource),
        accepts=(ANYTHING,),
    )
    for resource in RESOURCES
]
