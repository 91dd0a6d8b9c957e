"""One page of Xero's answer, as it travels from the client to the raw tables.

Knows the shape of a page only; must not know how it was fetched or where it is stored, so that
the two adapters on either side need not know each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from airflow_xero.endpoints import Endpoint


@dataclass(frozen=True)
class Page:
    """The bytes of one answer, and what its envelope and headers say.

    `number` counts from 1; `body` is the undecoded JSON; `xero_now` is the envelope's
    `DateTimeUTC`, Xero's own clock (aware UTC); `page_count` is None where Xero does not say.
    `seconds` is the time spent on fetching and `calls` the requests it took, retries included;
    the two limits are what Xero said is left after the last of them. `is_last` ends the walk.
    """

    endpoint: Endpoint
    number: int
    body: bytes = field(repr=False)
    xero_now: datetime
    page_count: int | None
    seconds: float
    calls: int
    minute_calls_left: int | None
    day_calls_left: int | None
    is_last: bool
