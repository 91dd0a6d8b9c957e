"""How every connected organisation is doing, and which of them can be extracted.

Read-only questions to xero_ops, for the pages, the command line and the Dag's first task. Must
not know tokens, HTTP or Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from airflow_xero.extract import Tenant
from airflow_xero.warehouse import warehouse_errors

OrganisationState = Literal[
    "healthy",
    "extracting",
    "waiting_for_limit",
    "needs_reconnect",
    "disconnected",
    "failed",
    "new",
]

_T = TypeVar("_T")


@dataclass(frozen=True)
class SkippedTenant:
    """A connected organisation that cannot be extracted, and what a person must do."""

    tenant_id: str
    tenant_name: str
    reason: str


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


@dataclass(frozen=True)
class OrganisationStatus:
    """How one organisation is doing; times are aware UTC, None where it never happened.

    `connected_by` is the Airflow user, `connected_at` the moment of the newest connection.
    """

    tenant_id: str
    tenant_name: str
    state: OrganisationState
    connected_by: str
    connected_at: datetime
    complete_day: date | None
    complete_at: datetime | None
    last_run_day: date | None
    last_run_state: str | None
    last_run_reason: str | None
    resume_at: datetime | None


def tenants_to_extract(
    warehouse: psycopg.Connection[Any], conn_id: str, *, tenant_id: str | None = None
) -> list[Tenant]:
    """The organisations with a live grant, by name; one entry each, however many users.

    Only `tenant_id` when it is given, none when that is connected by nobody.
    """
    if tenant_id is None:
        return _all(warehouse, Tenant, query=_TO_EXTRACT, conn_id=conn_id)
    try:
        wanted = UUID(tenant_id)
    except ValueError:
        return []
    return _all(warehouse, Tenant, query=_ONE_TO_EXTRACT, conn_id=conn_id, tenant_id=wanted)


def skipped_tenants(warehouse: psycopg.Connection[Any], conn_id: str) -> list[SkippedTenant]:
    """The connected organisations whose every grant needs its user to reconnect, by name."""
    return _all(warehouse, SkippedTenant, query=_SKIPPED, conn_id=conn_id)


def waiting_tenants(warehouse: psycopg.Connection[Any], conn_id: str) -> list[WaitingTenant]:
    """The organisations that waited for a limit which is open by now, the longest wait first."""
    return _all(warehouse, WaitingTenant, query=_WAITING, conn_id=conn_id)


def tenants_to_backfill(warehouse: psycopg.Connection[Any], conn_id: str) -> list[BackfillTenant]:
    """The organisations of which reports of past days are still to be fetched, by name."""
    return _all(warehouse, BackfillTenant, query=_TO_BACKFILL, conn_id=conn_id)


def tenants_to_refresh(warehouse: psycopg.Connection[Any], conn_id: str) -> list[RefreshTenant]:
    """The organisations that have a complete day and wait for no limit, by name."""
    return _all(warehouse, RefreshTenant, query=_TO_REFRESH, conn_id=conn_id)


def status(warehouse: psycopg.Connection[Any], conn_id: str) -> list[OrganisationStatus]:
    """Every organisation ever connected, by name, with the state of its last extraction."""
    return _all(warehouse, OrganisationStatus, query=_STATUS, conn_id=conn_id)


def _all(
    warehouse: psycopg.Connection[Any], kind: type[_T], *, query: str, **values: object
) -> list[_T]:
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(kind)) as cursor,
    ):
        return cursor.execute(query, values).fetchall()


# One connection a tenant: a live one before others, an active grant before others, the newest.
CHOSEN = """
chosen as (
    select distinct on (connections.tenant_id)
        connections.tenant_id,
        connections.grant_id,
        connections.connected_at,
        connections.disconnected_at,
        grants.state as grant_state,
        grants.state_reason as grant_reason,
        grants.connected_by
    from xero_ops.connections
    inner join xero_ops.grants using (grant_id)
    where connections.conn_id = %(conn_id)s
    order by
        connections.tenant_id,
        connections.disconnected_at is not null,
        grants.state <> 'active',
        connections.connected_at desc,
        connections.connection_id
)
"""

_LIVE = f"""
with {CHOSEN}

select tenants.tenant_id::text, tenants.tenant_name, chosen.grant_id::text
from chosen
inner join xero_ops.tenants using (tenant_id)
where chosen.disconnected_at is null and chosen.grant_state = 'active'
"""  # noqa: S608 -- two constants of this module

_TO_EXTRACT = f"{_LIVE} order by tenants.tenant_name, tenants.tenant_id"

# Each task asks for its own organisation; of thousands, it must not read all.
_ONE_TO_EXTRACT = f"{_LIVE} and chosen.tenant_id = %(tenant_id)s"

_SKIPPED = f"""
with {CHOSEN}

select
    tenants.tenant_id::text,
    tenants.tenant_name,
    coalesce(chosen.grant_reason, 'the user must press Connect to Xero again') as reason
from chosen
inner join xero_ops.tenants using (tenant_id)
where chosen.disconnected_at is null and chosen.grant_state <> 'active'
order by tenants.tenant_name, tenants.tenant_id
"""  # noqa: S608

_WAITING = f"""
with {CHOSEN}

select tenants.tenant_id::text, tenants.tenant_name, extract_runs.day
from chosen
inner join xero_ops.tenants using (tenant_id)
inner join xero_ops.extract_runs using (tenant_id)
where
    chosen.disconnected_at is null
    and chosen.grant_state = 'active'
    and extract_runs.state = 'waiting_for_limit'
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
order by extract_runs.resume_at, tenants.tenant_id
"""  # noqa: S608

_TO_BACKFILL = f"""
with {CHOSEN}

select
    tenants.tenant_id::text,
    tenants.tenant_name,
    tenants.complete_day as day,
    count(*) as reports_wanted
from chosen
inner join xero_ops.tenants using (tenant_id)
inner join xero_ops.wanted_reports using (tenant_id)
where
    chosen.disconnected_at is null
    and chosen.grant_state = 'active'
    and tenants.complete_day is not null
group by tenants.tenant_id, tenants.tenant_name, tenants.complete_day
order by tenants.tenant_name, tenants.tenant_id
"""  # noqa: S608

_TO_REFRESH = f"""
with {CHOSEN}

select tenants.tenant_id::text, tenants.tenant_name
from chosen
inner join xero_ops.tenants using (tenant_id)
where
    chosen.disconnected_at is null
    and chosen.grant_state = 'active'
    -- The first extraction is xero_daily's: before it there is no day to stay open.
    and tenants.complete_day is not null
    and not exists (
        select from xero_ops.extract_runs
        where
            extract_runs.tenant_id = tenants.tenant_id
            and extract_runs.state = 'waiting_for_limit'
            and extract_runs.resume_at > clock_timestamp()
    )
order by tenants.tenant_name, tenants.tenant_id
"""  # noqa: S608

_STATUS = f"""
with {CHOSEN},

last_runs as (
    select distinct on (tenant_id) tenant_id, day, state, state_reason, resume_at
    from xero_ops.extract_runs
    order by tenant_id, known_at desc
),

-- The lock of runs.tenant_lock, as Postgres lists it: in two halves.
locks as (
    select (classid::bigint << 32) | objid::bigint as lock_key
    from pg_locks
    inner join pg_database on pg_locks.database = pg_database.oid
    where pg_locks.locktype = 'advisory' and pg_database.datname = current_database()
)

select
    tenants.tenant_id::text,
    tenants.tenant_name,
    case
        when chosen.disconnected_at is not null then 'disconnected'
        when chosen.grant_state <> 'active' then 'needs_reconnect'
        when last_runs.state is null then 'new'
        when last_runs.state = 'running' and is_locked then 'extracting'
        -- Its session is gone: the task was killed.
        when last_runs.state = 'running' then 'failed'
        when last_runs.state = 'complete' then 'healthy'
        else last_runs.state
    end as state,
    chosen.connected_by,
    chosen.connected_at,
    tenants.complete_day,
    tenants.complete_at,
    last_runs.day as last_run_day,
    last_runs.state as last_run_state,
    case
        when chosen.grant_state <> 'active' then coalesce(chosen.grant_reason, state_reason)
        when last_runs.state = 'running' and not is_locked
            then 'The task was killed; the next run continues where it stopped.'
        else last_runs.state_reason
    end as last_run_reason,
    last_runs.resume_at
from chosen
inner join xero_ops.tenants using (tenant_id)
left join last_runs using (tenant_id)
cross join lateral (
    select exists (
        select from locks
        where lock_key = hashtextextended('airflow_xero.extract:' || tenants.tenant_id, 0)
    ) as is_locked
) as lock
order by tenants.tenant_name, tenants.tenant_id
"""  # noqa: S608
