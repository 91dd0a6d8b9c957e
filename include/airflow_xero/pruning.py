"""Daily reports of more than 400 days ago leave the raw tables; those of month ends stay.

With them goes when they were read. Knows that a report's key names its day
(`TrialBalance:2026-11-20:accrual`). Must not know what a report says, or when an extraction is
complete.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from airflow_xero.endpoint import Cadence, Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.warehouse import warehouse_errors

KEPT = timedelta(days=400)
"""How long every day's reports are kept: a year and a month, so that last year's day is there."""


def prune_reports(connection: psycopg.Connection[Any], tenant_id: str, *, day: date) -> int:
    """Delete the tenant's daily reports of more than 400 days before `day`, but no month end.

    Every version of them goes; returns how many did. In one transaction, and one statement that
    looks at keys alone where nothing is to go. Raises WarehouseBusyError.
    """
    values = {"tenant_id": tenant_id, "kept_from": day - KEPT}
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        [(pruned,)] = cursor.execute(_statement(), values).fetchall()
    return int(pruned)


def _statement() -> sql.Composed:
    names = [
        sql.Identifier(each.name)
        for each in ENDPOINTS
        if each.reading is Reading.REPORT and each.cadence is Cadence.DAILY
    ]
    deletions = sql.SQL(",").join(_DELETION.format(name=name) for name in names)
    keys = sql.SQL(" union all ").join(_KEYS.format(name=name) for name in names)
    return _PRUNE.format(deletions=deletions, keys=keys)


# Readings are looked for once something goes.
_PRUNE = sql.SQL("""
with {deletions},

pruned as (
    {keys}
),

unread as (
    delete from xero_ops.report_readings
    where
        tenant_id = %(tenant_id)s::uuid
        and record_id in (select record_id from pruned)
)

select count(*) from pruned
""")

_KEYS = sql.SQL("select record_id from {name}")

# The keys are found in the index alone. What does not look like a day is left alone.
_DELETION = sql.SQL(r"""
{name} as (
    delete from xero_raw.{name}
    where
        tenant_id = %(tenant_id)s::uuid
        and record_id = any(array(
            select keys.record_id
            from
                xero_raw.{name} as keys,
                lateral (
                    select
                        case when split_part(keys.record_id, ':', 2) ~ '^\d{{4}}-\d\d-\d\d$' then
                            split_part(keys.record_id, ':', 2)::date
                        end as day
                ) as reported
            where
                keys.tenant_id = %(tenant_id)s::uuid
                and reported.day < %(kept_from)s::date
                and extract(day from reported.day + 1) <> 1
        ))
    returning record_id
)""")
