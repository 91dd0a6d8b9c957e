"""Which organisations there is more to do for than a night's extraction.

Those whose wait is over, whose past is wanted, whose open day can be brought up to now; and whether
a run's day can be extracted at all. Read-only questions to xero_ops, for the first tasks of the
Dags. Must not know tokens, HTTP or Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from airflow_xero.chosen import CHOSEN, IS_LIVE
from airflow_xero.errors import XeroSetupError
from airflow_xero.run_configuration import has_begun
from airflow_xero.standing import answers


@dataclass(frozen=True)
class WaitingTenant:
    """A connected organisation whose wait for a limit is over, and the day it waited with."""

    tenant_id: str
    tenant_name: str
    day: date


@dataclass(frozen=True)
class BackfillTenant:
    """A connected organisation of which reports of past days are wanted; its last complete day."""

    tenant_id: str
    tenant_name: str
    day: date
    reports_wanted: int


@dataclass(frozen=True)
class RefreshTenant:
    """A connected organisation that can be brought up to now within its open day."""

    tenant_id: str
    tenant_name: str


def waiting_tenants(warehouse: psycopg.Connection[Any], conn_id: str) -> list[WaitingTenant]:
    """The organisations that waited for a limit which is open by now, the longest wait first.

    One entry each, with the latest day that waits.
    """
    return answers(warehouse, WaitingTenant, query=_WAITING, conn_id=conn_id)


def tenants_to_backfill(warehouse: psycopg.Connection[Any], conn_id: str) -> list[BackfillTenant]:
    """The organisations whose past is wanted and that wait for no limit, the most behind first."""
    return answers(warehouse, BackfillTenant, query=_TO_BACKFILL, conn_id=conn_id)


def tenants_to_refresh(warehouse: psycopg.Connection[Any], conn_id: str) -> list[RefreshTenant]:
    """The organisations that have a complete day, all published, the most behind first.

    Those that wait for a limit are left out.
    """
    return answers(warehouse, RefreshTenant, query=_TO_REFRESH, conn_id=conn_id)


def require_begun(warehouse: psycopg.Connection[Any], day: date, *, now: datetime) -> None:
    """Refuse a day to come: raises XeroSetupError, before any organisation is asked for it.

    One has begun when it has somewhere, at `now` (aware) or by Xero's clock as it was seen last: a
    test's Xero lives in other years.
    """
    if has_begun(day, now=now):
        return
    seen_at = answers(warehouse, _XeroClock, query=_XERO_CLOCK)[0].seen_at
    if seen_at is None or not has_begun(day, now=seen_at):
        raise XeroSetupError(
            f"{day} has not begun anywhere yet: trigger a new run, for a day that has"
        )


@dataclass(frozen=True)
class _XeroClock:
    seen_at: datetime | None


_XERO_CLOCK = "select max(modified_since) as seen_at from xero_ops.watermarks"

_LIVE = f"""
with {CHOSEN},

live as (
    select tenants.tenant_id, tenants.tenant_name, tenants.complete_day, tenants.complete_at
    from chosen
    inner join xero_ops.tenants using (tenant_id)
    where {IS_LIVE}
)
"""  # noqa: S608 -- constants of these modules

_WAITING = f"""
{_LIVE},

waiting as (
    select distinct on (live.tenant_id)
        live.tenant_id,
        live.tenant_name,
        extract_runs.day,
        extract_runs.resume_at
    from live
    inner join xero_ops.extract_runs using (tenant_id)
    where
        extract_runs.state = 'waiting_for_limit'
        and extract_runs.resume_at <= clock_timestamp()
        -- A refresh that waits goes on by itself.
        and extract_runs.closes_day
        -- A later run, of whatever day, has begun anew what this one waited with.
        and not exists (
            select from xero_ops.extract_runs as later
            where
                later.tenant_id = extract_runs.tenant_id
                and later.closes_day
                and later.run_id > extract_runs.run_id
                and later.day >= extract_runs.day
        )
    order by live.tenant_id, extract_runs.day desc
)

select tenant_id::text, tenant_name, day
from waiting
order by resume_at, tenant_id
"""  # noqa: S608

# Whoever waits would spend a call to be refused again, of the calls that are kept in reserve.
_WAITS_FOR_NO_LIMIT = """
not exists (
    select from xero_ops.extract_runs
    where
        extract_runs.tenant_id = live.tenant_id
        and extract_runs.state = 'waiting_for_limit'
        and extract_runs.resume_at > clock_timestamp()
)
"""

_TO_BACKFILL = f"""
{_LIVE}

select
    live.tenant_id::text,
    live.tenant_name,
    live.complete_day as day,
    count(*) as reports_wanted
from live
inner join xero_ops.wanted_reports using (tenant_id)
where
    live.complete_day is not null
    and wanted_reports.unreadable_on is distinct from live.complete_day
    and {_WAITS_FOR_NO_LIMIT}
group by live.tenant_id, live.tenant_name, live.complete_day, live.complete_at
order by live.complete_at, live.tenant_id
"""  # noqa: S608

_TO_REFRESH = f"""
{_LIVE}

select live.tenant_id::text, live.tenant_name
from live
where
    -- The first extraction is xero_daily's: before it there is no day to stay open.
    live.complete_day is not null
    and {_WAITS_FOR_NO_LIMIT}
    -- Documents of a day that is not published yet stay those of its reports.
    and not exists (
        select from xero_ops.extract_runs
        where
            extract_runs.tenant_id = live.tenant_id
            and extract_runs.closes_day
            and extract_runs.state = 'complete'
            and extract_runs.built_at is null
    )
order by live.complete_at, live.tenant_id
"""  # noqa: S608
