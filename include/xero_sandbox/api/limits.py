"""Xero's rate limits: 5 at a time, 60 a minute and 1,000 or 5,000 a day per tenant, 10,000 per app.

Knows calls and a clock, and must not know what a call does. Windows are fixed, and open at a
different second for every tenant. Follows Xero's "OAuth 2.0 API limits".
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from xero_sandbox.api.paging import LARGEST_PAGE_SIZE
from xero_sandbox.clock import Clock
from xero_sandbox.errors import ControlError, RateLimitError
from xero_sandbox.identity.tiers import TIERS

_MINUTE_SECONDS = 60
_DAY_SECONDS = 86_400
_APP = ""
_SWITCHES = ("enabled", "rapid_sync")


@dataclass(frozen=True)
class LimitSettings:
    """What is allowed. Numbers are calls; `tier` is the app's price tier.

    `high_volume` is the number of documents above which an unpaged list is refused, `page_size`
    that of records on the largest page: few make a small organisation a long walk. With
    `rapid_sync`, neither minute nor day is counted within 30 minutes of a new connection.
    """

    enabled: bool = True
    tier: str = "advanced"
    concurrent: int = 5
    minute: int = 60
    day: int = TIERS["advanced"].day
    app_minute: int = 10_000
    high_volume: int = 100_000
    page_size: int = LARGEST_PAGE_SIZE
    rapid_sync: bool = False

    def changed(self, wanted: Mapping[str, object]) -> LimitSettings:
        """These settings with some replaced. Raises ControlError for what does not fit.

        A tier brings its day limit with it, unless `day` is given too.
        """
        known = {item.name for item in fields(self)}
        for name, value in wanted.items():
            _check(name, value, known)
        tier = wanted.get("tier")
        changes = dict(wanted)
        if isinstance(tier, str):
            changes.setdefault("day", TIERS[tier].day)
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass
class _Window:
    """A fixed window of `seconds`; it starts anew when the clock leaves it, forward or back."""

    seconds: int
    shift: int
    index: int = -1
    used: int = 0

    def left(self, limit: int, now: datetime) -> int:
        """Roll over if the clock left this window; the calls that are left."""
        index = (int(now.timestamp()) + self.shift) // self.seconds
        if index != self.index:
            self.index, self.used = index, 0
        return max(0, limit - self.used)

    def reopens_in(self, now: datetime) -> int:
        end = (self.index + 1) * self.seconds - self.shift
        return max(1, math.ceil(end - now.timestamp()))


@dataclass
class _Counters:
    minute: _Window
    day: _Window
    in_flight: int = field(default=0)


class Limits:
    """Counts the calls of every tenant against the settings, by the given clock."""

    def __init__(self, clock: Clock, settings: LimitSettings | None = None) -> None:
        self._clock = clock
        self.settings = settings or LimitSettings()
        self._counters: dict[str, _Counters] = {}

    def clear(self) -> None:
        """Forget every call that was counted; calls in flight still end well."""
        self._counters = {}

    @contextmanager
    def call(self, tenant_id: str, *, is_lifted: bool = False) -> Iterator[None]:
        """Count one call and hold its place among the concurrent ones.

        `is_lifted`: it counts neither for the minute nor for the day. Raises RateLimitError when
        a limit is used up; such a call is not counted.
        """
        counters = self._of(tenant_id)
        if self.settings.enabled:
            self._refuse(counters, is_lifted=is_lifted)
        if not is_lifted:
            counters.minute.used += 1
            counters.day.used += 1
        self._of(_APP).minute.used += 1
        counters.in_flight += 1
        try:
            yield
        finally:
            counters.in_flight -= 1

    def left(self, tenant_id: str) -> dict[str, int]:
        """Calls left: `minute`, `day`, `app_minute`; all of them while the limits are off."""
        wanted = self.settings
        if not wanted.enabled:
            return {"minute": wanted.minute, "day": wanted.day, "app_minute": wanted.app_minute}
        now, counters = self._clock.now(), self._of(tenant_id)
        return {
            "minute": counters.minute.left(wanted.minute, now),
            "day": counters.day.left(wanted.day, now),
            "app_minute": self._of(_APP).minute.left(wanted.app_minute, now),
        }

    def headers(self, tenant_id: str) -> dict[str, str]:
        """The headers that say what is left."""
        left = self.left(tenant_id)
        return {
            "X-AppMinLimit-Remaining": str(left["app_minute"]),
            "X-MinLimit-Remaining": str(left["minute"]),
            "X-DayLimit-Remaining": str(left["day"]),
        }

    def _of(self, tenant_id: str) -> _Counters:
        counters = self._counters.get(tenant_id)
        if counters is None:
            shift = int.from_bytes(hashlib.sha256(tenant_id.encode()).digest()[:4])
            counters = _Counters(
                _Window(_MINUTE_SECONDS, shift % _MINUTE_SECONDS),
                _Window(_DAY_SECONDS, shift % _DAY_SECONDS),
            )
            self._counters[tenant_id] = counters
        return counters

    def _refuse(self, counters: _Counters, *, is_lifted: bool) -> None:
        now, wanted = self._clock.now(), self.settings
        # All windows roll before any refuses, so that what is left is true after a refusal too.
        day_left = counters.day.left(wanted.day, now)
        minute_left = counters.minute.left(wanted.minute, now)
        app_left = self._of(_APP).minute.left(wanted.app_minute, now)
        if counters.in_flight >= wanted.concurrent:
            raise RateLimitError("concurrent")
        if day_left == 0 and not is_lifted:
            raise RateLimitError("day", counters.day.reopens_in(now))
        if minute_left == 0 and not is_lifted:
            raise RateLimitError("minute", counters.minute.reopens_in(now))
        if app_left == 0:
            raise RateLimitError("appminute")


def _check(name: str, value: object, known: set[str]) -> None:
    least = 1 if name == "page_size" else 0
    if name not in known:
        raise ControlError(f"unknown limit {name!r}: one of {', '.join(sorted(known))}")
    if name == "tier":
        fits = isinstance(value, str) and value in TIERS
    elif name in _SWITCHES:
        fits = isinstance(value, bool)
    else:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if not fits:
        allowed = {"tier": f"one of {', '.join(TIERS)}"}
        allowed |= dict.fromkeys(_SWITCHES, "true or false")
        wanted = allowed.get(name, f"a whole number of at least {least}")
        raise ControlError(f"{name} cannot be {value!r}: {wanted}")
