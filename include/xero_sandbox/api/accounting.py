"""The accounting API: its lists, records by id and reports, as operations.

Knows how a request becomes an answer. Must not know who keeps the books (anything with
`entries`), identity or limits: the gate has checked those, and left the organisation, the time of
the business clock and the threshold of very many documents in the request's state. What each list
can be asked says the table in `resources.py`; what hangs on a record is in modules of its own,
collected here.

Paths are relative to `/api.xro/2.0`. Handlers run in a thread: a list may take a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api import subresources
from xero_sandbox.api.answering import answer
from xero_sandbox.api.highvolume import refuse_high_volume
from xero_sandbox.api.looking import looker
from xero_sandbox.api.operation import JSON, Endpoint, Operation, best_of
from xero_sandbox.api.paging import Paging, paging_of
from xero_sandbox.api.parents import is_guid
from xero_sandbox.api.pdf import pdf_of
from xero_sandbox.api.properties import type_of
from xero_sandbox.api.querying import Query, modified_since
from xero_sandbox.api.resources import PUBLISHED_REPORTS, REPORTS, RESOURCES, Pages, Resource, Since
from xero_sandbox.api.selecting import named, ordered, parse_order, selected
from xero_sandbox.api.where import parse_where
from xero_sandbox.errors import NotFoundError
from xero_sandbox.organisation import Organisation
from xero_sandbox.wire.records import Entry, Shape, Shelf

_PDF = "application/pdf"
_WITH_PDF = ("CreditNotes", "Invoices", "PurchaseOrders", "Quotes")
_FIXED_SIZE = 100
# Parameters that name the records wanted, so that Xero need not look through all of them.
_NAMING = ("IDs", "InvoiceNumbers", "ContactIDs", "Statuses", "searchTerm")


class Shelved(Organisation, Protocol):
    """An organisation that keeps its records on shelves."""

    def entries(self, resource: str) -> Shelf:
        """Return the shelf of a resource; KeyError for one it does not know."""


def _list(resource: Resource) -> Endpoint:
    def handle(request: Request) -> Response:
        query = Query(request.query_params.multi_items())
        paging = _paging(resource, query, largest=request.state.page_size)
        entries = _wanted(resource, query, request, is_paged=paging is not None)
        shape = _shape(resource, query, is_paged=paging is not None)
        page = entries if paging is None else paging.cut(entries)
        is_sized = paging is not None and resource.pages in (Pages.SIZED, Pages.ALWAYS)
        return answer(
            request,
            resource.key,
            _sent(resource, query, page, shape=shape),
            pagination=paging.pagination(len(entries)) if paging and is_sized else None,
        )

    return handle


def _wanted(
    resource: Resource, query: Query, request: Request, *, is_paged: bool
) -> Sequence[Entry]:
    """Every record that the request is about, in the order it asks for."""
    shelf = _organisation(request).entries(resource.key)
    since = None if resource.since is Since.IGNORED else modified_since(request)
    filter_text, order_text = _asked(resource, query, "where"), _asked(resource, query, "order")
    owner, reader = type_of(resource.key), partial(looker, resource)
    where = parse_where(filter_text, owner, reader=reader) if filter_text else None
    order = parse_order(order_text or resource.order, owner)
    is_named = any(_asked(resource, query, name) for name in _NAMING)
    refuse_high_volume(
        resource,
        count=len(shelf),
        threshold=request.state.high_volume,
        is_narrowed=is_paged or is_named or since is not None,
        where=where,
        order=order,
    )
    entries = shelf.ordered() if since is None else shelf.since(since)
    entries = selected(resource, query, entries, where=where)
    return ordered(resource, entries, order)


def _asked(resource: Resource, query: Query, name: str) -> str:
    """A parameter, if the resource knows it."""
    return query.get(name, "").strip() if name in resource.params else ""


def _paging(resource: Resource, query: Query, *, largest: int) -> Paging | None:
    pages = resource.pages
    if pages is Pages.NONE:
        return None
    forced = pages in (Pages.ALWAYS, Pages.ALWAYS_FIXED) or any(
        _asked(resource, query, name).lower() not in ("", "false") for name in resource.paged_by
    )
    is_fixed = pages in (Pages.FIXED, Pages.ALWAYS_FIXED)
    size = _FIXED_SIZE if is_fixed else None
    return paging_of(query, forced=forced, fixed_size=size, largest=largest)


def _shape(resource: Resource, query: Query, *, is_paged: bool) -> Shape:
    if resource.is_always_light:
        return Shape.LIST
    if _is_on(resource, query, "summaryOnly"):
        return Shape.SUMMARY
    if resource.is_light and not is_paged and not _asked(resource, query, "IDs"):
        return Shape.LIST
    return Shape.PAGE4 if _asked(resource, query, "unitdp") == "4" else Shape.PAGE


def _is_on(resource: Resource, query: Query, name: str) -> bool:
    return name in resource.params and query.has(name)


def _sent(
    resource: Resource, query: Query, page: Sequence[Entry], *, shape: Shape
) -> Sequence[bytes | Mapping[str, object]]:
    if resource.key == "TrackingCategories" and not query.has("includeArchived"):
        return [_with_active_options(entry.body(shape)) for entry in page]
    return [entry.sent(shape) for entry in page]


def _with_active_options(category: Mapping[str, Any]) -> Mapping[str, Any]:
    options = category.get("Options", ())
    shown = [each for each in options if each.get("Status") != "ARCHIVED"]
    return {**category, "Options": shown} if options else category


def _one(resource: Resource) -> Endpoint:
    kinds = _kinds(resource)

    def handle(request: Request) -> Response:
        query = Query(request.query_params.multi_items())
        shelf = _organisation(request).entries(resource.key)
        entry = _found(resource, shelf, request.path_params["record"])
        if best_of(kinds, request.headers.get("Accept", "")) == _PDF:
            return pdf_of(request, resource.key, entry)
        shape = Shape.ONE4 if _asked(resource, query, "unitdp") == "4" else Shape.ONE
        return answer(request, resource.key, [entry.sent(shape)])

    return handle


def _kinds(resource: Resource) -> tuple[str, ...]:
    """The media types of a record by its id."""
    return (JSON, _PDF) if resource.key in _WITH_PDF else (JSON,)


def _found(resource: Resource, shelf: Shelf, asked: str) -> Entry:
    """The record of an id, or of another name it has. Raises NotFoundError."""
    entry = shelf.get(asked.lower()) or shelf.get(asked)
    if entry is None and not is_guid(asked):
        entry = named(resource, shelf.ordered(), asked)
    if entry is None:
        raise NotFoundError
    return entry


def _report(name: str) -> Endpoint:
    def handle(request: Request) -> Response:
        params = dict(Query(request.query_params.multi_items()).spelled(_REPORT_PARAMS))
        report = _organisation(request).report(name, params)
        if report is None:
            raise NotFoundError
        return answer(request, "Reports", [report])

    return handle


def _published_reports(request: Request) -> Response:
    """Reports that somebody published, such as a return of sales tax: here nobody does."""
    return answer(request, "Reports", [])


def _published_report(_: Request) -> Response:
    raise NotFoundError


_REPORT_PARAMS = (
    "contactId", "date", "fromDate", "paymentsOnly", "periods", "reportYear", "standardLayout",
    "timeframe", "toDate", "trackingCategoryID", "trackingCategoryID2", "trackingOptionID",
    "trackingOptionID1", "trackingOptionID2",
)  # fmt: skip


def _organisation(request: Request) -> Shelved:
    organisation: Shelved = request.state.organisation
    return organisation


def _operations() -> list[Operation]:
    lists = [Operation(f"/{each.path}", _list(each), scopes=each.scopes) for each in RESOURCES]
    ones = [
        Operation(
            f"/{each.path}/{{record}}",
            _one(each),
            scopes=each.scopes,
            accepts=_kinds(each),
        )
        for each in RESOURCES
        if each.is_by_id
    ]
    reports = [
        Operation(f"/Reports/{name}", _report(name), scopes=scopes)
        for name, scopes in REPORTS.items()
    ]
    published = [
        Operation("/Reports", _published_reports, scopes=PUBLISHED_REPORTS),
        Operation("/Reports/{report}", _published_report, scopes=()),
    ]
    # What hangs on a record comes first: its paths are longer than those of records by id.
    return [*subresources.routes, *lists, *ones, *reports, *published]


routes: list[Operation] = _operations()
"""Every operation, in the order in which a path is looked for."""

SCOPES: dict[str, tuple[str, ...]] = {
    route.path.strip("/"): route.scopes for route in routes if "{" not in route.path
}
"""Path of a list or report to the scopes of which a token must have one."""
