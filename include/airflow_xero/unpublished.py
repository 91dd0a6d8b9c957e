"""What of an organisation is stored and not published yet: its news, and a day to be built.

Asks for everything since the last complete extraction, not for what one run wrote: a try that
failed, was killed or waits has stored pages, too. Must not know HTTP, nor what the news lead to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from airflow_xero.warehouse import warehouse_errors


@dataclass(frozen=True)
class News:
    """What was stored since `since`, the `known_at` (aware UTC) of the last complete extraction.

    `since` is None before the first; `endpoints` are those of which records were written.
    """

    since: datetime | None
    endpoints: frozenset[str]


def news_of(connection: psycopg.Connection[Any], tenant_id: str) -> News:
    """What was stored of a tenant since it was complete. Raises WarehouseBusyError."""
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        [(since, endpoints)] = cursor.execute(_NEWS, {"tenant_id": tenant_id}).fetchall()
    return News(since, frozenset(endpoints))


def has_unbuilt_day(connection: psycopg.Connection[Any], tenant_id: str) -> bool:
    """Whether a complete day of the tenant waits for its publication. Raises WarehouseBusyError.

    Until then documents must stay those of the day's reports: they are held against each other.
    """
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        [(is_unbuilt,)] = cursor.execute(_HAS_UNBUILT_DAY, {"tenant_id": tenant_id}).fetchall()
    return bool(is_unbuilt)


# Of the run under way as well: its pages are counted as they are committed.
_NEWS = """
select
    tenants.complete_at,
    array(
        select distinct extract_endpoints.endpoint
        from xero_ops.extract_runs
        inner join xero_ops.extract_endpoints using (run_id)
        where
            extract_runs.tenant_id = tenants.tenant_id
            and (tenants.complete_at is null or extract_runs.known_at > tenants.complete_at)
            and extract_endpoints.records_new
            + extract_endpoints.records_changed
            + extract_endpoints.records_deleted > 0
    )
from xero_ops.tenants
where tenants.tenant_id = %(tenant_id)s
"""

_HAS_UNBUILT_DAY = """
select exists (
    select
    from xero_ops.extract_runs
    where tenant_id = %(tenant_id)s and closes_day and state = 'complete' and built_at is null
)
"""
