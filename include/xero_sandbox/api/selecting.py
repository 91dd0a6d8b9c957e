"""Which records a list request asks for, and in which order.

Knows what each parameter of Xero's lists selects. Must not know HTTP, paths, or how records are
answered. Looks at a record as cheaply as it can: a list may have a hundred thousand of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from xero_sandbox.api.fields import Path, SortKey, path_of, sort_key
from xero_sandbox.api.looking import Look, looker
from xero_sandbox.api.operands import refusal
from xero_sandbox.api.properties import PROPERTIES, kind_in
from xero_sandbox.api.querying import Query
from xero_sandbox.api.resources import Resource, Since
from xero_sandbox.api.where import Where
from xero_sandbox.wire.records import Entry

_Test = Callable[[Look], bool]

# Parameter to the field it goes by.
_ONE_OF = MappingProxyType(
    {
        "Statuses": "Status",
        "ContactIDs": "Contact.ContactID",
        "InvoiceNumbers": "InvoiceNumber",
        "References": "Reference",
        "Status": "Status",
        "ContactID": "Contact.ContactID",
        "LinkedTransactionID": "LinkedTransactionID",
        "SourceTransactionID": "SourceTransactionID",
        "TargetTransactionID": "TargetTransactionID",
    }
)
_FROM = MappingProxyType({"DateFrom": "Date", "ExpiryDateFrom": "ExpiryDate"})
_UNTIL = MappingProxyType({"DateTo": "Date", "ExpiryDateTo": "ExpiryDate"})
_SEARCHED = MappingProxyType(
    {
        "Contacts": ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress"),
        "Invoices": ("InvoiceNumber", "Reference", "Contact.Name"),
    }
)
_CHANGED: Path = ("updateddateutc",)
_ORDER = re.compile(r"\s*([^\W\d][\w.]*)(?:\s+(asc|desc)(?:ending)?)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """One field to order by."""

    path: Path
    is_descending: bool


def parse_order(text: str, owner: str) -> tuple[Term, ...]:
    """Read `Name ASC, Date DESC`, of records of the type `owner`; nothing is no order.

    Raises QueryParseError, naming the place, for what cannot be read, and for a property that
    there is not, or that has no order.
    """
    terms, at = [], 0
    for part in text.split(",") if text else ():
        match = _ORDER.fullmatch(part)
        if match is None:
            raise refusal(f"Syntax error '{part.strip()}'", at)
        _require_comparable(match[1], owner, at=at + match.start(1))
        is_descending = (match[2] or "").lower().startswith("desc")
        terms.append(Term(path_of(match[1]), is_descending))
        at += len(part) + 1
    return tuple(terms)


def _require_comparable(name: str, owner: str, *, at: int) -> None:
    kind = owner
    for part in name.split("."):
        kind = kind_in(kind, part, at=at)
    if kind == "List" or kind in PROPERTIES:
        raise refusal(f"'{name}' is of type '{kind}', which has no order", at)


def ordered(resource: Resource, entries: Sequence[Entry], terms: Sequence[Term]) -> Sequence[Entry]:
    """The entries by these fields, null first; equal ones stay as they were."""
    if not terms:
        return entries
    paths = [term.path for term in terms]
    if paths == [_CHANGED] and resource.since is Since.UPDATED:
        is_descending = terms[0].is_descending
        return sorted(entries, key=lambda entry: entry.updated_at, reverse=is_descending)
    readers = [looker(resource, path) for path in paths]
    keyed = []
    for entry in entries:
        look = Look(entry)
        keyed.append(([sort_key(read(look)) for read in readers], entry))
    for index in reversed(range(len(terms))):
        keyed.sort(key=_nth_key(index), reverse=terms[index].is_descending)
    return [entry for _, entry in keyed]


def _nth_key(index: int) -> Callable[[tuple[list[SortKey], Entry]], SortKey]:
    return lambda pair: pair[0][index]


def selected(
    resource: Resource, query: Query, entries: Sequence[Entry], *, where: Where | None
) -> Sequence[Entry]:
    """The entries that fit `where`, and the filters of the query which the resource knows.

    Raises QueryParseError for a date that cannot be read.
    """
    tests = [*_hiding(resource, query)]
    for name in resource.params:
        test = _test_of(resource, query, name) if query.get(name, "").strip() else None
        if test is not None:
            tests.append(test)
    if where is not None:
        tests.append(where.matches)
    if not tests:
        return entries
    # One record after the other: what is spelled to be looked at is not kept.
    return [entry for entry in entries if _passes(Look(entry), tests)]


def _passes(look: Look, tests: Sequence[_Test]) -> bool:
    return all(test(look) for test in tests)


def named(resource: Resource, entries: Sequence[Entry], asked: str) -> Entry | None:
    """The first entry that has this for one of the resource's other names, or None."""
    readers = [looker(resource, path_of(name)) for name in resource.names]
    for entry in entries if readers else ():
        look = Look(entry)
        if any(read(look) == asked for read in readers):
            return entry
    return None


def _hiding(resource: Resource, query: Query) -> Iterator[_Test]:
    hidden = resource.hidden
    if hidden is not None and not any(_is_asked(query, name) for name in hidden.unless):
        read = looker(resource, path_of(hidden.field))
        yield lambda look: read(look) != hidden.value


def _is_asked(query: Query, name: str) -> bool:
    return bool(query.listed(name)) if name == "IDs" else query.has(name)


def _test_of(resource: Resource, query: Query, name: str) -> _Test | None:
    """The test of one parameter; None for one that selects nothing (`unitdp`)."""
    if name in _ONE_OF:
        return _one_of(resource, query, name)
    if name in _FROM or name in _UNTIL:
        return _dated(resource, query, name)
    if name == "IDs":
        ids = query.listed(name)
        return lambda look: look.entry.record_id.lower() in ids
    if name == "QuoteNumber":
        return _containing(resource, (name,), query[name])
    if name == "searchTerm":
        return _containing(resource, _SEARCHED[resource.key], query[name])
    # Nothing is written over HTTP yet, so no app created anything.
    return _nothing if name == "createdByMyApp" and query.has(name) else None


def _nothing(_: Look) -> bool:
    return False


def _one_of(resource: Resource, query: Query, name: str) -> _Test:
    field = name if resource.key == "LinkedTransactions" else _ONE_OF[name]
    read, wanted = looker(resource, path_of(field)), query.listed(name)
    return lambda look: str(read(look) or "").lower() in wanted


def _containing(resource: Resource, names: Sequence[str], text: str) -> _Test:
    """Records of which one of the fields contains a text, in any case."""
    readers, part = [looker(resource, path_of(name)) for name in names], text.strip().casefold()
    return lambda look: any(part in str(read(look) or "").casefold() for read in readers)


def _dated(resource: Resource, query: Query, name: str) -> _Test:
    """Records dated from or until a day, that day included."""
    day, is_from = query.day(name), name in _FROM
    read = looker(resource, path_of(_FROM[name] if is_from else _UNTIL[name]))

    def test(look: Look) -> bool:
        at = read(look)
        if day is None or not isinstance(at, datetime):
            return False
        return at.date() >= day if is_from else at.date() <= day

    return test
