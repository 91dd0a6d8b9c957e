"""What earlier extractions have read: finished rows of xero_ops.extract_endpoints, and readings.

Knows which of them belong to a day, a month or a Dag's run. Must not know what is read again
because of it (`catching_up.py`), HTTP, or the states of a run (`runs.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from airflow_xero.warehouse import warehouse_errors


def endpoints_read(
    connection: psycopg.Connection[Any], tenant_id: str, *, dag_run_id: str | None
) -> frozenset[str]:
    """The endpoints that a Dag's run has read, in whichever try; none where it has no id."""
    return _names(connection, _ENDPOINTS_READ, tenant_id=tenant_id, dag_run_id=dag_run_id)


def current_reports(
    connection: psycopg.Connection[Any], tenant_id: str, *, day: date, documents: Sequence[str]
) -> frozenset[str]:
    """The day's reports that were read since any of the `documents` endpoints was read last."""
    values = {"day": day, "documents": list(documents)}
    return _names(connection, _CURRENT_REPORTS, tenant_id=tenant_id, **values)


def has_report_of_month(
    connection: psycopg.Connection[Any], tenant_id: str, *, day: date, endpoint: str
) -> bool:
    """Whether a report was read by a run whose day lies in the same month."""
    values = {"day": day, "endpoint": endpoint}
    return bool(_names(connection, _READ_IN_MONTH, tenant_id=tenant_id, **values))


def has_published_reading(
    connection: psycopg.Connection[Any], tenant_id: str, *, day: date, report_key: str
) -> bool:
    """Whether a run of the day has read a report, of whichever day, and a build published it."""
    values = {"day": day, "report_key": report_key}
    return bool(_names(connection, _PUBLISHED_READING, tenant_id=tenant_id, **values))


def _names(
    connection: psycopg.Connection[Any], query: str, *, tenant_id: str, **values: object
) -> frozenset[str]:
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        rows = cursor.execute(query, {"tenant_id": tenant_id, **values})
        return frozenset(name for (name,) in rows)


_ENDPOINTS_READ = """
select distinct extract_endpoints.endpoint
from xero_ops.extract_endpoints
inner join xero_ops.extract_runs using (run_id)
where
    extract_runs.tenant_id = %(tenant_id)s
    and extract_runs.dag_run_id = %(dag_run_id)s
    and extract_endpoints.finished_at is not null
"""

_CURRENT_REPORTS = """
with finished as (
    select extract_endpoints.endpoint, extract_endpoints.finished_at, extract_runs.day
    from xero_ops.extract_endpoints
    inner join xero_ops.extract_runs using (run_id)
    where
        extract_endpoints.tenant_id = %(tenant_id)s
        and extract_endpoints.finished_at is not null
        and (
            extract_runs.day = %(day)s
            or extract_endpoints.endpoint = any(%(documents)s)
        )
)

select endpoint
from finished
where day = %(day)s
group by endpoint
having
    max(finished_at) >= (
        select max(finished_at) from finished where endpoint = any(%(documents)s)
    )
"""

_READ_IN_MONTH = """
select extract_endpoints.endpoint
from xero_ops.extract_endpoints
inner join xero_ops.extract_runs using (run_id)
where
    extract_endpoints.tenant_id = %(tenant_id)s
    and extract_endpoints.endpoint = %(endpoint)s
    and extract_endpoints.finished_at is not null
    and date_trunc('month', extract_runs.day) = date_trunc('month', %(day)s::date)
limit 1
"""

_PUBLISHED_READING = """
select report_readings.endpoint
from xero_ops.report_readings
inner join xero_ops.extract_runs using (run_id)
where
    extract_runs.tenant_id = %(tenant_id)s
    and extract_runs.day = %(day)s
    and extract_runs.built_at is not null
    and report_readings.tenant_id = %(tenant_id)s
    and report_readings.known_at = extract_runs.known_at
    and report_readings.record_id = %(report_key)s
limit 1
"""
