"""What an extraction tells Airflow's metrics: StatsD or OpenTelemetry, as Airflow is configured.

The only home of the names, which docs/operate.md lists. Knows Airflow's metrics and the counts of
an extraction. Must not know the warehouse, nor send anything itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock

import httpx
from airflow.sdk.observability import stats

from airflow_xero.answers import int_header
from airflow_xero.extract import Extracted

_API_PATH = "/api.xro/"


class Answers:
    """Xero's answers to one extraction, counted as they arrive; those of failed calls, too.

    Calls are answered on several threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.calls = 0
        self.refused_calls = 0
        self.minute_calls_left: int | None = None
        self.day_calls_left: int | None = None

    def note(self, response: httpx.Response) -> None:
        """Count one answer of Xero's API; the token service's are left out."""
        if not response.request.url.path.startswith(_API_PATH):
            return
        minute = int_header(response, "X-MinLimit-Remaining")
        day = int_header(response, "X-DayLimit-Remaining")
        with self._lock:
            self.calls += 1
            self.refused_calls += response.status_code == httpx.codes.TOO_MANY_REQUESTS
            self.minute_calls_left = self.minute_calls_left if minute is None else minute
            self.day_calls_left = self.day_calls_left if day is None else day


@contextmanager
def counted(http: httpx.Client, tenant_id: str) -> Iterator[None]:
    """Count the calls and the seconds of what happens inside, and emit them however it ends."""
    answers, began = Answers(), time.monotonic()
    before = http.event_hooks
    http.event_hooks = {**before, "response": [*before["response"], answers.note]}
    try:
        yield
    finally:
        http.event_hooks = before
        tags = {"tenant_id": tenant_id}
        seconds = timedelta(seconds=time.monotonic() - began)
        stats.timing("xero.extract.duration", seconds, tags=tags)
        stats.incr("xero.calls", answers.calls, tags=tags)
        stats.incr("xero.calls_refused", answers.refused_calls, tags=tags)
        # A gauge of several organisations is none: plain StatsD knows no tags.
        for name in ("minute_calls_left", "day_calls_left"):
            left = getattr(answers, name)
            if left is not None:
                stats.gauge(f"xero.{name}.{tenant_id}", left, tags=tags)


def emit_counts(extracted: Extracted, tenant_id: str) -> None:
    """Emit how the extraction ended, and the rows and bytes of each endpoint it read."""
    tags = {"tenant_id": tenant_id}
    stats.incr(f"xero.extract.{extracted.state}", tags=tags)
    for endpoint, counts in extracted.counts.items():
        tags = {"tenant_id": tenant_id, "endpoint": endpoint}
        stats.incr("xero.bytes", counts.bytes, tags=tags)
        stats.incr("xero.rows_read", counts.records_read, tags=tags)
        stats.incr("xero.rows_new", counts.records_new, tags=tags)
        stats.incr("xero.rows_changed", counts.records_changed, tags=tags)
        stats.incr("xero.rows_deleted", counts.records_deleted, tags=tags)
