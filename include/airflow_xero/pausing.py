"""Leaving one organisation out of every run for a while, and taking it up again.

An organisation is paused when any of its connections of the app is, so that a consent of another
user does not begin it again behind the back of who paused it. Its data, its statistics and its
place in what was read stay. Must not know tokens, HTTP or Airflow.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from airflow_xero.audit import Actor, record
from airflow_xero.errors import NotConnectedError
from airflow_xero.warehouse import warehouse_errors


def pause(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    tenant_id: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Leave the organisation out from the next run on; one that is being read is read to its end.

    Pausing twice keeps who did it first. Raises NotConnectedError for an organisation that was
    never connected to the app.
    """
    values = {"paused_at": now, "paused_by": actor.name}
    _change(warehouse, conn_id, tenant_id, query=_PAUSE, actor=actor, action="pause", **values)


def unpause(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    tenant_id: str,
    *,
    actor: Actor,
    now: datetime,  # noqa: ARG001 -- as its sister
) -> None:
    """Take the organisation up again with the next run, where its reading stopped.

    Raises NotConnectedError as `pause`, and while its erasure was asked for.
    """
    _change(warehouse, conn_id, tenant_id, query=_UNPAUSE, actor=actor, action="unpause")


def is_paused(warehouse: psycopg.Connection[Any], conn_id: str, tenant_id: str) -> bool:
    """Whether somebody paused the organisation, or asked for its erasure."""
    if not _is_uuid(tenant_id):
        return False
    with (
        warehouse_errors(tenant_id=tenant_id),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        values = {"conn_id": conn_id, "tenant_id": tenant_id}
        return cursor.execute(_IS_PAUSED, values).fetchone() is not None


def _change(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    tenant_id: str,
    *,
    query: str,
    actor: Actor,
    action: str,
    **values: object,
) -> None:
    is_id = _is_uuid(tenant_id)
    values = {"conn_id": conn_id, "tenant_id": tenant_id if is_id else None, **values}
    with warehouse_errors(), warehouse.transaction():
        if not warehouse.execute(query, values).rowcount:
            raise NotConnectedError(
                "This organisation is not connected to the app, or is being erased: reload the"
                " page Xero"
            )
        record(warehouse, actor, action=action, outcome=f"{action}d", tenant_id=tenant_id)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


_PAUSE = """
update xero_ops.connections
set
    paused_at = coalesce(paused_at, %(paused_at)s),
    paused_by = coalesce(paused_by, %(paused_by)s)
where conn_id = %(conn_id)s and tenant_id = %(tenant_id)s
"""

_UNPAUSE = """
update xero_ops.connections
set paused_at = null, paused_by = null
where
    conn_id = %(conn_id)s
    and tenant_id = %(tenant_id)s
    and not exists (
        select from xero_ops.erasures
        where erasures.tenant_id = connections.tenant_id and erasures.state <> 'erased'
    )
"""

_IS_PAUSED = """
select 1 from xero_ops.connections
where conn_id = %(conn_id)s and tenant_id = %(tenant_id)s and paused_at is not null
limit 1
"""
