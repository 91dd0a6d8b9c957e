"""What Xero answered, as it travels from the client: a page of a list, or the bytes of anything.

Knows the shape of an answer only; must not know how it was fetched or where it is stored, so that
those on either side need not know each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn, Self, TypeVar

from airflow_xero.endpoint import Endpoint
from airflow_xero.errors import UnexpectedPayloadError
from airflow_xero.repairing import repaired

_T = TypeVar("_T", str, int)


@dataclass(frozen=True)
class Answer:
    """The bytes of one answer, its media type, and the id by which Xero's support finds it."""

    body: bytes = field(repr=False)
    media_type: str
    correlation_id: str | None


@dataclass(frozen=True)
class Page:
    """The bytes of one answer, and what its envelope and headers say.

    `number` counts from 1; `body` is the undecoded JSON; `xero_now` is the envelope's
    `DateTimeUTC`, Xero's own clock (aware UTC); `page_count` and `item_count`, of the whole list,
    are None where Xero does not say.
    `seconds` is the time spent on fetching and `calls` the requests it took, retries included;
    the two limits are what Xero said is left after the last of them. `is_last` ends the walk.
    `notices` are headers by which Xero announces the end of something; Xero's support finds the
    answer by its `correlation_id`. `repairs` is how many characters `storable` replaced.
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
    correlation_id: str | None = None
    tenant_id: str | None = None
    repairs: int = 0

    def storable(self) -> Self:
        """The page as Postgres can store it; `repairs` is how many characters were replaced."""
        body, repairs = repaired(self.body)
        return replace(self, body=body, repairs=repairs)

    def records(self) -> list[Any]:
        """The records, decoded; none where the body is not as Xero documents it."""
        return records_in(self.body, self.endpoint.array_key) or []

    def values_of(self, name: str, kind: type[_T]) -> list[_T]:
        """One field of every record.

        Raises UnexpectedPayloadError where a record lacks it, or where there is no list at all.
        """
        records = records_in(self.body, self.endpoint.array_key)
        if records is None:
            raise self.unexpected(f"{self.endpoint.array_key} is no list")
        given = [each.get(name) if isinstance(each, dict) else None for each in records]
        values = [value for value in given if isinstance(value, kind)]
        if len(values) < len(given):
            raise self.unexpected(f"a record lacks {name}")
        return values

    def unexpected(self, reason: str) -> UnexpectedPayloadError:
        """The refusal of this page, which says where it came from."""
        return UnexpectedPayloadError(
            f"Page {self.number} is not as Xero documents it: {reason}; please report it",
            tenant_id=self.tenant_id,
            endpoint=self.endpoint.name,
            page=self.number,
            correlation_id=self.correlation_id,
        )


def records_in(body: bytes, array_key: str) -> list[Any] | None:
    """The records of a JSON body; None where there is no such list.

    A number with a point is a Decimal with every digit that Xero sent, never a float; a whole one
    is an int.
    """
    try:
        parsed = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    records = parsed.get(array_key) if isinstance(parsed, dict) else None
    return records if isinstance(records, list) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
