"""What an answer of Xero means: the error behind a status, the envelope before the records.

Knows Xero's status table and envelope. Must not know retries, tokens or Postgres, and copies
no header and no body into a message beyond a few short, cleaned sentences of Xero's own.
Source: https://developer.xero.com/documentation/api/accounting/responsecodes
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from airflow_xero.endpoint import Endpoint
from airflow_xero.errors import (
    BadRequestError,
    ConsentLostError,
    HighVolumeError,
    NotFoundError,
    RateLimitError,
    ScopeMissingError,
    TenantForbiddenError,
    UnavailableError,
    UnexpectedPayloadError,
    XeroError,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_XERO_DATE = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
# What JSON may hold and Postgres does not take: no letter, and halves of letters.
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_LONG_WORD = re.compile(r"[\w.+/=-]{40,}")
_MOST_VALIDATION_MESSAGES = 5
_LIMITS = ("minute", "day", "concurrent", "appminute")
REFUSES_ORGANISATION = "Xero refuses this organisation"
"""How the message of a TenantForbiddenError begins, also within the reason of a run."""

_FIXED_MEANINGS: Mapping[int, tuple[type[XeroError], str]] = {
    403: (
        TenantForbiddenError,
        (
            f"{REFUSES_ORGANISATION}: it was disconnected from the app, or the user who "
            "connected it lost access or the right to see reports; press Connect to Xero as a "
            "user who has both"
        ),
    ),
    404: (NotFoundError, "Xero knows no such resource; please report it"),
}


@dataclass(frozen=True)
class Envelope:
    """What stands around the records: Xero's clock, the length of the list, whether any come."""

    xero_now: datetime
    page_count: int | None
    item_count: int | None
    is_empty: bool


def error_of(
    response: httpx.Response,
    *,
    tenant_id: str | None = None,
    endpoint: Endpoint | None = None,
) -> XeroError:
    """The one class of `errors.py` that an answer other than 200 means.

    A 401 that is about the token, not about scopes, is ConsentLostError: the caller may renew
    the token once before believing it.
    """
    where: dict[str, Any] = {
        "tenant_id": tenant_id,
        "endpoint": endpoint.name if endpoint else None,
        "status": response.status_code,
        "correlation_id": response.headers.get("Xero-Correlation-Id"),
    }
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return _unauthorised(response, endpoint, where)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return _rate_limited(response, where)
    kind, message = _meaning_of(response)
    if kind is UnavailableError:
        where["retry_after_seconds"] = int_header(response, "Retry-After")
    return kind(message, **where)


def envelope_of(
    response: httpx.Response, *, tenant_id: str, endpoint: Endpoint, page: int | None = None
) -> Envelope:
    """Read the envelope without parsing the records, where Xero writes it before them.

    The records themselves stay unread: Postgres judges them. Raises UnexpectedPayloadError.
    """
    where: dict[str, Any] = {
        "tenant_id": tenant_id,
        "endpoint": endpoint.name,
        "page": page,
        "status": response.status_code,
        "correlation_id": response.headers.get("Xero-Correlation-Id"),
    }
    envelope, is_empty = _envelope_and_emptiness(response.content, endpoint.array_key)
    if envelope is None:
        raise UnexpectedPayloadError(
            f"The answer is no JSON as Xero documents it ({_excerpt(response)}): often a proxy"
            " between here and Xero answers in its place; if there is none, please report it",
            **where,
        )
    given = envelope.get("pagination")
    pagination = given if isinstance(given, dict) else {}
    return Envelope(
        xero_now=moment_of(envelope.get("DateTimeUTC")) or _sent_at(response, where),
        page_count=_whole_number(pagination.get("pageCount")),
        item_count=_whole_number(pagination.get("itemCount")),
        is_empty=is_empty,
    )


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def storable(text: str) -> str:
    """The text as Postgres takes it: what is no letter becomes U+FFFD."""
    return _NOT_STORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def int_header(response: httpx.Response, name: str) -> int | None:
    """A header that counts, or None where it is missing or no number."""
    text = response.headers.get(name, "").strip()
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None


def _envelope_and_emptiness(body: bytes, array_key: str) -> tuple[dict[str, Any] | None, bool]:
    # Quotes inside a JSON string are escaped, so this match can only be the key itself (or the
    # same key nested, which parses as no object below and takes the slow way).
    key = re.search(rb'"%s"\s*:\s*\[(\s*\])?' % re.escape(array_key).encode(), body[:65536])
    if key:
        head = _json_object(body[: key.start()].rstrip().rstrip(b",") + b"}")
        if head is not None and "DateTimeUTC" in head and "pagination" in head:
            return head, key.group(1) is not None
    whole = _json_object(body)
    return whole, whole is not None and whole.get(array_key) == []


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def moment_of(value: object) -> datetime | None:
    """A stamp of Xero's such as `/Date(1584585851967+0000)/` (aware UTC), or None for no stamp."""
    match = _XERO_DATE.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(match.group(1)))
    except OverflowError:
        return None


def _sent_at(response: httpx.Response, where: Mapping[str, Any]) -> datetime:
    # Bodies of before 2012 lack DateTimeUTC; the server's Date header is the same clock.
    try:
        sent_at: datetime = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        raise UnexpectedPayloadError(
            "The answer lacks DateTimeUTC, so that Xero's clock is unknown; please report it",
            **where,
        ) from None
    return sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)


def _meaning_of(response: httpx.Response) -> tuple[type[XeroError], str]:
    status = response.status_code
    if status in _FIXED_MEANINGS:
        return _FIXED_MEANINGS[status]
    if status == httpx.codes.BAD_REQUEST and _type_of(response) == "HighVolumeException":
        return HighVolumeError, "Xero finds this read too large; please report it"
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        return UnavailableError, f"Xero cannot answer now: {_excerpt(response)}"
    if status >= httpx.codes.BAD_REQUEST:
        why = "; ".join([_excerpt(response), *_validation_messages(response)])
        return BadRequestError, f"Xero refused our request; report it: {why}"
    return UnexpectedPayloadError, "Xero answered with a status it does not document; report it"


def _unauthorised(
    response: httpx.Response, endpoint: Endpoint | None, where: Mapping[str, Any]
) -> XeroError:
    said = f"{_excerpt(response)} {response.headers.get('WWW-Authenticate', '')}".lower()
    # Xero's own documentation misspells insufficient_scope; match both.
    if "authorizationunsuccessful" in said or "insufficient_scope" in said.replace(
        "cent_", "cient_"
    ):
        scopes = " or ".join(endpoint.scopes) if endpoint else "a scope"
        return ScopeMissingError(
            f"The user did not grant {scopes}: add it to the scopes of the Airflow connection "
            "and press Connect to Xero again",
            **where,
        )
    return ConsentLostError(
        "Xero refuses the access token: press Connect to Xero again on the Xero page", **where
    )


def _rate_limited(response: httpx.Response, where: Mapping[str, Any]) -> RateLimitError:
    retry_after_seconds = int_header(response, "Retry-After")
    said = response.headers.get("X-Rate-Limit-Problem", "").strip().lower().removesuffix("limit")
    # Without the header, only the length of the wait tells the limits apart.
    guess = "day" if (retry_after_seconds or 0) > 60 else "minute"
    limit = said if said in _LIMITS else guess
    opens = f" and opens in {retry_after_seconds} seconds" if retry_after_seconds else ""
    whose = "the whole app" if limit == "appminute" else "this organisation"
    return RateLimitError(
        f"Xero's {limit} limit for {whose} is used up{opens}",
        limit=limit,
        retry_after_seconds=retry_after_seconds,
        **where,
    )


def _type_of(response: httpx.Response) -> str:
    return str(_lower_keys(_json_object(response.content) or {}).get("type", ""))


def _excerpt(response: httpx.Response) -> str:
    """One short sentence of the answer, without anything long enough to be a token."""
    fields = _lower_keys(_json_object(response.content) or {})
    said = fields.get("detail") or fields.get("message") or fields.get("title")
    text = said if isinstance(said, str) else ""
    if not text and "text/plain" in response.headers.get("Content-Type", ""):
        text = response.text[:200]
    return _cleaned(text) or f"HTTP {response.status_code} without an explanation"


def _validation_messages(response: httpx.Response) -> list[str]:
    """What Xero says is wrong with the records of a request, each once, the first few of them.

    Of an element nothing else is read: it repeats the record, which is a customer's.
    """
    body = _json_object(response.content) or {}
    elements = (body, *_dicts_in(body.get("Elements")))
    said = (
        _cleaned(message)
        for element in elements
        for error in _dicts_in(element.get("ValidationErrors"))
        if isinstance(message := error.get("Message"), str)
    )
    return list(dict.fromkeys(filter(None, said)))[:_MOST_VALIDATION_MESSAGES]


def _dicts_in(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _cleaned(text: str) -> str:
    """A short line without anything long enough to be a token."""
    return _LONG_WORD.sub("…", " ".join(text.split()))[:160]


def _lower_keys(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in fields.items()}
