"""Reports of past days that are still to be fetched: why, which come next, how many are left.

Knows the table xero_ops.wanted_reports, and when reports and documents were read. Must not know
HTTP, or how a report is read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.warehouse import first_column, warehouse_errors

# Their dates decide which month ends they touch.
_DATED = tuple(each.name for each in ENDPOINTS if each.is_posted)
# Of the past wanted as at month ends alone: what it says of any other day reaches beyond what was
# posted up to it, and so beyond the trial balance that would explain it.
_OF_MONTHS = [each.name for each in ENDPOINTS if each.report and each.report.is_of_month]


def want_unread(
    connection: psycopg.Connection[Any], tenant_id: str, *, day: date, reports: Sequence[str]
) -> None:
    """Want what no extraction has read of the 31 days and the 24 month ends before `day`.

    All of them of a report that was not read for the last complete day: there is none yet, or the
    report was left out and can be read now. Else the days after it, whose nights did not complete.
    Of a report that is of a whole month the month ends alone.
    """
    values = {
        "tenant_id": tenant_id,
        "day": day,
        "reports": list(reports),
        "of_months": _OF_MONTHS,
    }
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        connection.execute(_WANT_UNREAD, values)


def want_no_more(
    connection: psycopg.Connection[Any], tenant_id: str, *, day: date, reports: Sequence[str]
) -> None:
    """Forget all wishes but those for `reports`, and theirs for `day`: who asks has read it."""
    values = {"tenant_id": tenant_id, "day": day, "reports": list(reports)}
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        connection.execute(_WANT_NO_MORE, values)


def want_month_ends_since(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    *,
    first_date: date,
    day: date,
    reports: Sequence[str],
) -> None:
    """Want the month ends from `first_date` to `day` again, 24 at most: the past has moved."""
    values = {
        "tenant_id": tenant_id,
        "first_date": first_date,
        "day": day,
        "reports": list(reports),
    }
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        connection.execute(_WANT_MONTH_ENDS, values)


def want_overtaken(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    *,
    day: date,
    reports: Sequence[str],
    documents: Sequence[str],
    of_tries_alone: bool,
) -> None:
    """Want past days again of which a report was read, and documents after it, before a build.

    Month ends before `day`, and days that were past when they were read: the documents that they
    could be compared with are gone, and nothing else reads them again. All of their `reports`,
    since one explains the other; of a whole month's report the ends alone. `documents` are the
    endpoints that count. `of_tries_alone` leaves out what a complete extraction read that no build
    has published: whoever fetches the past every hour would read the same every hour while builds
    fail.
    """
    values = {
        "tenant_id": tenant_id,
        "day": day,
        "reports": list(reports),
        "of_months": _OF_MONTHS,
        "documents": list(documents),
        "of_tries_alone": of_tries_alone,
    }
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        connection.execute(_WANT_OVERTAKEN, values)


def earliest_change(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    *,
    since: datetime,
    endpoints: Collection[str],
) -> date | None:
    """The earliest date of a document written after `since`, as it is or as it was before.

    Only records of `endpoints` are looked at: of those that anything was written of.
    """
    tables = [name for name in _DATED if name in endpoints]
    if not tables:
        return None
    query = sql.SQL("select min(on_date)::date from ({}) as changed").format(
        sql.SQL(" union all ").join(
            _CHANGED.format(table=sql.Identifier("xero_raw", name)) for name in tables
        )
    )
    values = {"tenant_id": tenant_id, "since": since}
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        row = cursor.execute(query, values).fetchone()
    return row[0] if row else None


def coming(
    connection: psycopg.Connection[Any], tenant_id: str, *, on: date
) -> list[tuple[str, date]]:
    """The reports to fetch, as endpoint and day: the newest days first.

    Without those that were `unreadable` to an extraction of the day `on`.
    """
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        return cursor.execute(
            "select endpoint, day from xero_ops.wanted_reports"
            " where tenant_id = %s and unreadable_on is distinct from %s"
            " order by day desc, endpoint",
            (tenant_id, on),
        ).fetchall()


def unread_year_end(
    connection: psycopg.Connection[Any], tenant_id: str, *, on: date, before: date
) -> date | None:
    """The newest end of a financial year before `before` of which no trial balance is stored.

    Of those in the twenty years up to `on`. None of an organisation with one currency, nor before
    an end of which the trial balance is empty: the books begin there.
    """
    values = {"tenant_id": tenant_id, "on": on, "before": before}
    with warehouse_errors(tenant_id=tenant_id):
        return next(iter(first_column(connection, _UNREAD_YEAR_END, values)), None)


def fetched(
    connection: psycopg.Connection[Any], tenant_id: str, *, endpoint: str, day: date
) -> None:
    """The report was read: it is wanted no more."""
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        connection.execute(
            "delete from xero_ops.wanted_reports"
            " where tenant_id = %s and endpoint = %s and day = %s",
            (tenant_id, endpoint, day),
        )


def unreadable(
    connection: psycopg.Connection[Any], tenant_id: str, *, endpoint: str, day: date, on: date
) -> None:
    """The extraction of the day `on` got no answer with sense: the next day asks again."""
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        connection.execute(
            "update xero_ops.wanted_reports set unreadable_on = %s"
            " where tenant_id = %s and endpoint = %s and day = %s",
            (on, tenant_id, endpoint, day),
        )


# Known at the last complete extraction: what a try since has read, it may have left unfinished.
# A report that was asked for in vain in a complete run was left out, whatever was read before.
_WANT_UNREAD = """
with read_last as (
    select distinct on (extract_endpoints.endpoint)
        extract_endpoints.endpoint,
        extract_endpoints.finished_at
    from xero_ops.tenants
    inner join xero_ops.extract_runs
        on
            extract_runs.tenant_id = tenants.tenant_id
            and extract_runs.day = tenants.complete_day
            and extract_runs.known_at <= tenants.complete_at
    inner join xero_ops.extract_endpoints using (run_id)
    where
        tenants.tenant_id = %(tenant_id)s
        and extract_endpoints.endpoint = any(%(reports)s)
        and (extract_endpoints.finished_at is not null or extract_runs.state = 'complete')
    order by extract_endpoints.endpoint, extract_runs.known_at desc
)

insert into xero_ops.wanted_reports (tenant_id, endpoint, day, reason)
select
    tenants.tenant_id,
    report.endpoint,
    past.day,
    case
        when tenants.complete_day is null then 'history before the first extraction'
        when past.day > tenants.complete_day then 'its own extraction did not complete'
        else 'the report could not be read or was left out before'
    end
from xero_ops.tenants
cross join unnest(%(reports)s::text[]) as report (endpoint)
cross join
    (
        select %(day)s::date - ago as day from generate_series(1, 31) as ago
        union
        select (date_trunc('month', %(day)s::date) - interval '1 month' * ago)::date - 1
        from generate_series(0, 23) as ago
    ) as past
left join read_last on read_last.endpoint = report.endpoint
where
    tenants.tenant_id = %(tenant_id)s
    -- A late run of an earlier day leaves this to the next night.
    and (tenants.complete_day is null or tenants.complete_day <= %(day)s)
    and (read_last.finished_at is null or past.day > tenants.complete_day)
    and (report.endpoint <> all(%(of_months)s) or extract(day from past.day + 1) = 1)
on conflict do nothing
"""

_WANT_NO_MORE = """
delete from xero_ops.wanted_reports
where tenant_id = %(tenant_id)s and (endpoint <> all(%(reports)s) or day = %(day)s)
"""

_WANT_MONTH_ENDS = """
insert into xero_ops.wanted_reports (tenant_id, endpoint, day, reason)
select %(tenant_id)s, endpoint, month_end.day, 'documents dated before it have changed'
from
    unnest(%(reports)s::text[]) as endpoint,
    (
        select (date_trunc('month', %(day)s::date) - interval '1 month' * ago)::date - 1
            as day
        from generate_series(0, 23) as ago
    ) as month_end
where month_end.day >= %(first_date)s
on conflict do nothing
"""

_UNREAD_YEAR_END = r"""
with ends as (
    select
        make_date(extract(year from %(on)s::date)::integer - ago, ends_on.month, 1) as month,
        ends_on.day
    from
        (
            select
                (payload ->> 'FinancialYearEndMonth')::numeric::integer as month,
                (payload ->> 'FinancialYearEndDay')::numeric::integer as day
            from xero_raw.organisations
            where
                tenant_id = %(tenant_id)s
                and known_to is null
                and payload ->> 'FinancialYearEndMonth' ~ '^([1-9]|1[0-2])$'
                and payload ->> 'FinancialYearEndDay' ~ '^([1-9]|[12]\d|3[01])$'
        ) as ends_on
    cross join generate_series(0, 20) as ago
    where
        (
            select count(*) from xero_raw.currencies
            where tenant_id = %(tenant_id)s and known_to is null
        ) > 1
),

year_ends as (
    select
        least(month + day - 1, (month + interval '1 month - 1 day')::date) as day
    from ends
),

known as (
    select
        year_ends.day,
        reports.record_id is not null as is_read,
        coalesce(
            not jsonb_path_exists(reports.payload, '$.**.RowType ? (@ == "Row")'), false
        ) as is_empty
    from year_ends
    left join xero_raw.trial_balances as reports
        on
            reports.tenant_id = %(tenant_id)s
            and reports.known_to is null
            and split_part(reports.record_id, ':', 2) = year_ends.day::text
)

select max(day)
from known
where
    day < %(before)s
    and not is_read
    and not exists (select from known as later where later.is_empty and later.day > known.day)
having max(day) is not null
"""

# What stg_xero__reports_confirmed of dbt/ does not list.
_WANT_OVERTAKEN = """
with settled as (
    select coalesce(max(known_at), '-infinity') as known_at
    from xero_ops.extract_runs
    where
        tenant_id = %(tenant_id)s
        and state = 'complete'
        and (built_at is not null or %(of_tries_alone)s)
),

documents as (
    select max(extract_endpoints.finished_at) as read_at
    from settled
    inner join xero_ops.extract_runs on extract_runs.known_at > settled.known_at
    inner join xero_ops.extract_endpoints using (run_id)
    where
        extract_runs.tenant_id = %(tenant_id)s
        and extract_endpoints.endpoint = any(%(documents)s)
),

read_last as (
    select
        split_part(report_readings.record_id, ':', 2)::date as day,
        max(extract_runs.day) as run_day,
        max(report_readings.read_at) as read_at
    from settled
    inner join xero_ops.report_readings on report_readings.known_at > settled.known_at
    inner join xero_ops.extract_runs using (run_id)
    where
        report_readings.tenant_id = %(tenant_id)s
        and report_readings.endpoint = any(%(reports)s)
    group by report_readings.record_id
)

insert into xero_ops.wanted_reports (tenant_id, endpoint, day, reason)
select %(tenant_id)s, endpoint, overtaken.day, 'documents were read again before it was compared'
from
    unnest(%(reports)s::text[]) as endpoint,
    (
        select read_last.day
        from read_last
        inner join documents on read_last.read_at < documents.read_at
        where
            read_last.day < %(day)s
            and (read_last.day < read_last.run_day or extract(day from read_last.day + 1) = 1)
        group by read_last.day
    ) as overtaken
where endpoint <> all(%(of_months)s) or extract(day from overtaken.day + 1) = 1
on conflict do nothing
"""

# Who changes a record opens a version of it, so that the new versions lead to those before them.
# A date that no calendar has, before the year 1 or after 9999, touches no month end.
_CHANGED = sql.SQL(r"""
    select
        (timestamptz 'epoch' + milliseconds * interval '1 millisecond') at time zone 'UTC'
            as on_date
    from
        (
            select distinct record_id
            from {table}
            where tenant_id = %(tenant_id)s and known_from > %(since)s
        ) as changed
    inner join {table} as version
        on
            version.tenant_id = %(tenant_id)s
            and version.record_id = changed.record_id
            and (version.known_to is null or version.known_to > %(since)s),
        lateral (
            select
                substring(
                    version.payload ->> 'Date' from '^/Date\((-?\d{{1,15}})[+)-]'
                )::double precision as milliseconds
        ) as dated
    where milliseconds between -62135596800000 and 253402300799999
""")
