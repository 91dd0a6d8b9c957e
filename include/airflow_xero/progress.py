"""How far an extraction got: counts, cursors and watermarks of one organisation.

Knows the tables of xero_ops that hold them. Must not know what is read, nor open or end a
transaction that stores a page: that is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from airflow_xero.drift import Drift
from airflow_xero.endpoint import Endpoint
from airflow_xero.page import Page
from airflow_xero.warehouse import warehouse_errors

OVERLAP = timedelta(minutes=10)
"""How far a watermark stays behind Xero's clock: edits show up in lists with a delay."""
# The watermark of a walk by numbers that never came to its end.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Walk:
    """A walk over an endpoint cut short: what it asks for, when it began, the page to come.

    `modified_since` is None for a first read; `read_from` is Xero's clock at its first page.
    """

    modified_since: datetime | None
    read_from: datetime
    next_page: int


@dataclass(frozen=True)
class Reached:
    """How far an endpoint was read: its watermark, a walk under way, its highest number."""

    watermark: datetime | None = None
    last_number: int | None = None
    walk: Walk | None = None


@dataclass(frozen=True)
class Poured:
    """What one page changed.

    `has_edited`: it holds news that may be younger than the walk. `is_shifted` on a walk's last
    page: records were edited while it was walked. They moved to its end, those behind them moved
    up, and one may have slipped from a page to come to a page already read. The walk has to be
    made once more. `drifts`: what Xero sent for the first time and does not document.
    """

    records_read: int
    records_new: int
    records_changed: int
    records_deleted: int
    records_repaired: int
    has_edited: bool
    is_shifted: bool
    drifts: tuple[Drift, ...] = ()

    def records(self) -> dict[str, int]:
        """The counts of records, by the names of their columns."""
        return {name: count for name, count in vars(self).items() if name.startswith("records_")}


class Progress:
    """How far each endpoint of a tenant was read, as of the last commit.

    The methods that take a cursor write within its transaction and return what is reached by it;
    hand that to `keep` once it is committed, because what is rolled back was not reached.
    """

    def __init__(self, connection: psycopg.Connection[Any], *, tenant_id: str, run_id: int) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._run_id = run_id
        # Whoever extracts holds the tenant's lock, so that nobody else moves what was read here.
        self._reached: dict[str, Reached] | None = None

    def of(self, endpoint: Endpoint) -> Reached:
        """How far the endpoint was read; every endpoint's is asked for at once."""
        if self._reached is None:
            with (
                warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
                self._connection.transaction(),
                self._connection.cursor(row_factory=tuple_row) as cursor,
            ):
                rows = cursor.execute(_REACHED, {"tenant_id": self._tenant_id}).fetchall()
            self._reached = {
                name: Reached(watermark, number, Walk(since, read_from, page) if page else None)
                for name, watermark, number, since, read_from, page in rows
            }
        return self._reached.get(endpoint.name, Reached())

    def keep(self, endpoint: Endpoint, reached: Reached) -> None:
        """Take what was committed for what is reached."""
        if self._reached is not None:
            self._reached[endpoint.name] = reached

    def advance(self, cursor: psycopg.Cursor[Any], endpoint: Endpoint, walk: Walk) -> Reached:
        """Remember where the walk goes on."""
        cursor.execute(_ADVANCE, {**self._where(endpoint), **vars(walk)})
        return replace(self.of(endpoint), walk=walk)

    def finish(
        self, cursor: psycopg.Cursor[Any], endpoint: Endpoint, read_from: datetime
    ) -> Reached:
        """Move the watermark to Xero's clock at the walk's beginning, and forget the walk."""
        reached = self.of(endpoint)
        if reached.walk is not None:
            self.forget(cursor, endpoint)
        watermark = read_from - OVERLAP
        cursor.execute(_MOVE_WATERMARK, {**self._where(endpoint), "modified_since": watermark})
        return replace(reached, watermark=watermark, walk=None)

    def forget(self, cursor: psycopg.Cursor[Any], endpoint: Endpoint) -> Reached:
        """Forget where the walk stands; the watermark stays."""
        cursor.execute(_FORGET, self._where(endpoint))
        return replace(self.of(endpoint), walk=None)

    def move_number(
        self,
        cursor: psycopg.Cursor[Any],
        endpoint: Endpoint,
        number: int,
        *,
        read_to_the_end_at: datetime | None,
    ) -> Reached:
        """Remember the highest number that was read, and Xero's clock once there are no more."""
        reached = replace(self.of(endpoint), last_number=number)
        if read_to_the_end_at is not None:
            reached = replace(reached, watermark=read_to_the_end_at - OVERLAP)
        values = {"modified_since": reached.watermark or _NEVER, "last_number": number}
        cursor.execute(_MOVE_NUMBER, {**self._where(endpoint), **values})
        return reached

    def count(
        self, cursor: psycopg.Cursor[Any], page: Page, poured: Poured, *, is_walked: bool
    ) -> None:
        """Add a page, and what it changed, to the run's counts.

        A walk under way has not read its endpoint; a page by itself (not `is_walked`), such as a
        share of what is read again, leaves it as read as it was.
        """
        cursor.execute(
            _COUNT,
            {
                **self._where(page.endpoint),
                **poured.records(),
                "run_id": self._run_id,
                "calls": page.calls,
                "bytes": len(page.body),
                "seconds": page.seconds,
                "minute_calls_left": page.minute_calls_left,
                "day_calls_left": page.day_calls_left,
                "is_last": page.is_last,
                "is_walked": is_walked,
            },
        )

    def add_calls(self, endpoint_name: str, calls: int) -> None:
        """Count calls that brought no page, by the endpoint's name, in a transaction of its own."""
        values = {
            "run_id": self._run_id,
            "tenant_id": self._tenant_id,
            "endpoint": endpoint_name,
            "calls": calls,
            "bytes": 0,
            "seconds": 0,
            "day_calls_left": None,
        }
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint_name),
            self._connection.transaction(),
        ):
            self._connection.execute(_ADD_CALLS, values)

    def _where(self, endpoint: Endpoint) -> dict[str, Any]:
        return {"tenant_id": self._tenant_id, "endpoint": endpoint.name}


def count_calls(
    connection: psycopg.Connection[Any], tenant_id: str, calls: Mapping[str, int]
) -> None:
    """Add calls that no extraction made to what the organisation cost today, by endpoint's name.

    Raises WarehouseBusyError, XeroSetupError; psycopg's own error for an organisation that is gone.
    """
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        for endpoint, number in calls.items():
            values = {"tenant_id": tenant_id, "endpoint": endpoint, "calls": number}
            unknown = {"bytes": 0, "seconds": 0, "day_calls_left": None}
            connection.execute(_COUNT_DAY, {**values, **unknown})


# By the day (UTC) on which it was asked: a run may wait for another day.
_COUNT_DAY = """
insert into xero_ops.endpoint_days as counted (
    tenant_id, on_date, endpoint, calls, bytes, seconds, day_calls_left
)
values (
    %(tenant_id)s, (clock_timestamp() at time zone 'UTC')::date, %(endpoint)s, %(calls)s,
    %(bytes)s, %(seconds)s, %(day_calls_left)s
)
on conflict (tenant_id, on_date, endpoint) do update set
    calls = counted.calls + excluded.calls,
    bytes = counted.bytes + excluded.bytes,
    seconds = counted.seconds + excluded.seconds,
    day_calls_left = least(counted.day_calls_left, excluded.day_calls_left)
"""

_COUNT = f"""
with counted_day as ({_COUNT_DAY})

insert into xero_ops.extract_endpoints as counted (
    run_id, tenant_id, endpoint, records_read, records_new, records_changed, records_deleted,
    records_repaired, calls, bytes, seconds, minute_calls_left, day_calls_left, finished_at
)
values (
    %(run_id)s, %(tenant_id)s, %(endpoint)s, %(records_read)s, %(records_new)s,
    %(records_changed)s, %(records_deleted)s, %(records_repaired)s, %(calls)s, %(bytes)s,
    %(seconds)s, %(minute_calls_left)s, %(day_calls_left)s,
    case when %(is_last)s then clock_timestamp() end
)
on conflict (run_id, endpoint) do update set
    records_read = counted.records_read + excluded.records_read,
    records_new = counted.records_new + excluded.records_new,
    records_changed = counted.records_changed + excluded.records_changed,
    records_deleted = counted.records_deleted + excluded.records_deleted,
    records_repaired = counted.records_repaired + excluded.records_repaired,
    calls = counted.calls + excluded.calls,
    bytes = counted.bytes + excluded.bytes,
    seconds = counted.seconds + excluded.seconds,
    minute_calls_left = excluded.minute_calls_left,
    day_calls_left = excluded.day_calls_left,
    finished_at = case
        when %(is_walked)s then excluded.finished_at
        else coalesce(excluded.finished_at, counted.finished_at)
    end
"""  # noqa: S608 -- a constant of this module

_REACHED = """
select
    endpoint,
    watermarks.modified_since,
    watermarks.last_number,
    cursors.modified_since,
    cursors.read_from,
    cursors.next_page
from xero_ops.watermarks
full join xero_ops.cursors using (tenant_id, endpoint)
where tenant_id = %(tenant_id)s
"""

# What was asked without an answer that could be stored is no reading of the endpoint.
_ADD_CALLS = f"""
with counted_day as ({_COUNT_DAY})

insert into xero_ops.extract_endpoints as counted (run_id, tenant_id, endpoint, calls)
values (%(run_id)s, %(tenant_id)s, %(endpoint)s, %(calls)s)
on conflict (run_id, endpoint) do update set calls = counted.calls + excluded.calls
"""  # noqa: S608

_ADVANCE = """
insert into xero_ops.cursors (tenant_id, endpoint, modified_since, read_from, next_page)
values (%(tenant_id)s, %(endpoint)s, %(modified_since)s, %(read_from)s, %(next_page)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    read_from = excluded.read_from,
    next_page = excluded.next_page
"""

_FORGET = """
delete from xero_ops.cursors where tenant_id = %(tenant_id)s and endpoint = %(endpoint)s
"""

_MOVE_NUMBER = """
insert into xero_ops.watermarks (tenant_id, endpoint, modified_since, last_number)
values (%(tenant_id)s, %(endpoint)s, %(modified_since)s, %(last_number)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    last_number = excluded.last_number,
    moved_at = clock_timestamp()
"""

_MOVE_WATERMARK = """
insert into xero_ops.watermarks (tenant_id, endpoint, modified_since)
values (%(tenant_id)s, %(endpoint)s, %(modified_since)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    moved_at = clock_timestamp()
"""
