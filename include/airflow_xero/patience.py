"""How often and how long a question to Xero is repeated.

Knows which errors pass by themselves. Must not know HTTP, whose question it is, or how much all of
them wait together.
"""

from __future__ import annotations

from secrets import SystemRandom

from airflow_xero.errors import RateLimitError, UnavailableError, XeroBusyError, XeroError

_LONGEST_WAIT_SECONDS = 60
_FAULT_TRIES = 4
_CONCURRENT_TRIES = 8
_random = SystemRandom()


class Patience:
    """How often and how long one question is repeated."""

    def __init__(self) -> None:
        self._faults = 0
        self._crowded = 0

    def wait_after(self, error: XeroError) -> float | None:
        """Seconds to wait before asking again; None when asking again is hopeless."""
        wanted = error.retry_after_seconds if isinstance(error, XeroBusyError) else None
        if wanted is not None and wanted > _LONGEST_WAIT_SECONDS:
            return None
        if isinstance(error, UnavailableError):
            self._faults += 1
            seconds = max(_jittered(self._faults), wanted or 0)
            return seconds if self._faults < _FAULT_TRIES else None
        if isinstance(error, RateLimitError):
            if wanted is not None:
                return wanted + _random.uniform(0.1, 0.9)
            self._crowded += 1
            return _jittered(self._crowded) if self._crowded < _CONCURRENT_TRIES else None
        return None


def _jittered(attempt: int) -> float:
    """About 1, 2, 4, … seconds, at most 30, so that many tasks do not return at once."""
    return min(30.0, 2.0 ** (attempt - 1)) * _random.uniform(0.5, 1.5)
