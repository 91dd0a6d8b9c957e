"""How long the calls of one client have waited together, and when that is enough.

Calls that wait at the same time are one wait: four pages that are fetched together wait for the
same minute. Knows clocks and sleep; may be shared by threads. Must not know HTTP, or what is waited
for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Lock

from airflow_xero.errors import XeroError

_SLICE_SECONDS = 5.0


class Waiting:
    """Waits, `budget_seconds` at most in all, in slices after which a walk can be given up.

    `clock` counts seconds, as `time.monotonic` does.
    """

    def __init__(
        self,
        *,
        budget_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget_seconds = budget_seconds
        self._sleep = sleep
        self._clock = clock
        self._lock = Lock()
        self._seconds = 0.0
        self._waiting = 0
        self._until = 0.0

    def wait(self, seconds: float, reason: XeroError, abandoned: Event) -> None:
        """Sleep so many seconds.

        Raises `reason` at once when all waiting together would pass the budget, and within a slice
        when the walk is `abandoned`.
        """
        self._begin(seconds, reason)
        try:
            while seconds > 0 and not abandoned.is_set():
                self._sleep(min(seconds, _SLICE_SECONDS))
                seconds -= _SLICE_SECONDS
        finally:
            with self._lock:
                self._waiting -= 1
        if abandoned.is_set():
            raise reason

    def _begin(self, seconds: float, reason: XeroError) -> None:
        """Count of this wait what no other one covers that is under way."""
        with self._lock:
            now = self._clock()
            covered_until = max(now, self._until) if self._waiting else now
            longer = max(0.0, now + seconds - covered_until)
            if self._seconds + longer > self._budget_seconds:
                raise reason
            self._seconds += longer
            self._until = covered_until + longer
            self._waiting += 1
