"""How every connected organisation is doing, and which of them can be extracted.

Read-only questions to xero_ops, for the pages, the command line and the Dag's first task. Which
of them there is more to do for than a night's extraction is told by `due.py`. Must not know
tokens, HTTP or Airflow.
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
        return answers(warehouse, Tenant, query=_TO_EXTRACT, conn_id=conn_id)
    try:
        wanted = UUID(tenant_id)
    except ValueError:
        return []
    return answers(warehouse, Tenant, query=_ONE_TO_EXTRACT, conn_id=conn_id, tenant_id=wanted)


def skipped_tenants(warehouse: psycopg.Connection[Any], conn_id: str) -> list[SkippedTenant]:
    """The connected organisations whose every grant needs its user to reconnect, by name."""
    return answers(warehouse, SkippedTenant, query=_SKIPPED, conn_id=conn_id)


def status(warehouse: psycopg.Connection[Any], conn_id: str) -> list[OrganisationStatus]:
    """Every organisation ever connected, by name, with the state of its last extraction."""
    return answers(warehouse, OrganisationStatus, query=_STATUS, conn_id=conn_id)


def answers(
    warehouse: psycopg.Connection[Any], kind: type[_T], *, query: str, **values: object
) -> list[_T]:
    """What a question to xero_ops is answered with, a row each. Raises WarehouseBusyError."""
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
