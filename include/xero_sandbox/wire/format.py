r"""Xero's wire format: dates, numbers, the envelope, the layout of its JSON.

The only home of how things are spelled on the wire. Knows nothing of what is sent. Follows
recordings of the real Xero: indented by two, CRLF, UTF-8, `\/Date(…)\/` with escaped slashes
(and no other slash escaped), amounts as numbers that keep their scale and are never minus zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH_DAY = _EPOCH.toordinal()
_DAY_MILLISECONDS = 86_400_000
_CRLF = "\r\n"
_RECORD_DEPTH = 2
# Quotes and escapes in C code, and keeps every script as it is.
_quote = json.encoder.encode_basestring


def ms_date(at: datetime | date) -> str:
    """`/Date(1584585851967+0000)/`, as records carry it; negative before 1970.

    A plain date means midnight UTC; an aware datetime is truncated to the millisecond. Raises
    ValueError for a datetime without time zone.
    """
    return f"/Date({_milliseconds(at)}+0000)/"


def ms_date_bare(at: datetime | date) -> str:
    """`/Date(1584585851967)/`, as the envelope and quotes carry it: without offset."""
    return f"/Date({_milliseconds(at)})/"


def iso_date(day: date) -> str:
    """`2018-10-20T00:00:00`, the companion of a business date (`DateString`)."""
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}T00:00:00"


def iso_fraction(at: datetime) -> str:
    """`2019-07-09T23:40:30.1833130`: UTC, seven digits, no zone; as connections carry it."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}0"


def envelope(
    *,
    correlation_id: str,
    provider_name: str,
    now: datetime,
    pagination: Mapping[str, int] | None = None,
) -> dict[str, object]:
    """What stands before the records of an accounting answer; its `Id` is the correlation id."""
    head: dict[str, object] = {
        "Id": correlation_id,
        "Status": "OK",
        "ProviderName": provider_name,
        "DateTimeUTC": ms_date_bare(now),
    }
    if pagination is not None:
        head["pagination"] = dict(pagination)
    return head


def element(body: Mapping[str, object]) -> bytes:
    """The bytes of a record as an element of the envelope's array (indented by four)."""
    return _object(body, _RECORD_DEPTH).encode("utf-8", "surrogatepass")


def framed(head: Mapping[str, object], key: str, elements: Sequence[bytes]) -> bytes:
    """The bytes of a whole answer: the fields of `head`, then the array of `elements`."""
    before = dump(head).removesuffix(b"\r\n}")
    array = b"[\r\n    " + b",\r\n    ".join(elements) + b"\r\n  ]" if elements else b"[]"
    return b"".join((before, b",\r\n  ", dump(key), b": ", array, b"\r\n}"))


def dump(body: object) -> bytes:
    """The bytes of a whole body. A lone surrogate goes out as it is, as Xero would.

    Raises TypeError for a float: money is never one.
    """
    return _texts((body,), 0)[0].encode("utf-8", "surrogatepass")


def _texts(values: Iterable[object], depth: int) -> list[str]:
    """The JSON of several values; the innermost loop of serving, hence without a call a value."""
    texts = []
    for value in values:
        scalar = _SCALARS.get(type(value))
        texts.append(_nested(value, depth) if scalar is None else scalar(value))
    return texts


def _nested(value: object, depth: int) -> str:
    if isinstance(value, dict):
        return _object(value, depth)
    if isinstance(value, (list, tuple)):
        return _array(value, depth)
    if isinstance(value, Mapping):
        return _object(value, depth)
    message = f"{type(value).__name__} has no form on Xero's wire"
    raise TypeError(message)


def _milliseconds(at: datetime | date) -> int:
    if not isinstance(at, datetime):
        return (at.toordinal() - _EPOCH_DAY) * _DAY_MILLISECONDS
    if at.tzinfo is None:
        message = f"a date on the wire needs a time zone, got {at.isoformat()}"
        raise ValueError(message)
    return (at - _EPOCH) // _MILLISECOND


def _string(text: str) -> str:
    if text[:6] == "/Date(" and text[-2:] == ")/":
        return f'"\\{text[:-1]}\\/"'
    return _quote(text)


def _decimal(value: Decimal) -> str:
    text = str(value or value.copy_abs())
    return format(value, "f") if "E" in text else text


def _object(value: Mapping[str, object], depth: int) -> str:
    if not value:
        return "{}"
    return _layout(tuple(value), depth) % tuple(_texts(value.values(), depth + 1))


def _array(values: Sequence[object], depth: int) -> str:
    if not values:
        return "[]"
    inner = _CRLF + "  " * (depth + 1)
    items = f",{inner}".join(_texts(values, depth + 1))
    return f"[{inner}{items}{_CRLF}{'  ' * depth}]"


@lru_cache(maxsize=4096)
def _layout(keys: tuple[str, ...], depth: int) -> str:
    """The text of an object with these keys, its values left open: records share few layouts."""
    inner = _CRLF + "  " * (depth + 1)
    fields = [f"{inner}{_quote(key).replace('%', '%%')}: %s" for key in keys]
    return f"{{{','.join(fields)}{_CRLF}{'  ' * depth}}}"


_SCALARS: dict[type, Callable[[Any], str]] = {
    str: _string,
    Decimal: _decimal,
    int: str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
