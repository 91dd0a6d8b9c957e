"""Organisations in every state, written straight into a warehouse: what a page has to show."""

from __future__ import annotations

from typing import Any


def fill(warehouse: Any, name: str = "Kauri", *, run: str | None = None, **known: Any) -> str:
    """One connected organisation, with a run in the given state; its tenant id.

    `known` may be `reason`, `country`, `currency`, `complete` (a day), `calls_left`, `paused_by`,
    `grant_state` and `refreshed_days` (ago).
    """
    values = {
        "name": name,
        "run": run,
        "reason": None,
        "country": None,
        "currency": None,
        "complete": None,
        "calls_left": None,
        "paused_by": None,
        "grant_state": "active",
        "refreshed_days": 0,
        **known,
    }
    return str(warehouse.execute(_FILL, values).fetchone()[0])


def fill_many(warehouse: Any, count: int) -> None:
    """That many healthy organisations, read every night for a month, with their own record."""
    warehouse.execute(_FILL_MANY, {"count": count})
    warehouse.execute("analyze")


_FILL = """
with tenant as (
    insert into xero_ops.tenants (tenant_id, tenant_name, complete_day, complete_at)
    values (
        gen_random_uuid(), %(name)s, %(complete)s::date,
        case when %(complete)s::date is not null then now() end
    )
    returning tenant_id
), consent as (
    insert into xero_ops.grants
        (conn_id, xero_user_id, scopes, tokens, access_expires_at, refreshed_at, connected_by,
         state)
    values (
        'xero_default', gen_random_uuid(), '{offline_access}', '', now(),
        now() - make_interval(days => %(refreshed_days)s), 'Ava', %(grant_state)s
    )
    returning grant_id
), reached as (
    insert into xero_ops.connections
        (connection_id, conn_id, grant_id, tenant_id, connected_at, paused_at, paused_by)
    select
        gen_random_uuid(), 'xero_default', grant_id, tenant_id, now() - interval '3 days',
        case when %(paused_by)s::text is not null then now() end, %(paused_by)s
    from consent, tenant
), known as (
    insert into xero_raw.organisations (tenant_id, record_id, known_from, payload, run_id)
    select
        tenant_id, tenant_id::text, now(),
        jsonb_build_object('CountryCode', %(country)s::text, 'BaseCurrency', %(currency)s::text), 0
    from tenant where %(country)s::text is not null
), ran as (
    insert into xero_ops.extract_runs (tenant_id, day, known_at, state, state_reason)
    select tenant_id, '2026-11-20', now(), %(run)s, %(reason)s from tenant
    where %(run)s::text is not null
    returning run_id, tenant_id
), answered as (
    insert into xero_ops.extract_endpoints
        (run_id, tenant_id, endpoint, day_calls_left, finished_at)
    select run_id, tenant_id, 'invoices', %(calls_left)s::int, now()
    from ran where %(calls_left)s::int is not null
)
select tenant_id::text from tenant
"""

_FILL_MANY = """
with numbered as (
    select number, gen_random_uuid() as tenant_id
    from generate_series(0, %(count)s::int - 1) as number
), tenants as (
    insert into xero_ops.tenants (tenant_id, tenant_name, complete_day, complete_at)
    select tenant_id, 'Company ' || lpad(number::text, 4, '0') || ' Holdings Limited',
        '2026-11-20', now() - number * interval '1 second'
    from numbered
), consent as (
    insert into xero_ops.grants
        (conn_id, xero_user_id, scopes, tokens, access_expires_at, refreshed_at, connected_by)
    values ('xero_default', gen_random_uuid(), '{offline_access}', '', now(), now(), 'Ava')
    returning grant_id
), reached as (
    insert into xero_ops.connections (connection_id, conn_id, grant_id, tenant_id)
    select gen_random_uuid(), 'xero_default', grant_id, tenant_id from consent, numbered
), known as (
    insert into xero_raw.organisations (tenant_id, record_id, known_from, payload, run_id)
    select tenant_id, tenant_id::text, now(),
        jsonb_build_object('CountryCode', 'NZ', 'BaseCurrency', 'NZD', 'Name', repeat('x', 2000)), 0
    from numbered
), ran as (
    insert into xero_ops.extract_runs (tenant_id, day, known_at, state)
    select tenant_id, date '2026-11-20' - night, now() - night * interval '1 day', 'complete'
    from numbered, generate_series(0, 29) as night
    returning run_id, tenant_id, known_at
)
insert into xero_ops.extract_endpoints (run_id, tenant_id, endpoint, day_calls_left, finished_at)
select run_id, tenant_id, endpoint, 5000 - number, known_at
from ran
inner join numbered using (tenant_id),
    (values ('invoices'), ('contacts'), ('accounts')) as names (endpoint)
"""
