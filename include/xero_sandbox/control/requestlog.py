"""What was asked of the sandbox, for tests and the status page.

Keeps methods, paths, statuses and times; never a header with a secret, a body, or a query of
the identity pages.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

_KEPT = 20_000


@dataclass(frozen=True)
class LoggedRequest:
    """One request. `status` is None when the connection was closed without an answer.

    `number` counts from 1; `at` is by the business clock. `query` and `modified_since` are those
    of the accounting API and of /connections alone.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: str
    modified_since: str | None
    tenant_id: str | None
    status: int | None
    duration_ms: float
    fault: str | None = None

    def as_json(self) -> dict[str, object]:
        """The entry as the control door shows it."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "modifiedSince": self.modified_since,
            "tenant": self.tenant_id,
            "status": self.status,
            "durationMs": self.duration_ms,
            "fault": self.fault,
        }


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=_KEPT)
        self._count = 0

    @property
    def count(self) -> int:
        """How many requests there were since the last clearing."""
        return self._count

    def next_number(self) -> int:
        """The number of the request that is being logged."""
        self._count += 1
        return self._count

    def add(self, entry: LoggedRequest) -> None:
        """Remember a request."""
        self._entries.append(entry)

    def since(self, moment: datetime | int | None) -> list[LoggedRequest]:
        """The requests at or after a moment, or after a number; all of them for None."""
        if moment is None:
            return list(self._entries)
        if isinstance(moment, int):
            return [entry for entry in self._entries if entry.number > moment]
        return [entry for entry in self._entries if entry.at >= moment]

    def last(self, count: int) -> list[LoggedRequest]:
        """The last requests, newest first."""
        return list(self._entries)[: -count - 1 : -1]

    def clear(self) -> None:
        """Forget them, and count from 1 again."""
        self._entries.clear()
        self._count = 0
