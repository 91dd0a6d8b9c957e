"""Faults on demand: which request fails next, and how.

Knows the rules given through the control door and which of them are used up. Must not know what
a request would have answered; `misbehaving.py` makes the broken answers.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from xero_sandbox.errors import ControlError

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "status": "answers `status` with `body` and `headers`",
        "not_json": "answers 200 with a page of HTML",
        "truncated": "stops in the middle of the real answer",
        "slow": "waits `seconds`, then answers as usual",
        "drop": "closes the connection before doing anything",
        "answer_lost": "does what was asked, then closes the connection",
        "refresh_answer_lost": "rotates the refresh token, then closes the connection",
        "token_expired": "401 TokenExpired",
        "scope_missing": "401 AuthorizationUnsuccessful",
        "forbidden": "403, as for a tenant that is no longer connected",
        "offline": "503 in plain text",
        "minute_limit": "429, minute, with Retry-After of `seconds`",
        "day_limit": "429, day, with Retry-After of `seconds`",
        "concurrent_limit": "429, concurrent",
        "app_minute_limit": "429, appminute",
        "refused_refresh": "400 invalid_grant for refresh tokens",
    }
)
_REFRESH_KINDS = ("refresh_answer_lost", "refused_refresh")
_TOKEN_PATH = "/connect/token"


@dataclass
class Fault:
    """One rule of what goes wrong.

    It matches by path (`*` at its end: any path that starts so), method, tenant and query; waits
    for the `call`-th match; acts `times` times (0: for ever), each with `probability`, drawn
    from `seed`.
    """

    path: str
    kind: str = "status"
    status: int = 500
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    tenant: str | None = None
    method: str | None = None
    query: dict[str, str] = field(default_factory=dict)
    call: int = 1
    times: int = 1
    probability: float = 1.0
    seed: int = 0
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
        "path": str,
        "kind": str,
        "status": int,
        "body": str,
        "headers": dict,
        "seconds": (int, float),
        "tenant": str,
        "method": str,
        "query": dict,
        "call": int,
        "times": int,
        "probability": (int, float),
        "seed": int,
    }
)


def describe(fault: Fault) -> dict[str, object]:
    """The rule as the control door shows it."""
    return {item.name: getattr(fault, item.name) for item in fields(fault)}


def _checked(wanted: Mapping[str, object]) -> dict[str, object]:
    given = {name: value for name, value in wanted.items() if value is not None}
    for name, value in given.items():
        kind = _TYPES.get(name)
        if kind is None:
            raise ControlError(f"unknown field {name!r} of a fault: one of {', '.join(_TYPES)}")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ControlError(f"{name} of a fault cannot be {value!r}")
    if given.setdefault("kind", "status") not in KINDS:
        raise ControlError(f"unknown kind {given['kind']!r} of a fault: one of {', '.join(KINDS)}")
    if given["kind"] in _REFRESH_KINDS:
        given.setdefault("path", _TOKEN_PATH)
    if "path" not in given:
        raise ControlError('a fault needs a path, such as "/api.xro/2.0/Invoices" or "/api.xro/*"')
    for name in ("headers", "query"):
        if isinstance(pairs := given.get(name), dict):
            given[name] = {str(key): str(value) for key, value in pairs.items()}
    return given
