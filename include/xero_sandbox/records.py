"""Records as they are served: one entry per record, its wire form kept until the record changes.

Knows the order of Xero's lists (UpdatedDateUTC, then id) and the shapes a record is sent in.
Must not know documents, HTTP or where a record comes from.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from xero_sandbox.wire import WireRecord

Body = dict[str, Any]

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class Shape(Enum):
    """How much of a record is sent.

    LIST: an unpaged list: no lines, contacts as stubs. PAGE and PAGE4: a page, unit prices with
    two or four decimals. ONE and ONE4: by id, with the whole contact. SUMMARY: `summaryOnly`.
    """

    LIST = "list"
    PAGE = "page"
    PAGE4 = "page4"
    ONE = "one"
    ONE4 = "one4"
    SUMMARY = "summary"


class Entry:
    """One record as it stands now; replaced, never changed, when its record changes.

    `spell` turns `source` into the wire form of a shape.
    """

    __slots__ = ("_bodies", "_source", "_spell", "record_id", "updated_at")

    def __init__(
        self,
        record_id: str,
        updated_at: datetime,
        *,
        source: Any,
        spell: Callable[[Any, Shape], Body],
    ) -> None:
        self.record_id = record_id
        self.updated_at = updated_at
        self._source = source
        self._spell = spell
        self._bodies: dict[Shape, WireRecord] = {}

    @property
    def sort_key(self) -> tuple[datetime, str]:
        """Xero's default order."""
        return (self.updated_at, self.record_id)

    def body(self, shape: Shape = Shape.PAGE) -> WireRecord:
        """Return the record in wire form; the same object until the record changes."""
        body = self._bodies.get(shape)
        if body is None:
            body = WireRecord(self._spell(self._source, shape))
            # A record by id is asked for rarely, and its contact changes without it.
            if shape not in (Shape.ONE, Shape.ONE4):
                self._bodies[shape] = body
        return body

    def forget(self) -> None:
        """Drop what was spelled: something the record shows, but that does not bump it, changed."""
        self._bodies.clear()


class Shelf:
    """The entries of one resource, in Xero's order."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {entry.record_id: entry for entry in entries}
        self._ordered: list[Entry] | None = None

    def put(self, entry: Entry) -> None:
        """Add the entry, or put it in the place of the one with the same id."""
        self._entries[entry.record_id] = entry
        self._ordered = None

    def get(self, record_id: str) -> Entry | None:
        """Return the entry of an id, or None."""
        return self._entries.get(record_id)

    def ordered(self) -> Sequence[Entry]:
        """Return every entry, ordered by UpdatedDateUTC, then id."""
        if self._ordered is None:
            self._ordered = sorted(self._entries.values(), key=lambda entry: entry.sort_key)
        return self._ordered

    def since(self, moment: datetime) -> Sequence[Entry]:
        """Return the entries updated at or after `moment` (a whole second), in order."""
        entries = self.ordered()
        return entries[bisect_left(entries, moment, key=lambda entry: entry.updated_at) :]

    def forget(self) -> None:
        """Drop what was spelled of every record."""
        for entry in self._entries.values():
            entry.forget()

    def __len__(self) -> int:
        return len(self._entries)
