"""Which grant reaches which organisation, as Xero lists it: xero_ops.connections and its tenants.

Knows the two tables. Must not know OAuth, tokens or how an organisation is doing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from airflow_xero.app_connections import Connection
from airflow_xero.warehouse import warehouse_errors


def save(
    warehouse: psycopg.Connection[Any],
    listed: Sequence[Connection],
    *,
    conn_id: str,
    grant_id: str,
    now: datetime,
    connected_by: str | None = None,
) -> None:
    """Store what a consent reaches, with the names that the organisations have now.

    `connected_by` chose them; without it they stay whose they are.
    """
    with warehouse_errors(), warehouse.transaction():
        for entry in listed:
            values = {
                **vars(entry),
                "conn_id": conn_id,
                "grant_id": grant_id,
                "connected_by": connected_by,
                "now": now,
            }
            warehouse.execute(_SAVE_TENANT, values)
            warehouse.execute(_SAVE_CONNECTION, values)


def open_among(
    warehouse: psycopg.Connection[Any], listed: Sequence[Connection], *, conn_id: str
) -> set[str]:
    """Those of Xero's connections that are open here: their connection ids."""
    values = {"conn_id": conn_id, "listed": [entry.connection_id for entry in listed]}
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        return {found for (found,) in cursor.execute(_OPEN_AMONG, values).fetchall()}


def mark_refused(
    warehouse: psycopg.Connection[Any], tenant_id: str, *, grant_id: str, now: datetime
) -> None:
    """Remember that Xero refuses an organisation to a grant, so that another one is tried."""
    values = {"tenant_id": tenant_id, "grant_id": grant_id, "now": now}
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(_MARK_REFUSED, values)


def close_unlisted(
    warehouse: psycopg.Connection[Any],
    listed: Sequence[Connection],
    *,
    grant_id: str,
    now: datetime,
) -> list[str]:
    """Close the grant's connections that Xero no longer lists; their tenant ids.

    What the same user connected after `now` is younger than Xero's list, and stays.
    """
    values = {
        "now": now,
        "grant_id": grant_id,
        "listed": [entry.connection_id for entry in listed],
    }
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        return [tenant_id for (tenant_id,) in cursor.execute(_CLOSE, values).fetchall()]


def shared(
    warehouse: psycopg.Connection[Any],
    listed: Sequence[Connection],
    *,
    conn_id: str,
    grant_id: str,
) -> set[str]:
    """Those of the organisations that another grant of the app reaches, too: their tenant ids."""
    values = {
        "conn_id": conn_id,
        "grant_id": grant_id,
        "listed": [entry.tenant_id for entry in listed],
    }
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        return {tenant_id for (tenant_id,) in cursor.execute(_SHARED, values).fetchall()}


def count_at_xero(warehouse: psycopg.Connection[Any], conn_id: str) -> int:
    """How many connections Xero counts for the app, one for each organisation of each Xero user.

    Those that are closed here but could not be ended at Xero yet are among them.
    """
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        row = cursor.execute(f"select {COUNT_AT_XERO}", {"conn_id": conn_id}).fetchone()
    return int(row[0]) if row else 0


_SAVE_TENANT = """
insert into xero_ops.tenants (tenant_id, tenant_name, first_connected_at)
values (%(tenant_id)s, %(tenant_name)s, %(now)s)
on conflict (tenant_id) do update set tenant_name = excluded.tenant_name
"""

_SAVE_CONNECTION = """
insert into xero_ops.connections as known
    (connection_id, conn_id, grant_id, tenant_id, auth_event_id, connected_by, connected_at)
values
    (%(connection_id)s, %(conn_id)s, %(grant_id)s, %(tenant_id)s, %(auth_event_id)s,
     %(connected_by)s, %(now)s)
on conflict (connection_id) do update set
    conn_id = excluded.conn_id,
    grant_id = excluded.grant_id,
    tenant_id = excluded.tenant_id,
    auth_event_id = excluded.auth_event_id,
    connected_by = coalesce(excluded.connected_by, known.connected_by),
    connected_at = case
        when known.disconnected_at is null then known.connected_at else excluded.connected_at
    end,
    disconnected_at = null,
    ended_at_xero = null,
    refused_at = case when excluded.connected_by is null then known.refused_at end
"""

_OPEN_AMONG = """
select connection_id::text from xero_ops.connections
where
    conn_id = %(conn_id)s
    and disconnected_at is null
    and connection_id = any(%(listed)s::uuid[])
"""

_MARK_REFUSED = """
update xero_ops.connections set refused_at = %(now)s
where tenant_id = %(tenant_id)s and grant_id = %(grant_id)s and disconnected_at is null
"""

COUNT_AT_XERO = """
(
    select count(*) from xero_ops.connections
    where connections.conn_id = %(conn_id)s and connections.ended_at_xero is null
) + (
    select coalesce(sum(cardinality(erasures.left_at_xero)), 0) from xero_ops.erasures
    where erasures.conn_id = %(conn_id)s
)
"""

# Xero lists it no more, so that it does not count it, either.
_CLOSE = """
update xero_ops.connections set disconnected_at = %(now)s, ended_at_xero = %(now)s
where
    grant_id = %(grant_id)s
    and disconnected_at is null
    and connected_at <= %(now)s
    and connection_id <> all(%(listed)s::uuid[])
returning tenant_id::text
"""

_SHARED = """
select distinct connections.tenant_id::text
from xero_ops.connections
inner join xero_ops.grants using (grant_id)
where
    connections.conn_id = %(conn_id)s
    and connections.grant_id <> %(grant_id)s
    and connections.disconnected_at is null
    and grants.state = 'active'
    and connections.tenant_id = any(%(listed)s::uuid[])
"""
