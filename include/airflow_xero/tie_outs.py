"""How well each organisation's documents agree with Xero's reports: the newest comparison.

Knows the columns of the marts rpt_tie_out and rpt_tie_out_summary that it reads, and that the marts
may not be there yet. Must not know Airflow, nor how anything is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors as postgres
from psycopg.rows import class_row

from airflow_xero.errors import XeroSetupError
from airflow_xero.standing import OrganisationStatus, answers
from airflow_xero.warehouse import warehouse_errors

_MART = "xero_marts.rpt_tie_out_summary"


@dataclass(frozen=True)
class TieOut:
    """Each of an organisation's reports as last compared: the latest day, and all their lines.

    `broken_lines` are those whose difference has no cause by name.
    """

    tenant_id: str
    day: date
    lines: int
    broken_lines: int


def tie_outs(warehouse: psycopg.Connection[Any], tenant_ids: Sequence[str]) -> dict[str, TieOut]:
    """By tenant id, for those that were compared; empty before the first build of the marts.

    Raises WarehouseBusyError.
    """
    if not tenant_ids or not answers(warehouse, _Table, query=_TABLE)[0].is_there:
        return {}
    try:
        found = answers(
            warehouse, TieOut, query=_TIE_OUTS, tenant_ids=[UUID(each) for each in tenant_ids]
        )
    except XeroSetupError as error:
        # Marts of another version, or a build that is just putting them in place: not told.
        if isinstance(error.__cause__, (postgres.UndefinedTable, postgres.UndefinedColumn)):
            return {}
        raise
    return {one.tenant_id: one for one in found}


def judged(
    organisations: Sequence[OrganisationStatus], compared: Mapping[str, TieOut]
) -> list[OrganisationStatus]:
    """The organisations, those that would be healthy but for their tie-out as `tie_out_broken`.

    `compared` by tenant id, as of `tie_outs`. Another state stays: it says what must happen first,
    and once it has, the figures are compared anew.
    """
    return [
        replace(one, state="tie_out_broken", last_run_reason=_why_broken(one, tie_out))
        if (tie_out := compared.get(one.tenant_id)) is not None
        and one.state == "healthy"
        and tie_out.broken_lines
        else one
        for one in organisations
    ]


def _why_broken(one: OrganisationStatus, tie_out: TieOut) -> str:
    lines = "line" if tie_out.broken_lines == 1 else "lines"
    differ = "differs" if tie_out.broken_lines == 1 else "differ"
    why = (
        f"{tie_out.broken_lines} {lines} of Xero's reports up to {tie_out.day} {differ} from the"
        " documents, and no cause explains it: see xero_marts.rpt_tie_out where status = 'broken'."
        " After a new difference the next night reads the documents again."
    )
    return f"{why} {one.last_run_reason}" if one.last_run_reason else why


@dataclass(frozen=True)
class BrokenTieOut:
    """What no cause explains between an organisation's reports and its documents.

    `accounts` as Xero labels them; `amount` is the largest broken_amount of a report, in base
    currency, and 0 where only figures are broken that are no amounts, a count or a ratio.
    `is_new`: on a day as new as any, some account is broken that was not before.
    """

    tenant_id: str
    tenant_name: str
    report_date: date
    accounts: Sequence[str]
    amount: Decimal
    is_new: bool


def broken_tie_outs(
    warehouse: psycopg.Connection[Any], run_ids: Sequence[int]
) -> list[BrokenTieOut]:
    """The organisations of these runs, now in the marts, whose tie-out is broken.

    None where the dbt project is somebody's own and has no tie-out.
    """
    return _broken(warehouse, _BROKEN_TIE_OUTS, run_ids)


def still_broken_tie_outs(
    warehouse: psycopg.Connection[Any], run_ids: Sequence[int]
) -> list[BrokenTieOut]:
    """The organisations of these runs whose published tie-out is broken now; none `is_new`.

    Of each report that a run compared, and of the newest of those of a run that closed its day,
    counts what was found last, of the same day or a later one: a comparison that says the same as
    the last time is kept once, and a later extraction may have mended what an earlier one found.
    None where the dbt project is somebody's own and has no tie-out.
    """
    return _broken(warehouse, _STILL_BROKEN_TIE_OUTS, run_ids)


def _broken(
    warehouse: psycopg.Connection[Any], query: str, run_ids: Sequence[int]
) -> list[BrokenTieOut]:
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(BrokenTieOut)) as cursor,
    ):
        if not cursor.execute(_HAS_TIE_OUT).rowcount:
            return []
        return cursor.execute(query, {"run_ids": list(run_ids)}).fetchall()


@dataclass(frozen=True)
class _Table:
    is_there: bool


_TABLE = f"select to_regclass('{_MART}') is not null as is_there"

_REPORTS = """
    values
    ('TrialBalance', 'accrual'),
    ('ProfitAndLoss', 'accrual'),
    ('ProfitAndLoss', 'cash'),
    ('BalanceSheet', 'accrual'),
    ('BalanceSheet', 'cash'),
    ('BankSummary', 'accrual'),
    ('ExecutiveSummary', 'accrual')
"""

# One look into the index for each report of each organisation, whatever the years, and one more for
# each night since that went without a comparison.
_TIE_OUTS = f"""
select
    tenants.tenant_id::text,
    max(newest.report_date) as day,
    sum(newest.lines)::bigint as lines,
    sum(newest.broken_lines)::bigint as broken_lines
from unnest(%(tenant_ids)s::uuid[]) as tenants (tenant_id)
cross join ({_REPORTS}) as reports (report, basis)
cross join lateral (
    select report_date, lines, broken_lines
    from {_MART} as summary
    where
        summary.tenant_id = tenants.tenant_id
        and summary.report = reports.report
        and summary.basis = reports.basis
        -- A report that Xero did not give, for want of a scope, say, stands there without a line,
        -- and one that no documents stand beside with lines that are not compared. Neither has a
        -- broken line, and neither mends what was found before, nor agrees with anything.
        and summary.difference_amount is not null
    order by report_date desc, known_at desc
    limit 1
) as newest
group by tenants.tenant_id
"""  # noqa: S608

_HAS_TIE_OUT = """
select from pg_catalog.pg_tables
where schemaname = 'xero_marts' and tablename in ('rpt_tie_out', 'rpt_tie_out_summary')
having count(*) = 2
"""

_BROKEN_TIE_OUTS = """
with compared as (
    select tie_out.*
    from xero_ops.extract_runs as runs
    inner join xero_marts.rpt_tie_out as tie_out
        on tie_out.tenant_id = runs.tenant_id and tie_out.known_at = runs.known_at
    where runs.run_id = any(%(run_ids)s) and tie_out.status = 'broken'
),

-- The newest day that was compared before: in between, past days may have been, which say nothing.
former as (
    select kinds.tenant_id, kinds.report, kinds.basis, summary.report_date, summary.known_at
    from
        (
            select tenant_id, report, basis, min(known_at) as known_at
            from compared
            group by tenant_id, report, basis
        ) as kinds,
        lateral (
            select report_date, known_at
            from xero_marts.rpt_tie_out_summary
            where
                tenant_id = kinds.tenant_id
                and report = kinds.report
                and basis = kinds.basis
                and known_at < kinds.known_at
                and difference_amount is not null
            order by report_date desc, known_at desc
            limit 1
        ) as summary
),

amounts as (
    select summary.tenant_id, max(summary.broken_amount) as amount
    from
        (select distinct tenant_id, report, basis, report_date, known_at from compared) as reports
    inner join xero_marts.rpt_tie_out_summary as summary
        using (tenant_id, report, basis, report_date, known_at)
    group by summary.tenant_id
)

select
    compared.tenant_id::text,
    coalesce(tenants.tenant_name, compared.tenant_id::text) as tenant_name,
    max(compared.report_date) as report_date,
    array_agg(distinct compared.line_label order by compared.line_label) as accounts,
    coalesce(
        (select amount from amounts where amounts.tenant_id = compared.tenant_id), 0
    ) as amount,
    bool_or(not exists (
        select from former
        where
            former.tenant_id = compared.tenant_id
            and former.report = compared.report
            and former.basis = compared.basis
            and (
                former.report_date > compared.report_date
                or exists (
                    select from xero_marts.rpt_tie_out as earlier
                    where
                        earlier.tenant_id = former.tenant_id
                        and earlier.report = former.report
                        and earlier.basis = former.basis
                        and earlier.report_date = former.report_date
                        and earlier.known_at = former.known_at
                        and earlier.line_key = compared.line_key
                        and earlier.status = 'broken'
                )
            )
    )) as is_new
from compared
inner join xero_ops.tenants as tenants on tenants.tenant_id = compared.tenant_id
group by compared.tenant_id, tenants.tenant_name
order by compared.tenant_id
"""

_STILL_BROKEN_TIE_OUTS = f"""
with runs as (
    select tenant_id, known_at, closes_day
    from xero_ops.extract_runs
    where run_id = any(%(run_ids)s)
),

wanted as (
    select summary.tenant_id, summary.report, summary.basis, summary.report_date
    from runs
    inner join {_MART} as summary
        on summary.tenant_id = runs.tenant_id and summary.known_at = runs.known_at
    union
    select tenants.tenant_id, reports.report, reports.basis, newest.report_date
    from (select distinct tenant_id from runs where closes_day) as tenants
    cross join ({_REPORTS}) as reports (report, basis)
    cross join lateral (
        select report_date
        from {_MART} as summary
        where
            summary.tenant_id = tenants.tenant_id
            and summary.report = reports.report
            and summary.basis = reports.basis
            and summary.difference_amount is not null
        order by report_date desc
        limit 1
    ) as newest
),

held as (
    select distinct last.*
    from wanted
    cross join lateral (
        select
            summary.tenant_id, summary.report, summary.basis, summary.report_date,
            summary.known_at, summary.broken_amount
        from {_MART} as summary
        where
            summary.tenant_id = wanted.tenant_id
            and summary.report = wanted.report
            and summary.basis = wanted.basis
            and summary.report_date >= wanted.report_date
            -- A report that Xero did not give mends nothing.
            and summary.difference_amount is not null
        order by summary.known_at desc, summary.report_date asc
        limit 1
    ) as last
)

select
    held.tenant_id::text,
    tenants.tenant_name,
    max(held.report_date) as report_date,
    array_agg(distinct tie_out.line_label order by tie_out.line_label) as accounts,
    max(held.broken_amount) as amount,
    false as is_new
from held
inner join xero_marts.rpt_tie_out as tie_out
    using (tenant_id, report, basis, report_date, known_at)
inner join xero_ops.tenants as tenants on tenants.tenant_id = held.tenant_id
where tie_out.status = 'broken'
group by held.tenant_id, tenants.tenant_name
order by held.tenant_id
"""  # noqa: S608
