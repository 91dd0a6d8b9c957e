"""How every connected organisation is doing, and which of them can be extracted.

Read-only questions to xero_ops, for the pages, the command line and the Dags' first tasks; of
Xero's records it knows the organisation's own alone. Which of them there is more to do for than a
night's extraction is told by `due.py`. Must not know tokens, HTTP or Airflow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import class_row, dict_row

from airflow_xero.answers import REFUSES_ORGANISATION
from airflow_xero.chosen import CHOSEN, IS_LIVE
from airflow_xero.connections import COUNT_AT_XERO
from airflow_xero.extract import Tenant
from airflow_xero.warehouse import first_column, warehouse_errors

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
    "tie_out_broken",
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

    `tie_out_broken` comes from the marts alone (`tie_outs.judged`): of xero_ops it is `healthy`.
    `connected_by` is the Airflow user, `user_name` Xero's name of who consented, and `connected_at`
    the moment; all of the connection that is used. `refreshed_at` is when its grant was renewed,
    which Xero ends 60 days later, None of a Custom Connection. `endpoints_read` and `records_read`
    are of an extraction under way. `calls_left` are those that Xero's newest answer of today (UTC)
    named, None when the last extraction got none.
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


@dataclass(frozen=True)
class Standing:
    """Every organisation, and how many connections Xero counts for the app."""

    organisations: Sequence[OrganisationStatus]
    at_xero: int


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


def why_left_out(warehouse: psycopg.Connection[Any], conn_id: str, tenant_id: str) -> str | None:
    """Why nothing is read of an organisation that somebody connected once; None while it is live.

    None, too, for what nobody ever connected.
    """
    reasons = first_column(warehouse, _LEFT_OUT, {"conn_id": conn_id, "tenant_id": tenant_id})
    return next(iter(reasons), None)


def status(
    warehouse: psycopg.Connection[Any], conn_id: str, *, tenant_ids: Sequence[str] | None = None
) -> list[OrganisationStatus]:
    """Every organisation ever connected, or only `tenant_ids`, by name, with how it is doing."""
    return list(standing(warehouse, conn_id, tenant_ids=tenant_ids).organisations)


def standing(
    warehouse: psycopg.Connection[Any], conn_id: str, *, tenant_ids: Sequence[str] | None = None
) -> Standing:
    """The same, with the connections of the app: one question, which reads each table once.

    It is asked again of those whose task seems killed.
    """
    values = {
        "conn_id": conn_id,
        "tenant_ids": None if tenant_ids is None else [UUID(each) for each in tenant_ids],
        "refuses": f"%{REFUSES_ORGANISATION}%",
    }
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=dict_row) as cursor,
    ):
        rows = cursor.execute(_STATUS, values).fetchall()
        if killed := [UUID(row["tenant_id"]) for row in rows if _seems_killed(row)]:
            # Locks are looked at later than runs: some may just have ended, and freed theirs.
            again = cursor.execute(_STATUS, {**values, "tenant_ids": killed}).fetchall()
            newer = {row["tenant_id"]: row for row in again}
            rows = [newer.get(row["tenant_id"], row) for row in rows]
    # Where there is no organisation, the count stands in a row of its own.
    return Standing(
        [
            OrganisationStatus(**{name: row[name] for name in _COLUMNS})
            for row in rows
            if row["tenant_id"] is not None
        ],
        at_xero=int(rows[0]["at_xero"]),
    )


def _seems_killed(row: Mapping[str, object]) -> bool:
    return row["state"] == "failed" and row["last_run_state"] == "running"


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

_LEFT_OUT = f"""
with {CHOSEN}

select
    case
        when chosen.tenant_id is null or erasures.state <> 'erased' then 'Its erasure was asked for'
        when chosen.disconnected_at is not null then 'It was disconnected'
        when chosen.grant_state <> 'active'
            then coalesce(chosen.grant_reason, 'The user must press Connect to Xero again')
        when chosen.paused_at is not null then 'Somebody paused it'
    end as reason
from chosen
full join xero_ops.erasures using (tenant_id)
where tenant_id::text = %(tenant_id)s
"""  # noqa: S608

_COLUMNS = tuple(one.name for one in fields(OrganisationStatus))


def _of_those_read_once(query: str) -> str:
    return query.replace("xero_ops.connections", "connections").replace(
        "xero_ops.erasures", "erasures"
    )


_STATUS = f"""
with connections as materialized (
    select * from xero_ops.connections where connections.conn_id = %(conn_id)s
),

erasures as materialized (
    select tenant_id, conn_id, state, left_at_xero from xero_ops.erasures
),

{_of_those_read_once(CHOSEN)},

counted as (
    select {_of_those_read_once(COUNT_AT_XERO)} as at_xero
),

-- The lock of runs.tenant_lock, as Postgres lists it: in two halves.
locks as (
    select (classid::bigint << 32) | objid::bigint as lock_key
    from pg_locks
    inner join pg_database on pg_locks.database = pg_database.oid
    where pg_locks.locktype = 'advisory' and pg_database.datname = current_database()
),

organisations as (
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
        -- A Custom Connection has no user whose consent could end.
        case when 'offline_access' = any(chosen.scopes) then chosen.refreshed_at end
            as refreshed_at,
        progress.calls_left,
        case when last_run.state = 'running' then progress.endpoints_read end as endpoints_read,
        case when last_run.state = 'running' then progress.records_read end as records_read,
        chosen.user_name
    from chosen
    inner join xero_ops.tenants using (tenant_id)
    left join erasures
        on chosen.tenant_id = erasures.tenant_id and erasures.state <> 'erased'
    left join lateral (
        select run_id, day, state, state_reason, resume_at, started_at
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
        select
            count(finished_at) as endpoints_read,
            coalesce(sum(records_read), 0)::bigint as records_read,
            -- Of the newest answer: nobody knows when Xero's day of an organisation begins anew.
            (
                array_agg(day_calls_left order by finished_at desc nulls first) filter (
                    where
                    day_calls_left is not null
                    and coalesce(finished_at, last_run.started_at)
                    >= date_trunc('day', clock_timestamp(), 'UTC')
                )
            )[1] as calls_left
        from xero_ops.extract_endpoints
        where extract_endpoints.run_id = last_run.run_id
    ) as progress on true
    cross join lateral (
        select exists (
            select from locks
            where lock_key = hashtextextended('airflow_xero.extract:' || tenants.tenant_id, 0)
        ) as is_locked
    ) as lock
    where %(tenant_ids)s::uuid[] is null or tenants.tenant_id = any(%(tenant_ids)s::uuid[])
)

select organisations.*, counted.at_xero
from counted
left join organisations on true
order by organisations.tenant_name, organisations.tenant_id
"""  # noqa: S608
