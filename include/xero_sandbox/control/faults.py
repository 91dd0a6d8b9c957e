"""Faults on demand: which request fails next, and how.

Knows the rules given through the control door and which of them are used up. Must not know what
a request would have answered; `misbehaving.py` makes the broken answers.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from types import MappingProxyType

from xero_sandbox.errors import ControlError

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "status": "answers `status` (500 if left out) with `body` and `headers`",
        "not_json": "answers 200 with a page of HTML",
        "cut_json": "sends the first half of the real answer, as if that were all of it",
        "truncated": "sends the first half of the real answer, then closes the connection",
        "slow": "waits `seconds`, then answers as usual",
        "drop": "closes the connection before doing anything",
        "answer_lost": "does what was asked, then closes the connection",
        "drop_after": "answers as usual, then closes the connection",
        "refresh_answer_lost": "rotates the refresh token, then closes the connection",
        "token_expired": "401 TokenExpired",
        "scope_missing": "401 AuthorizationUnsuccessful",
        "forbidden": "403, as for a tenant that is no longer connected",
        "disconnected": "really ends the connections to the tenant, then 403",
        "offline": "503 in plain text",
        "minute_limit": "429, minute, with Retry-After of `seconds`",
        "day_limit": "429, day, with Retry-After of `seconds`",
        "concurrent_limit": "429, concurrent",
        "app_minute_limit": "429, appminute",
        "refused_refresh": "400 invalid_grant for refresh tokens",
        "empty_list": "answers 200, with a list that is suddenly empty",
        "unknown_enum": "puts `value` into a `field` of a fixed set (Status …) of a record",
        "unknown_field": "adds `field` with `value` to a record",
        "nul_character": "puts a NUL character into a text `field` (Name …) of a record",
        "record_edited": "answers, then edits a record of the answer, so that it moves to the end",
    }
)
REWRITES = ("empty_list", "unknown_enum", "unknown_field", "nul_character")
_REFRESH_KINDS = ("refresh_answer_lost", "refused_refresh")
_TENANT_KINDS = ("disconnected", "record_edited")
_TOKEN_PATH = "/connect/token"
_MOST_SECONDS = 1_000_000
_TO_MIDNIGHT = 41_000
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "kind": f"one of {', '.join(KINDS)}",
        "path": "of the requests it acts on; with * at its end any that starts so",
        "tenant": "only calls for this organisation",
        "method": "only calls with this method",
        "query": "object: only calls with these parameters",
        "call": "waits for the n-th call that fits",
        "times": "acts so often (1 if left out; 0: for ever)",
        "probability": "acts on each call with this chance, from 0 to 1",
        "seed": "of that chance",
        "status": "for kind status",
        "body": "for kinds status, not_json, offline",
        "headers": "object, for kinds status and not_json",
        "seconds": f"for kind slow, and the Retry-After of limits (1; day_limit: {_TO_MIDNIGHT})",
        "field": "the field to rewrite; a usual one if left out",
        "value": "what to put there",
        "record": "which record of the answer to rewrite or edit, from 0; -1 is the last",
    }
)
"""What a rule may say, in words."""


@dataclass
class Fault:
    """One rule of what goes wrong.

    It matches by path (`*` at its end: any path that starts so), method, tenant and query; waits
    for the `call`-th match; acts `times` times (0: for ever), each with `probability`, drawn
    from `seed`. What the other fields mean depends on the kind: see FIELDS.
    """

    path: str
    kind: str = "status"
    status: int = 500
    body: str | None = None
    headers: dict[str, str] = dataclass_field(default_factory=dict)
    seconds: float = 1.0
    tenant: str | None = None
    method: str | None = None
    query: dict[str, str] = dataclass_field(default_factory=dict)
    call: int = 1
    times: int = 1
    probability: float = 1.0
    seed: int = 0
    field: str = ""
    value: str = ""
    record: int = 0
    matched: int = 0
    used: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    @property
    def is_spent(self) -> bool:
        """Whether it has acted as often as it should."""
        return self.times > 0 and self.used >= self.times

    def takes(self, call: Call) -> bool:
        """Count this call, and say whether the fault acts on it."""
        if self.is_spent or not self._matches(call):
            return False
        self.matched += 1
        if self.matched < self.call or self._random.random() >= self.probability:
            return False
        self.used += 1
        return True

    def _matches(self, call: Call) -> bool:
        wanted = self.path.casefold()
        path = call.path.casefold()
        fits = path.startswith(wanted[:-1]) if wanted.endswith("*") else path == wanted
        return (
            fits
            and self.tenant in (None, call.tenant_id)
            and self.method in (None, call.method)
            and all(call.query.get(name) == value for name, value in self.query.items())
            and (self.kind not in _REFRESH_KINDS or call.is_refresh)
            and (self.kind not in _TENANT_KINDS or call.tenant_id is not None)
        )


@dataclass(frozen=True)
class Call:
    """What a fault may look at."""

    method: str
    path: str
    query: Mapping[str, str]
    tenant_id: str | None = None
    is_refresh: bool = False


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, wanted: Mapping[str, object]) -> Fault:
        """Take a rule from the control door. Raises ControlError for what does not fit."""
        fault = Fault(**_checked(wanted))  # type: ignore[arg-type]
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every rule."""
        self.rules.clear()

    def next(self, call: Call) -> Fault | None:
        """The first rule that acts on this call; spent ones are dropped."""
        hit = next((fault for fault in self.rules if fault.takes(call)), None)
        self.rules = [fault for fault in self.rules if not fault.is_spent]
        return hit


_TYPES: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("path", "kind", "body", "tenant", "method", "field", "value"), str),
        **dict.fromkeys(("status", "call", "times", "seed", "record"), int),
        **dict.fromkeys(("seconds", "probability"), (int, float)),
        **dict.fromkeys(("headers", "query"), dict),
    }
)
_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "status": (200, 599),
        "seconds": (0, _MOST_SECONDS),
        "probability": (0, 1),
        "call": (1, _MOST_SECONDS),
        "times": (0, _MOST_SECONDS),
    }
)


def describe(fault: Fault) -> dict[str, object]:
    """The rule as the control door shows it."""
    return {item.name: getattr(fault, item.name) for item in fields(fault)}


def _checked(wanted: Mapping[str, object]) -> dict[str, object]:
    given = {name: value for name, value in wanted.items() if value is not None}
    for name, value in given.items():
        _check_field(name, value)
    if given.setdefault("kind", "status") not in KINDS:
        raise ControlError(f"unknown kind {given['kind']!r} of a fault: one of {', '.join(KINDS)}")
    if given["kind"] in _REFRESH_KINDS:
        given.setdefault("path", _TOKEN_PATH)
    if given["kind"] == "day_limit":
        given.setdefault("seconds", _TO_MIDNIGHT)
    if "path" not in given:
        raise ControlError('a fault needs a path, such as "/api.xro/2.0/Invoices" or "/api.xro/*"')
    for name in ("headers", "query"):
        if isinstance(pairs := given.get(name), dict):
            given[name] = {str(key): str(value) for key, value in pairs.items()}
    _check_headers(given.get("headers"))
    return given


def _check_field(name: str, value: object) -> None:
    kind = _TYPES.get(name)
    if kind is None:
        raise ControlError(f"unknown field {name!r} of a fault: one of {', '.join(_TYPES)}")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ControlError(f"{name} of a fault cannot be {value!r}")
    low, high = _RANGES.get(name, (-math.inf, math.inf))
    if isinstance(value, int | float) and not low <= value <= high:
        raise ControlError(f"{name} of a fault cannot be {value!r}: from {low} to {high}")


def _check_headers(headers: object) -> None:
    """Refuse what HTTP cannot carry, rather than break while answering."""
    for name, value in headers.items() if isinstance(headers, dict) else ():
        is_name = _HEADER_NAME.fullmatch(name) is not None
        if not is_name or _HEADER_VALUE.fullmatch(value) is None:
            raise ControlError(f"{name!r}: {value!r} is no header of HTTP")
        if name.casefold() in ("content-length", "transfer-encoding"):
            raise ControlError(f"the header {name} is the server's own")
