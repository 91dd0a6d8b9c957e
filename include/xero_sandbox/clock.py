"""Clocks that can be set and then tick on with real time.

The only place where the sandbox reads the machine's time. Knows nothing of what is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def wall_now() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


class Clock:
    """A clock that ticks from where it is set; a jump of the machine's own clock does not move it.

    Starts at `at` (aware), or at the machine's time. Not older than year 1, not after 9999.
    """

    def __init__(
        self, at: datetime | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._mark = monotonic()
        self._at = wall_now() if at is None else _aware(at)

    def now(self) -> datetime:
        """The time on this clock, aware UTC."""
        return self._at + timedelta(seconds=self._monotonic() - self._mark)

    def set(self, at: datetime) -> None:
        """Go on from `at`, forward or back. Raises ValueError when `at` has no time zone."""
        moment = _aware(at)
        self._mark = self._monotonic()
        self._at = moment

    def advance(self, seconds: float) -> None:
        """Jump ahead (or, when negative, back) by `seconds`."""
        self.set(self.now() + timedelta(seconds=seconds))

    def offset_seconds(self) -> float:
        """How far this clock is ahead of the machine's: what a restart needs to go on."""
        return (self.now() - wall_now()).total_seconds()


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        message = f"a clock needs a time with a time zone, got {at.isoformat()}"
        raise ValueError(message)
    return at.astimezone(UTC)
