"""Reading a field of a spelled record by the name a request gives it, as something comparable.

Knows how Xero's wire form says dates and nested objects. Must not know grammar, resources or HTTP.
A field that a record does not have is null: Xero leaves out what is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Record = Mapping[str, object]
Path = tuple[str, ...]
"""The parts of a dotted field in lower case: `("contact", "contactid")`."""

_MS_DATE = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SortKey = tuple[int, Any, str]
_MISSING: SortKey = (0, 0, "")


def reader_of(path: Path) -> Callable[[Record], object]:
    """A function that reads the field at `path` of a record; None for one it does not have."""
    steps = [_Step(name) for name in path]

    def read(record: Record) -> object:
        value: object = record
        for step in steps:
            if not isinstance(value, Mapping):
                return None
            value = step.of(value)
        return comparable(value)

    return read


class _Step:
    """One name of a path, found in any case; remembers how records spell it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spelling = name

    def of(self, record: Record) -> object:
        if self._spelling in record:
            return record[self._spelling]
        for key in record:
            if key.lower() == self._name:
                self._spelling = key
                return record[key]
        return None


def comparable(value: object) -> object:
    """A wire value with dates as datetimes; the others as they are."""
    if isinstance(value, str) and value.startswith("/Date("):
        return _moment(value)
    return value


def _moment(text: str) -> object:
    match = _MS_DATE.fullmatch(text)
    if match is None:
        return text
    try:
        return _EPOCH + timedelta(milliseconds=int(match[1]))
    except OverflowError:
        return text


def kind_of(value: object) -> str | None:
    """What a value can be compared with, in .NET's words; None for null and for objects."""
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int | Decimal):
        return "Decimal"
    if isinstance(value, str):
        return "String"
    if isinstance(value, datetime):
        return "DateTime"
    return None


_RANKS = {"Boolean": 1, "Decimal": 1, "DateTime": 2, "String": 3}


def sort_key(value: object) -> SortKey:
    """A key that orders values of any kinds: null first, strings without regard to case."""
    kind = kind_of(value)
    if kind is None:
        return _MISSING
    if isinstance(value, str):
        return (_RANKS[kind], value.casefold(), value)
    return (_RANKS[kind], value, "")


def path_of(name: str) -> Path:
    """The path of a dotted name."""
    return tuple(name.lower().split("."))
