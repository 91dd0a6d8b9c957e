"""The Journals feed: read by `offset`, a hundred numbers at a time, and one by id or number.

Knows the cursor, both bases and `paymentsOnly`. Must not know how a journal is spelled
(`spelling_journals.py`), what posts one, or how a call is let through.

A page spans a hundred journal numbers from the first that it finds. Numbers have gaps, so a page
of fewer than a hundred journals does not mean the end; only an empty one does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api.answering import answer
from xero_sandbox.api.operation import Operation
from xero_sandbox.api.parents import RECORD, books_of, is_guid, shelf_of
from xero_sandbox.api.querying import Query, modified_since
from xero_sandbox.api.resources import JOURNALS
from xero_sandbox.books.books import Books
from xero_sandbox.books.ledger import Journal, Ledger
from xero_sandbox.errors import NotFoundError, QueryParseError
from xero_sandbox.wire.spelling_journals import JournalBook

_SPAN = 100


def _list(request: Request) -> Response:
    query = Query(request.query_params.multi_items())
    offset = _offset(query)
    since = modified_since(request)
    books = books_of(request)
    if books is None:
        return answer(request, "Journals", _given_page(request, offset))
    ledger, book = _basis(request, books, is_cash=query.has("paymentsOnly"))
    start = bisect_right(ledger.journals, offset, key=_number)
    span = _span(request)
    found = ledger.journals[start : start + span]
    if since is not None:
        later = (each for each in islice(ledger.journals, start, None) if each.created_at >= since)
        found = list(islice(later, span))
    page = [
        book.spell(each, is_one=False) for each in found if each.number < found[0].number + span
    ]
    return answer(request, "Journals", page)


def _span(request: Request) -> int:
    largest: int = request.state.page_size
    return min(_SPAN, largest)


def _offset(query: Query) -> int:
    offset = query.whole("offset", 0)
    if offset < 0:
        raise QueryParseError("The offset parameter must not be below 0.")
    return offset


def _number(journal: Journal) -> int:
    return journal.number


def _basis(request: Request, books: Books, *, is_cash: bool) -> tuple[Ledger, JournalBook]:
    ledger = books.cash if is_cash else books.ledger
    tax_names = {rate.tax_type: rate.name for rate in books.country.tax_rates}
    tenant_id = request.state.organisation.tenant_id
    return ledger, JournalBook(tenant_id, is_cash, ledger.accounts, tax_names)


def _one(request: Request) -> Response:
    asked = request.path_params["record"]
    books = books_of(request)
    if books is None:
        return answer(request, "Journals", [_given_one(request, asked)])
    for is_cash in (False, True):
        ledger, book = _basis(request, books, is_cash=is_cash)
        number = _asked_number(book, asked)
        found = None if number is None else _journal(ledger, number)
        if found is not None:
            return answer(request, "Journals", [book.spell(found, is_one=True)])
    raise NotFoundError


def _asked_number(book: JournalBook, asked: str) -> int | None:
    if is_guid(asked):
        return book.number_of(asked)
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 12 else None


def _journal(ledger: Ledger, number: int) -> Journal | None:
    place = bisect_right(ledger.journals, number - 1, key=_number)
    found = ledger.journals[place : place + 1]
    return found[0] if found and found[0].number == number else None


# Given payloads


def _given(request: Request) -> list[Mapping[str, Any]]:
    bodies = (entry.body() for entry in shelf_of(request, "Journals").ordered())
    return sorted(bodies, key=lambda body: body["JournalNumber"])


def _given_page(request: Request, offset: int) -> list[Mapping[str, Any]]:
    later = [body for body in _given(request) if body["JournalNumber"] > offset]
    return later[: _span(request)]


def _given_one(request: Request, asked: str) -> Mapping[str, Any]:
    for body in _given(request):
        if asked.lower() in (str(body["JournalID"]).lower(), str(body["JournalNumber"])):
            return body
    raise NotFoundError


routes = [
    Operation("/Journals", _list, scopes=JOURNALS),
    Operation(f"/Journals/{RECORD}", _one, scopes=JOURNALS),
]
