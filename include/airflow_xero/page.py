"""One page of Xero's answer, as it travels from the client to the raw tables.

Knows the shape of a page only; must not know how it was fetched or where it is stored, so that
the two adapters on either side need not know each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from airflow_xero.endpoint import Endpoint
from airflow_xero.errors import UnexpectedPayloadError

_T = TypeVar("_T", str, int)


@dataclass(frozen=True)
class Page:
    """The bytes of one answer, and what its envelope and headers say.

    `number` counts from 1; `body` is the undecoded JSON; `xero_now` is the envelope's
    `DateTimeUTC`, Xero's own clock (aware UTC); `page_count` and `item_count`, of the whole list,
    are None where Xero does not say.
    `seconds` is the time spent on fetching and `calls` the requests it took, retries included;
    the two limits are what Xero said is left after the last of them. `is_last` ends the walk.
    `notices` are headers by which Xero announces the end of something.
    """

    endpoint: Endpoint
    number: int
    body: bytes = field(repr=False)
    xero_now: datetime
    page_count: int | None
    item_count: int | None
    seconds: float
    calls: int
    minute_calls_left: int | None
    day_calls_left: int | None
    is_last: bool
    notices: tuple[tuple[str, str], ...] = ()

    def records(self) -> list[Any]:
        """The records, decoded: for ids and numbers alone, because money would become a float."""
        try:
            records = json.loads(self.body).get(self.endpoint.array_key)
        except (ValueError, AttributeError, RecursionError):
            records = None
        return records if isinstance(records, list) else []

    def values_of(self, name: str, kind: type[_T]) -> list[_T]:
        """One field of every record. Raises UnexpectedPayloadError where a record lacks it."""
        given = [each.get(name) if isinstance(each, dict) else None for each in self.records()]
        values = [value for value in given if isinstance(value, kind)]
        if len(values) < len(given):
            raise UnexpectedPayloadError(
                f"Page {self.number} is not as Xero documents it: a record lacks {name}; "
                "please report it",
                endpoint=self.endpoint.name,
            )
        return values
