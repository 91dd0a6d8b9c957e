"""What a request to the control door asks for, read field by field.

Knows JSON and what a field may look like. Must not know what is done with it. Every refusal is a
sentence that says what to send instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.requests import Request

from xero_sandbox.errors import ControlError

_T = TypeVar("_T")
_YEARS = range(1990, 2101)


class Wishes:
    """The fields of one request; a field that is missing or null reads as its default (None).

    `given` holds them with the nulls, `fields` without.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = dict(given)
        self.fields = {name: value for name, value in given.items() if value is not None}

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        found = self._field(name, str)
        return default if found is None else found

    def whole(self, name: str, default: int | None = None) -> int | None:
        """A whole number."""
        found = self._field(name, int)
        return default if found is None else found

    def number(self, name: str) -> float | None:
        """A number that a clock could count in seconds."""
        found = self.fields.get(name)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or abs(found) > 1e11:
            raise ControlError(f"{name} cannot be {found!r}")
        return float(found)

    def switch(self, name: str) -> bool | None:
        """True or false; within a query the words for them."""
        words = {"true": True, "false": False}
        found = self.fields.get(name)
        if isinstance(found, str):
            found = words.get(found.casefold(), found)
        if found is not None and not isinstance(found, bool):
            raise ControlError(f"{name} cannot be {found!r}: true or false")
        return found

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        found = self._field(name, list) or []
        for each in found:
            if not isinstance(each, str):
                raise ControlError(f"{name} cannot hold {each!r}")
        return found

    def mapping(self, name: str) -> dict[str, Any]:
        """An object."""
        return self._field(name, dict) or {}

    def moment(self, name: str) -> datetime | None:
        """A time such as 2026-11-20T12:00:00Z; UTC where it does not say."""
        text = self._field(name, str)
        return None if text is None else read_moment(text)

    def _field(self, name: str, kind: type[_T]) -> _T | None:
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ControlError(f"{name} cannot be {value!r}")
        return value


async def read_wishes(request: Request, known: Iterable[str]) -> Wishes:
    """The fields of a request: its path's and its query's, or those of its body.

    `known` are the allowed ones; `…` among them allows any other too. Raises ControlError.
    """
    given = request.query_params if request.method == "GET" else await _body(request)
    fields = {**request.path_params, **given}
    allowed = tuple(known)
    unknown = [name for name in given if name not in allowed]
    if unknown and "…" not in allowed:
        one_of = f"one of {', '.join(allowed)}" if allowed else "there are none"
        raise ControlError(f"unknown field {unknown[0]!r}: {one_of}")
    return Wishes(fields)


def read_moment(text: str) -> datetime:
    """A time in ISO 8601. Raises ControlError for another text, and for another age."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ControlError(f"{text!r} is not a time such as 2026-11-20T12:00:00Z") from error
    return in_our_age(moment)


def in_our_age(moment: datetime) -> datetime:
    """The same moment. Raises ControlError for one that no organisation could live to see."""
    if moment.year not in _YEARS:
        raise ControlError(f"a clock cannot leave the years {_YEARS[0]} to {_YEARS[-1]}")
    return moment


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a request; an empty body is an empty one."""
    text = await request.body()
    try:
        body = json.loads(text or b"{}", parse_constant=_no_number)
        # Half of a surrogate pair could never be sent again.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ControlError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise ControlError("the body is not a JSON object")
    return body


def _no_number(name: str) -> float:
    message = f"{name} is no number of JSON"
    raise ValueError(message)
