r"""Xero's wire format: dates, numbers, the envelope, the layout of its JSON.

The only home of how things are spelled on the wire. Knows nothing of what is sent. Follows
recordings of the real Xero: indented by two, CRLF, UTF-8, `\/Date(…)\/` with escaped slashes
(and no other slash escaped), amounts as numbers that keep their scale.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_CRLF = "\r\n"
_RECORD_DEPTH = 2
# Quotes and escapes in C code, and keeps every script as it is.
_quote = json.encoder.encode_basestring


class WireRecord(dict[str, object]):
    """A record that remembers its text, so that serving it again costs almost nothing.

    Must not be changed once it was served: a change makes a new record.
    """

    __slots__ = ("_text",)
    _text: str

    def text(self) -> str:
        """Its JSON as an element of the envelope's array (indented by four)."""
        try:
            return self._text
        except AttributeError:
            self._text = _object(self, _RECORD_DEPTH)
            return self._text


def ms_date(at: datetime | date) -> str:
    """`/Date(1584585851967+0000)/`, as records carry it; negative before 1970.

    A plain date means midnight UTC; an aware datetime is truncated to the millisecond. Raises
    ValueError for a datetime without time zone.
    """
    return f"/Date({_milliseconds(at)}+0000)/"


def ms_date_bare(at: datetime | date) -> str:
    """`/Date(1584585851967)/`, as the envelope carries it: without offset."""
    return f"/Date({_milliseconds(at)})/"


def iso_date(day: date) -> str:
    """`2018-10-20T00:00:00`, the companion of a business date (`DateString`)."""
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}T00:00:00"


def iso_fraction(at: datetime) -> str:
    """`2019-07-09T23:40:30.1833130`: UTC, seven digits, no zone; as connections carry it."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}0"


def envelope(
    key: str,
    records: Sequence[Mapping[str, object]],
    *,
    correlation_id: str,
    provider_name: str,
    now: datetime,
    pagination: Mapping[str, int] | None = None,
) -> dict[str, object]:
    """The body around every answer of the accounting API; its `Id` is the correlation id."""
    body: dict[str, object] = {
        "Id": correlation_id,
        "Status": "OK",
        "ProviderName": provider_name,
        "DateTimeUTC": ms_date_bare(now),
    }
    if pagination is not None:
        body["pagination"] = dict(pagination)
    body[key] = records
    return body


def answer(
    request: Request,
    key: str,
    records: Sequence[Mapping[str, object]],
    *,
    pagination: Mapping[str, int] | None = None,
) -> Response:
    """The 200 of one accounting request: `records` under `key`, in the envelope.

    Reads `business_now`, `correlation_id` and `provider_name` from the request's state, where
    the app puts them. The app adds the headers.
    """
    body = envelope(
        key,
        records,
        correlation_id=request.state.correlation_id,
        provider_name=request.state.provider_name,
        now=request.state.business_now,
        pagination=pagination,
    )
    return Response(dump(body), media_type="application/json; charset=utf-8")


def dump(body: object) -> bytes:
    """The bytes of a whole body. A lone surrogate goes out as it is, as Xero would."""
    return render(body).encode("utf-8", "surrogatepass")


def render(value: object, *, depth: int = 0) -> str:
    """JSON as Xero prints it, for a value that stands at this indentation.

    The first line is not indented. Raises TypeError for a float: money is never one.
    """
    scalar = _SCALARS.get(type(value))
    if scalar is not None:
        return scalar(value)
    if isinstance(value, WireRecord) and depth == _RECORD_DEPTH:
        return value.text()
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _array(value, depth)
    message = f"{type(value).__name__} has no form on Xero's wire"
    raise TypeError(message)


def _milliseconds(at: datetime | date) -> int:
    if not isinstance(at, datetime):
        at = datetime.combine(at, time(), tzinfo=UTC)
    if at.tzinfo is None:
        message = f"a date on the wire needs a time zone, got {at.isoformat()}"
        raise ValueError(message)
    return (at - _EPOCH) // _MILLISECOND


def _string(text: str) -> str:
    if text.startswith("/Date(") and text.endswith(")/"):
        return f'"\\{text[:-1]}\\/"'
    return _quote(text)


def _object(value: Mapping[str, object], depth: int) -> str:
    if not value:
        return "{}"
    inner = _indent(depth + 1)
    fields = [f"{inner}{_key(k)}: {render(item, depth=depth + 1)}" for k, item in value.items()]
    return f"{{{','.join(fields)}{_indent(depth)}}}"


def _array(values: Sequence[object], depth: int) -> str:
    if not values:
        return "[]"
    inner = _indent(depth + 1)
    items = [f"{inner}{render(item, depth=depth + 1)}" for item in values]
    return f"[{','.join(items)}{_indent(depth)}]"


@lru_cache(maxsize=64)
def _indent(depth: int) -> str:
    return _CRLF + "  " * depth


@lru_cache(maxsize=4096)
def _key(key: str) -> str:
    return _quote(key)


_SCALARS: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        str: _string,
        Decimal: lambda value: format(value, "f"),
        int: str,
        bool: lambda value: "true" if value else "false",
        type(None): lambda _: "null",
    }
)
