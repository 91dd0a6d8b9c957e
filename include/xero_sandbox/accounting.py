"""The accounting API: its lists, records by id and reports, as routes.

Knows paths, query parameters and scopes. Must not know who keeps the books (anything with
`entries`), identity or limits: the app has checked those, and left the organisation and the
business clock's time in the request's state.

Paths are relative to `/api.xro/2.0`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xero_sandbox.errors import NotFoundError, QueryParseError
from xero_sandbox.organisation import Organisation
from xero_sandbox.paging import paging_of
from xero_sandbox.records import Entry, Shape, Shelf
from xero_sandbox.wire import answer


class Shelved(Organisation, Protocol):
    """An organisation that keeps its records on shelves."""

    def entries(self, resource: str) -> Shelf:
        """Return the shelf of a resource; KeyError for one it does not know."""


@dataclass(frozen=True)
class Resource:
    """One resource: its `path`, the `key` of its array, and how it is read.

    `is_paged`: takes `page` and `pageSize`. `has_light_list`: without a page it is sent without
    lines and details. `is_filtered`: honours If-Modified-Since. `names`: further fields that a
    record can be asked for by, beside its id (`InvoiceNumber`).
    """

    path: str
    key: str
    scopes: tuple[str, ...]
    is_paged: bool = False
    has_light_list: bool = False
    is_filtered: bool = True
    has_records: bool = True
    names: tuple[str, ...] = ()


def _either(name: str, *broad: str) -> tuple[str, ...]:
    scopes = (name, *broad)
    return tuple(each for scope in scopes for each in (f"{scope}.read", scope))


_SETTINGS = _either("accounting.settings")
_CONTACTS = _either("accounting.contacts")
_INVOICES = _either("accounting.invoices", "accounting.transactions")
_PAYMENTS = _either("accounting.payments", "accounting.transactions")
_BANK = _either("accounting.banktransactions", "accounting.transactions")

_RESOURCES = (
    Resource("Organisation", "Organisations", _SETTINGS, is_filtered=False, has_records=False),
    Resource("Currencies", "Currencies", _SETTINGS, is_filtered=False, has_records=False),
    Resource("TaxRates", "TaxRates", _SETTINGS, is_filtered=False),
    Resource("Accounts", "Accounts", _SETTINGS),
    Resource("Contacts", "Contacts", _CONTACTS, is_paged=True, has_light_list=True),
    Resource(
        "Invoices",
        "Invoices",
        _INVOICES,
        is_paged=True,
        has_light_list=True,
        names=("InvoiceNumber",),
    ),
    Resource(
        "CreditNotes",
        "CreditNotes",
        _INVOICES,
        is_paged=True,
        has_light_list=True,
        names=("CreditNoteNumber",),
    ),
    Resource("Payments", "Payments", _PAYMENTS, is_paged=True),
    Resource("BankTransactions", "BankTransactions", _BANK, is_paged=True, has_light_list=True),
)
_REPORTS = {
    "TrialBalance": (
        "accounting.reports.trialbalance.read",
        "accounting.reports.read",
    ),
}

SCOPES: dict[str, tuple[str, ...]] = {resource.path: resource.scopes for resource in _RESOURCES} | {
    f"Reports/{name}": scopes for name, scopes in _REPORTS.items()
}
"""Path of a resource to the scopes of which a token must have one."""


class _Query(Mapping[str, str]):
    """Query parameters by name, in any case, as Xero reads them."""

    def __init__(self, request: Request) -> None:
        self._values = {key.lower(): value for key, value in request.query_params.items()}

    def __getitem__(self, key: str) -> str:
        return self._values[key.lower()]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def has(self, key: str) -> bool:
        """Whether a switch is on; the official SDK sends `True`."""
        return self.get(key, "").lower() == "true"

    def listed(self, key: str) -> frozenset[str]:
        """The parts of a comma-separated parameter, in lower case."""
        parts = (part.strip().lower() for part in self.get(key, "").split(","))
        return frozenset(part for part in parts if part)


def _list(resource: Resource) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        query = _Query(request)
        _refuse_unread(query)
        shelf = _organisation(request).entries(resource.key)
        since = modified_since(request) if resource.is_filtered else None
        entries = shelf.ordered() if since is None else shelf.since(since)
        entries = _selected(resource, query, entries)
        forced = resource.key == "Invoices" and (
            query.has("summaryOnly") or bool(query.listed("Statuses"))
        )
        paging = paging_of(query, forced=forced) if resource.is_paged else None
        shape = _shape(resource, query, is_paged=paging is not None)
        if paging is None:
            return answer(request, resource.key, [entry.body(shape) for entry in entries])
        page = [entry.body(shape) for entry in paging.cut(entries)]
        return answer(request, resource.key, page, pagination=paging.pagination(len(entries)))

    return handle


def _one(resource: Resource) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        query = _Query(request)
        asked = request.path_params["record"]
        shelf = _organisation(request).entries(resource.key)
        entry = shelf.get(asked.lower()) or shelf.get(asked) or _by_name(resource, shelf, asked)
        if entry is None:
            raise NotFoundError
        shape = Shape.ONE4 if query.get("unitdp") == "4" else Shape.ONE
        return answer(request, resource.key, [entry.body(shape)])

    return handle


async def _report(request: Request) -> Response:
    query = _Query(request)
    params = {"date": query.get("date", ""), "paymentsOnly": query.get("paymentsOnly", "false")}
    report = _organisation(request).report(request.path_params["name"], params)
    if report is None:
        raise NotFoundError
    return answer(request, "Reports", [report])


def _organisation(request: Request) -> Shelved:
    organisation: Shelved = request.state.organisation
    return organisation


def _refuse_unread(query: _Query) -> None:
    """Refuse what would change the answer but is not understood yet, rather than ignore it."""
    for name in ("where", "order", "searchTerm"):
        if query.get(name):
            raise QueryParseError(f"This sandbox does not read the parameter {name} yet.")


def _selected(resource: Resource, query: _Query, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Apply the filters of the query that the resource knows."""
    if resource.key == "Contacts" and not query.has("includeArchived") and not query.get("IDs"):
        entries = [e for e in entries if e.body().get("ContactStatus") != "ARCHIVED"]
    ids = query.listed("IDs")
    if ids and resource.key in ("Contacts", "Invoices"):
        entries = [entry for entry in entries if entry.record_id in ids]
    if resource.key == "Invoices":
        for name, value_of in _INVOICE_FILTERS.items():
            wanted = query.listed(name)
            if wanted:
                entries = [e for e in entries if value_of(e.body()).lower() in wanted]
    return entries


_INVOICE_FILTERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Statuses": lambda body: str(body.get("Status", "")),
    "InvoiceNumbers": lambda body: str(body.get("InvoiceNumber", "")),
    "ContactIDs": lambda body: str(body.get("Contact", {}).get("ContactID", "")),
}


def _by_name(resource: Resource, shelf: Shelf, asked: str) -> Entry | None:
    for entry in shelf.ordered() if resource.names else ():
        if any(entry.body().get(name) == asked for name in resource.names):
            return entry
    return None


def _shape(resource: Resource, query: _Query, *, is_paged: bool) -> Shape:
    if query.has("summaryOnly") and resource.key in ("Contacts", "Invoices"):
        return Shape.SUMMARY
    if resource.has_light_list and not is_paged and not query.get("IDs"):
        return Shape.LIST
    return Shape.PAGE4 if query.get("unitdp") == "4" else Shape.PAGE


def modified_since(request: Request) -> datetime | None:
    """Return the If-Modified-Since of a request in whole seconds of UTC, or None.

    Xero filters by it and never answers 304. A header that cannot be read filters nothing.
    """
    text = request.headers.get("If-Modified-Since", "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0)


routes: list[Route] = [
    Route(f"/{resource.path}", _list(resource), methods=["GET"]) for resource in _RESOURCES
]
routes += [
    Route(f"/{resource.path}/{{record}}", _one(resource), methods=["GET"])
    for resource in _RESOURCES
    if resource.has_records
]
routes.append(Route("/Reports/{name}", _report, methods=["GET"]))
