"""How every connected organisation is doing, and which of them can be extracted.

Read-only questions to xero_ops, for the pages, the command line and the Dags' first tasks; of
Xero's records it knows the organisation's own alone. Which of them there is more to do for than a
night's extraction is told by `due.py`. Must not know tokens, HTTP or Airflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from airflow_xero.answers import REFUSES_ORGANISATION
from airflow_xero.extract import Tenant
from airflow_xero.warehouse import warehouse_errors

OrganisationState = Literal[
    "healthy",
    "extracting",
    "waiting_for_limit",
    "needs_reconnect",
    "disconnected",
    "not_permitted",
    "paused",
    "erasing",
    "failed",
    "never_extracted",
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

    `connected_by` is the Airflow user, `user_name` Xero's name of who consented, and `connected_at`
    the moment; all of the connection that is used. `refreshed_at` is when its grant was renewed,
    which Xero ends 60 days later. `endpoints_read` and `records_read` are of an extraction under
    way. `calls_left` are the fewest that Xero named today (UTC), None when it was not asked.
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
    country_code: str | None = None
    base_currency: str | None = None
    refreshed_at: datetime | None = None
    calls_left: int | None = None
    endpoints_read: int | None = None
    records_read: int | None = None
    user_name: str | None = None


def tenants_to_extract(
    warehouse: psycopg.Connection[Any], conn_id: str, *, tenant_id: str | None = None
) -> list[Tenant]:
    """The organisations with a live grant that are not paused, by name; one entry each.

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


def status(
    warehouse: psycopg.Connection[Any], conn_id: str, *, tenant_ids: Sequence[str] | None = None
) -> list[OrganisationStatus]:
    """Every organisation ever connected, by name, with the state of its last extraction.

    Only `tenant_ids` when they are given. One question, however many there are.
    """
    wanted = None if tenant_ids is None else [UUID(tenant_id) for tenant_id in tenant_ids]
    return answers(
        warehouse,
        OrganisationStatus,
        query=_STATUS,
        conn_id=conn_id,
        tenant_ids=wanted,
        refuses=f"{REFUSES_ORGANISATION}%",
    )


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


# One connection a tenant: a live one before others, an active grant before others, one that Xero
# does not refuse, the one that may read most (a broad scope counts as what it stands for), the
# newest.
# Whoever paused the organisation paused it whoever connects it.
CHOSEN = """
chosen as (
    select distinct on (connections.tenant_id)
        connections.tenant_id,
        connections.grant_id,
        connections.connected_at,
        connections.disconnected_at,
        max(connections.paused_at) over (partition by connections.tenant_id) as paused_at,
        max(connections.paused_by) over (partition by connections.tenant_id) as paused_by,
        grants.state as grant_state,
        grants.state_reason as grant_reason,
        coalesce(connections.connected_by, grants.connected_by) as connected_by,
        grants.user_name,
        grants.refreshed_at
    from xero_ops.connections
    inner join xero_ops.grants using (grant_id)
    where connections.conn_id = %(conn_id)s
    order by
        connections.tenant_id,
        connections.disconnected_at is not null,
        grants.state <> 'active',
        connections.refused_at is not null,
        (
            select coalesce(sum(case
                when scope like 'accounting.transactions%%' then 4
                when scope = 'accounting.reports.read' then 8
                else 1
            end), 0)
            from unnest(grants.scopes) as scope
        ) desc,
        connections.connected_at desc,
        connections.connection_id
)
"""

# What an extraction asks of an organisation before it begins.
IS_LIVE = """
chosen.disconnected_at is null and chosen.grant_state = 'active' and chosen.paused_at is null
"""

_LIVE = f"""
with {CHOSEN}

select tenants.tenant_id::text, tenants.tenant_name, chosen.grant_id::text
from chosen
inner join xero_ops.tenants using (tenant_id)
where {IS_LIVE}
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
        when erasures.tenant_id is not null then 'erasing'
        when chosen.disconnected_at is not null then 'disconnected'
        when chosen.grant_state <> 'active' then 'needs_reconnect'
        when chosen.paused_at is not null then 'paused'
        when last_run.state is null then 'never_extracted'
        when last_run.state = 'running' and is_locked then 'extracting'
        -- Its session is gone: the task was killed.
        when last_run.state = 'running' then 'failed'
        when last_run.state = 'complete' then 'healthy'
        when last_run.state = 'failed' and last_run.state_reason like %(refuses)s
            then 'not_permitted'
        else last_run.state
    end as state,
    chosen.connected_by,
    chosen.connected_at,
    tenants.complete_day,
    tenants.complete_at,
    last_run.day as last_run_day,
    last_run.state as last_run_state,
    case
        when chosen.grant_state <> 'active'
            then coalesce(chosen.grant_reason, last_run.state_reason)
        when chosen.paused_at is not null then 'Paused by ' || chosen.paused_by
        when last_run.state = 'running' and not is_locked
            then 'The task was killed; the next run continues where it stopped.'
        else last_run.state_reason
    end as last_run_reason,
    last_run.resume_at,
    organisation.country_code,
    organisation.base_currency,
    chosen.refreshed_at,
    today.calls_left,
    progress.endpoints_read,
    progress.records_read,
    chosen.user_name
from chosen
inner join xero_ops.tenants using (tenant_id)
left join xero_ops.erasures
    on chosen.tenant_id = erasures.tenant_id and erasures.state <> 'erased'
left join lateral (
    select run_id, day, state, state_reason, resume_at
    from xero_ops.extract_runs
    where extract_runs.tenant_id = tenants.tenant_id
    order by known_at desc
    limit 1
) as last_run on true
left join lateral (
    select
        payload ->> 'CountryCode' as country_code,
        payload ->> 'BaseCurrency' as base_currency
    from xero_raw.organisations
    where organisations.tenant_id = tenants.tenant_id and known_to is null
    limit 1
) as organisation on true
left join lateral (
    select min(day_calls_left) as calls_left
    from xero_ops.endpoint_days
    where
        endpoint_days.tenant_id = tenants.tenant_id
        and on_date = (clock_timestamp() at time zone 'UTC')::date
) as today on true
left join lateral (
    select
        count(finished_at) as endpoints_read,
        coalesce(sum(records_read), 0)::bigint as records_read
    from xero_ops.extract_endpoints
    where extract_endpoints.run_id = last_run.run_id
    having last_run.state = 'running'
) as progress on true
cross join lateral (
    select exists (
        select from locks
        where lock_key = hashtextextended('airflow_xero.extract:' || tenants.tenant_id, 0)
    ) as is_locked
) as lock
where %(tenant_ids)s::uuid[] is null or tenants.tenant_id = any(%(tenant_ids)s::uuid[])
order by tenants.tenant_name, tenants.tenant_id
"""  # noqa: S608
