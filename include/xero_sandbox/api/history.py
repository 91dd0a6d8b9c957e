"""History: what happened to one record, newest first.

Knows the sixteen resources that have a history and how a note is spelled. Must not know what
leaves a note (`books.py`) or how a call is let through.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api.answering import answer
from xero_sandbox.api.operation import Endpoint, Operation
from xero_sandbox.api.parents import RECORD, books_of, parent_of
from xero_sandbox.api.resources import scopes_of
from xero_sandbox.books.paper_records import HistoryNote
from xero_sandbox.wire.format import ms_date
from xero_sandbox.wire.records import Body
from xero_sandbox.wire.spelling import moment_text

# Of Xero's sixteen, ExpenseClaims and Receipts are closed to new apps.
RESOURCES = (
    "BankTransactions",
    "BankTransfers",
    "BatchPayments",
    "Contacts",
    "CreditNotes",
    "Invoices",
    "Items",
    "ManualJournals",
    "Overpayments",
    "Payments",
    "Prepayments",
    "PurchaseOrders",
    "Quotes",
    "RepeatingInvoices",
)


def _history(resource: str) -> Endpoint:
    def handle(request: Request) -> Response:
        entry = parent_of(request, resource)
        books = books_of(request)
        notes = [] if books is None else books.history(entry.record_id)
        return answer(request, "HistoryRecords", [_note(note) for note in reversed(notes)])

    return handle


def _note(note: HistoryNote) -> Body:
    return {
        "Changes": note.changes,
        "DateUTCString": moment_text(note.at).removesuffix("Z"),
        "DateUTC": ms_date(note.at),
        "User": note.user,
        "Details": note.details,
    }


routes = [
    Operation(f"/{resource}/{RECORD}/History", _history(resource), scopes=scopes_of(resource))
    for resource in RESOURCES
]
