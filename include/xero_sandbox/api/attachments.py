"""Attachments: the files that hang on one record, and their bytes.

Knows the resources that can have attachments, and their paths. Must not know how a file is made
(`attached_files.py`) or how a call is let through.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api.answering import answer
from xero_sandbox.api.operation import ANYTHING, Endpoint, Operation
from xero_sandbox.api.parents import RECORD, books_of, is_guid, parent_of
from xero_sandbox.api.resources import ATTACHMENTS
from xero_sandbox.books.paper_records import Attachment
from xero_sandbox.errors import NotFoundError
from xero_sandbox.wire.attached_files import bytes_of
from xero_sandbox.wire.spelling import attachment as spelled
from xero_sandbox.wire.spelling import attachment_url

# Of Xero's eleven, Receipts is closed to new apps.
RESOURCES = (
    "Accounts",
    "BankTransactions",
    "BankTransfers",
    "Contacts",
    "CreditNotes",
    "Invoices",
    "ManualJournals",
    "PurchaseOrders",
    "Quotes",
    "RepeatingInvoices",
)


def _list(resource: str) -> Endpoint:
    def handle(request: Request) -> Response:
        entry = parent_of(request, resource)
        books = books_of(request)
        if books is None:
            return answer(request, "Attachments", entry.source.get("Attachments", ()))
        found = [
            spelled(each, attachment_url(resource, entry.record_id, each.file_name))
            for each in books.attachments(entry.record_id)
        ]
        return answer(request, "Attachments", found)

    return handle


def _file(resource: str) -> Endpoint:
    def handle(request: Request) -> Response:
        found = _asked(request, resource)
        return Response(bytes_of(found), media_type=found.mime_type)

    return handle


def _asked(request: Request, resource: str) -> Attachment:
    """The attachment in the path: by its id, or by its name, which Xero tells apart by form."""
    asked = request.path_params["file"]
    entry = parent_of(request, resource)
    books = books_of(request)
    for each in () if books is None else books.attachments(entry.record_id):
        if asked.lower() == each.attachment_id if is_guid(asked) else asked == each.file_name:
            return each
    raise NotFoundError


routes = [
    Operation(f"/{resource}/{RECORD}/Attachments", _list(resource), scopes=ATTACHMENTS)
    for resource in RESOURCES
]
routes += [
    Operation(
        f"/{resource}/{RECORD}/Attachments/{{file:path}}",
        _file(resource),
        scopes=ATTACHMENTS,
        accepts=(ANYTHING,),
    )
    for resource in RESOURCES
]
