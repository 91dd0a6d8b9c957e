"""How many calls Xero still allows, and how long to wait before the next one.

Knows Xero's limits as its headers tell them: a minute and a day per tenant, a minute for the
whole app, each a fixed window. May be shared by threads. Must not know HTTP, or what a call asks.
Source: https://developer.xero.com/documentation/guides/oauth2/limits
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from airflow_xero.errors import RateLimitError

_WINDOW_SECONDS = 60.0
# Ten thousand calls a minute for all tenants of an app: the last few are left to whoever has none.
_APP_RESERVE = 50
# More calls than could be told late by answers that overtook each other: a new day has begun.
_NEW_DAY = 100
# Nobody says when a day's window opens; asking costs one call.
_ASK_AGAIN_SECONDS = 3600


@dataclass(frozen=True)
class CallsLeft:
    """What the headers of one answer say is left; None where one is missing."""

    minute: int | None = None
    day: int | None = None
    app_minute: int | None = None


@dataclass
class _Window:
    """What is known of a minute: Xero's windows are fixed, not rolling."""

    left: int | None = None
    seen_at: float = 0.0

    def note(self, left: int | None, now: float) -> None:
        """Remember the calls left, if an answer told them.

        A new window has begun if they are more than before, or the one that was seen is over.
        """
        if left is None:
            return
        is_over = now - self.seen_at >= _WINDOW_SECONDS
        if self.left is None or left > self.left or is_over:
            self.seen_at = now
        self.left = left

    def seconds_to_wait(self, now: float, *, reserve: int) -> float:
        """Seconds until the window is certainly over; 0 while calls are left or unknown."""
        if self.left is None or self.left > reserve:
            return 0.0
        seconds = self.seen_at + _WINDOW_SECONDS - now
        if seconds <= 0:
            self.left = None
        return max(0.0, seconds)


@dataclass
class _Day:
    """What is left of a day, less the calls that are under way."""

    left: int | None = None

    def take(self) -> None:
        """Count a call before its answer does: parallel ones must not share the last one."""
        if self.left is not None:
            self.left -= 1

    def note(self, left: int, in_flight: int) -> None:
        """Remember the calls left; a late answer, which knows less than we do, changes nothing."""
        if self.left is None or left > self.left + _NEW_DAY:
            self.left = left - in_flight
        else:
            self.left = min(self.left, left)


@dataclass
class _Tenant:
    minute: _Window = field(default_factory=_Window)
    day: _Day = field(default_factory=_Day)
    in_flight: int = 0


class Pace:
    """Hands out calls so that no limit is hit; `reserve` calls a day and tenant are left alone.

    `clock` counts seconds, as `time.monotonic` does.
    """

    def __init__(self, *, reserve: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._reserve = reserve
        self._clock = clock
        self._lock = Lock()
        self._app = _Window()
        self._tenants: dict[str, _Tenant] = {}

    def seconds_to_wait(self, tenant_id: str) -> float:
        """Take a call and return 0, or return the seconds after which to ask once more.

        Raises RateLimitError (day) when only the reserve is left of the tenant's day.
        """
        with self._lock:
            tenant = self._tenants.setdefault(tenant_id, _Tenant())
            if tenant.day.left is not None and tenant.day.left <= self._reserve:
                raise _used_up(tenant_id, tenant.day.left, self._reserve)
            now = self._clock()
            seconds = max(
                tenant.minute.seconds_to_wait(now, reserve=0),
                self._app.seconds_to_wait(now, reserve=_APP_RESERVE),
            )
            if seconds == 0:
                tenant.in_flight += 1
                tenant.day.take()
            return seconds

    def note(self, tenant_id: str, left: CallsLeft) -> None:
        """End a call that was taken, with what its answer said; nothing when none came."""
        with self._lock:
            tenant = self._tenants.setdefault(tenant_id, _Tenant())
            tenant.in_flight = max(0, tenant.in_flight - 1)
            now = self._clock()
            self._app.note(left.app_minute, now)
            if left.day is not None:
                tenant.day.note(left.day, tenant.in_flight)
            # Calls under way may not be counted in it yet.
            minute = None if left.minute is None else max(0, left.minute - tenant.in_flight)
            tenant.minute.note(minute, now)

    def forget(self, tenant_id: str, *, is_new_day: bool = False) -> None:
        """Xero's minute was waited for: it is over, and so is the day when that opened, too."""
        with self._lock:
            tenant = self._tenants.setdefault(tenant_id, _Tenant())
            tenant.minute.left = None
            self._app.left = None
            if is_new_day:
                tenant.day.left = None


def _used_up(tenant_id: str, left: int, reserve: int) -> RateLimitError:
    return RateLimitError(
        f"Of Xero's day limit for this organisation {left} calls are left, and {reserve} are kept"
        " for other programs of the app",
        limit="day",
        retry_after_seconds=_ASK_AGAIN_SECONDS,
        tenant_id=tenant_id,
    )
