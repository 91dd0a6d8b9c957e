"""The record that a sub-resource hangs on, and the books it comes from.

Knows shelves and path parameters. Must not know what hangs on a record, or how it is spelled.
"""

from __future__ import annotations

import uuid
from typing import Protocol, cast, runtime_checkable

from starlette.requests import Request

from xero_sandbox.books.books import Books
from xero_sandbox.errors import NotFoundError
from xero_sandbox.wire.records import Entry, Shelf

# What a record hangs on is named in the path by its id alone.
RECORD = "{record}"


@runtime_checkable
class KeepsBooks(Protocol):
    """An organisation with books of its own; one of given payloads has none."""

    @property
    def books(self) -> Books:
        """The books as at the last `advance`."""


class _Shelved(Protocol):
    def entries(self, resource: str) -> Shelf: ...


def shelf_of(request: Request, key: str) -> Shelf:
    """Return the shelf of an array key (`Invoices`) of the organisation that was asked."""
    return cast(_Shelved, request.state.organisation).entries(key)


def books_of(request: Request) -> Books | None:
    """Return the organisation's books; None for one of given payloads."""
    organisation = request.state.organisation
    return organisation.books if isinstance(organisation, KeepsBooks) else None


def parent_of(request: Request, key: str) -> Entry:
    """Return the record whose id is in the path. Raises NotFoundError when there is none."""
    asked = request.path_params["record"]
    shelf = shelf_of(request, key)
    entry = shelf.get(asked.lower()) or shelf.get(asked)
    if entry is None:
        raise NotFoundError
    return entry


def is_guid(text: str) -> bool:
    """Whether a part of a path is an id rather than a name or a number."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
