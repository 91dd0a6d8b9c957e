"""How well each organisation's documents agree with Xero's reports: the newest comparison.

Knows the columns of the mart rpt_tie_out_summary that it reads, and that the mart may not be there
yet. Must not know Airflow, nor how anything is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg import errors as postgres

from airflow_xero.errors import XeroSetupError
from airflow_xero.standing import answers

_MART = "xero_marts.rpt_tie_out_summary"


@dataclass(frozen=True)
class TieOut:
    """An organisation's newest compared reports: the latest day, and their lines.

    `broken_lines` are those whose difference has no cause by name.
    """

    tenant_id: str
    day: date
    lines: int
    broken_lines: int


def tie_outs(warehouse: psycopg.Connection[Any], conn_id: str) -> dict[str, TieOut]:
    """By tenant id, for those that were compared; empty before the first build of the marts.

    Raises WarehouseBusyError.
    """
    if not answers(warehouse, _Table, query=_TABLE, conn_id=conn_id)[0].is_there:
        return {}
    try:
        found = answers(warehouse, TieOut, query=_TIE_OUTS, conn_id=conn_id)
    except XeroSetupError as error:
        # Marts of another version, or a build that is just putting them in place: not told.
        if isinstance(error.__cause__, (postgres.UndefinedTable, postgres.UndefinedColumn)):
            return {}
        raise
    return {one.tenant_id: one for one in found}


@dataclass(frozen=True)
class _Table:
    is_there: bool


_TABLE = f"select to_regclass('{_MART}') is not null as is_there"

# One look into the index for each report of each organisation, whatever the years.
_TIE_OUTS = f"""
select
    tenants.tenant_id::text,
    max(newest.report_date) as day,
    sum(newest.lines)::bigint as lines,
    sum(newest.broken_lines)::bigint as broken_lines
from xero_ops.tenants
cross join (
    values
    ('TrialBalance', 'accrual'),
    ('ProfitAndLoss', 'accrual'),
    ('ProfitAndLoss', 'cash'),
    ('BalanceSheet', 'accrual'),
    ('BalanceSheet', 'cash'),
    ('BankSummary', 'accrual')
) as reports (report, basis)
cross join lateral (
    select report_date, lines, broken_lines
    from {_MART} as summary
    where
        summary.tenant_id = tenants.tenant_id
        and summary.report = reports.report
        and summary.basis = reports.basis
    order by report_date desc, known_at desc
    limit 1
) as newest
where exists (
    select from xero_ops.connections
    where connections.tenant_id = tenants.tenant_id and connections.conn_id = %(conn_id)s
)
group by tenants.tenant_id
"""  # noqa: S608
