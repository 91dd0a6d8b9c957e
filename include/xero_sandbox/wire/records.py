"""Records as they are served: one entry per record, its bytes kept until the record changes.

Knows the order of Xero's lists (UpdatedDateUTC, then id) and the shapes a record is sent in.
Must not know documents, HTTP or where a record comes from.

Only bytes are kept, and only those of the shape last asked for: a hundred thousand records as
dictionaries, or as text with one emoji in it, would not fit into memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from xero_sandbox.wire.format import element

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

    @property
    def is_light(self) -> bool:
        """Whether lines and details are left out."""
        return self in _LIGHT

    @property
    def is_one(self) -> bool:
        """Whether the record was asked for by its id."""
        return self in _ONE

    @property
    def has_four_decimals(self) -> bool:
        """Whether unit prices have four decimals."""
        return self in _FOUR_DECIMALS


_LIGHT = (Shape.LIST, Shape.SUMMARY)
_ONE = (Shape.ONE, Shape.ONE4)
_FOUR_DECIMALS = (Shape.PAGE4, Shape.ONE4)


class Edition:
    """Which edition of a shelf's entries is the right one; what was kept of earlier ones is not.

    So a whole shelf is forgotten without looking at its entries.
    """

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


# That of entries on no shelf.
_LOOSE = Edition()


class Entry:
    """One record as it stands now; replaced, never changed, when its record changes.

    `source` is what the record is made of, for filters that need not spell it; `spell` turns it
    into the wire form of a shape.
    """

    __slots__ = ("_sent", "_spell", "edition", "record_id", "source", "updated_at")

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
        self.source = source
        self.edition = _LOOSE
        self._spell = spell
        self._sent: tuple[int, Shape, bytes] | None = None

    @property
    def sort_key(self) -> tuple[datetime, str]:
        """Xero's default order."""
        return (self.updated_at, self.record_id)

    def body(self, shape: Shape = Shape.PAGE) -> Body:
        """Return the record in wire form, spelled anew."""
        return self._spell(self.source, shape)

    def sent(self, shape: Shape = Shape.PAGE) -> bytes:
        """Return the record as an element of the envelope's array, for `wire.answer`."""
        # Asked before spelling: what changes meanwhile makes the text one of an old edition.
        edition, kept = self.edition.number, self._sent
        if kept is not None and kept[0] == edition and kept[1] is shape:
            return kept[2]
        text = element(self.body(shape))
        # A record by id is asked for rarely, and its contact changes without it.
        if not shape.is_one:
            self._sent = (edition, shape, text)
        return text

    def forget(self) -> None:
        """Drop what was kept: something the record shows, but that does not bump it, changed."""
        self._sent = None


class Shelf:
    """The entries of one resource, in Xero's order."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._edition = Edition()
        self._entries: dict[str, Entry] = {}
        self._ordered: list[Entry] | None = None
        for entry in entries:
            self.put(entry)

    def put(self, entry: Entry) -> None:
        """Add the entry, or put it in the place of the one with the same id."""
        entry.edition = self._edition
        self._entries[entry.record_id] = entry
        self._ordered = None

    def remove(self, record_id: str) -> None:
        """Take the entry of an id away; nothing happens when there is none."""
        if self._entries.pop(record_id, None) is not None:
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
        """Let what was kept of every record be spelled anew."""
        self._edition.number += 1

    def __len__(self) -> int:
        return len(self._entries)
