"""Erasing one organisation: asked for by name, done table by table, proved by a count.

It can be stopped anywhere and goes on when it is begun again: each table is emptied in a
transaction of its own, the raw ones first, so that nothing built meanwhile brings back what is
gone; what says that there is an organisation goes last. What stays is that it happened: lines in
the audit log and one in xero_ops.erasures, with its id and without its name. Must not know
Airflow, nor any table but those that say what is connected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg

from airflow_xero import erasures, runs, traces
from airflow_xero.audit import Actor, record
from airflow_xero.disconnect import leave
from airflow_xero.erasures import Erasure, open_erasures
from airflow_xero.errors import WarehouseBusyError, XeroError
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import TokenStore
from airflow_xero.traces import Table
from airflow_xero.warehouse import first_column, require_idle, warehouse_errors

__all__ = ["Erased", "Erasure", "erase", "open_erasures", "request", "rows_left"]


@dataclass(frozen=True)
class Erased:
    """Rows that went, over all tries, and that are left in our schemas: none.

    `elsewhere`: copies in schemas that are not ours, by table; who made them must delete them.
    """

    rows_deleted: int
    rows_left: int
    elsewhere: Mapping[str, int] = field(default_factory=dict)


def request(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    tenant_id: str,
    *,
    typed_name: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Ask for an organisation's erasure; from now on no run reads it.

    `typed_name` must be its name as the page shows it. Asking again changes nothing. Raises
    XeroSetupError when the name differs, NotConnectedError for an organisation that the app does
    not know.
    """
    with warehouse_errors(), warehouse.transaction():
        erasures.ask(
            warehouse, conn_id, tenant_id, typed_name=typed_name, asked_by=actor.name, now=now
        )
        record(warehouse, actor, action="erase", outcome="requested", tenant_id=tenant_id)


def rows_left(warehouse: psycopg.Connection[Any], tenant_id: str) -> dict[str, int]:
    """How many rows of the organisation each table of ours has; empty when nothing is left.

    Every table with a tenant_id is counted, marts included, but those that remember the erasure.
    """
    ours = [table for table in traces.tables(warehouse) if table.is_ours]
    return traces.count(warehouse, ours, str(UUID(tenant_id)))


def erase(
    app: XeroApp,
    tenant_id: str,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    now: datetime,
) -> Erased:
    """Erase an organisation whose erasure was asked for; begun again, it goes on.

    No dbt build may run meanwhile (the Dag's pool sees to it). Raises WarehouseBusyError while
    the organisation is being extracted, or was connected again meanwhile; UnavailableError while
    Xero cannot be told; XeroSetupError when nobody asked, or another app is connected to it.
    """
    require_idle(warehouse)
    asked = erasures.begin(warehouse, tenant_id)
    if asked.state == "erased":
        return Erased(asked.rows_deleted, asked.rows_left or 0)
    actor = Actor(asked.requested_by)
    try:
        leave(app, tenant_id, warehouse=warehouse, tokens=tokens, http=http, actor=actor, now=now)
        with runs.tenant_lock(warehouse, tenant_id):
            _empty_everything(warehouse, tenant_id)
            erased = _counted(warehouse, tenant_id)
        _finish(warehouse, tenant_id, erased, actor=actor, now=now)
    except XeroError as error:
        _fail(warehouse, tenant_id, error, actor=actor)
        raise
    return erased


def _empty_everything(warehouse: psycopg.Connection[Any], tenant_id: str) -> None:
    """Table by table; the library's own last and together, the organisation itself with them."""
    ours = [each for each in traces.tables(warehouse) if each.is_ours and each.is_stored]
    records = [table for table in ours if table.schema != traces.OPS]
    with warehouse_errors(tenant_id=tenant_id), warehouse.transaction():
        warehouse.execute(_HIDE, {"tenant_id": tenant_id})
    for table in records:
        with warehouse_errors(tenant_id=tenant_id), warehouse.transaction():
            rows = traces.empty(warehouse, [table], tenant_id)
            erasures.add_deleted(warehouse, tenant_id, rows=rows)
    traces.tidy(warehouse, records)
    with warehouse_errors(tenant_id=tenant_id), warehouse.transaction():
        own = [table for table in ours if table.schema == traces.OPS]
        rows = _let_go(warehouse, tenant_id, own)
        erasures.add_deleted(warehouse, tenant_id, rows=rows)


def _let_go(warehouse: psycopg.Connection[Any], tenant_id: str, own: Sequence[Table]) -> int:
    """Runs, connections, the organisation, and users who had no other; how many rows."""
    values = {"tenant_id": tenant_id}
    if first_column(warehouse, _OPEN_CONNECTIONS, values):
        raise WarehouseBusyError(
            "Somebody connected the organisation again while it was erased: the next try"
            " disconnects it",
            tenant_id=tenant_id,
        )
    grants = first_column(warehouse, _GRANTS, values)
    erasures.leave_at_xero(warehouse, tenant_id)
    rows = traces.empty(warehouse, own, tenant_id)
    warehouse.execute(_FORGET_MESSAGES, values)
    warehouse.execute(_FORGET_INVITED, {"grants": grants})
    return rows + warehouse.execute(_FORGET_USERS, {"grants": grants}).rowcount


def _counted(warehouse: psycopg.Connection[Any], tenant_id: str) -> Erased:
    """The proof. Raises WarehouseBusyError naming the tables in which rows came back."""
    readable = [table for table in traces.tables(warehouse) if table.may_read]
    found = traces.count(warehouse, readable, tenant_id)
    ours = {str(table) for table in readable if table.is_ours}
    left = sorted(ours.intersection(found))
    if left:
        raise WarehouseBusyError(
            f"Rows came back while the organisation was erased, in {', '.join(left)}: the next try"
            " deletes them",
            tenant_id=tenant_id,
        )
    return Erased(erasures.erasure_of(warehouse, tenant_id).rows_deleted, 0, found)


def _finish(
    warehouse: psycopg.Connection[Any],
    tenant_id: str,
    erased: Erased,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    copies = ", ".join(f"{name} ({rows})" for name, rows in erased.elsewhere.items())
    is_left = erasures.erasure_of(warehouse, tenant_id).is_left_at_xero
    remarks = [
        *([erasures.STILL_AT_XERO] if is_left else []),
        *([f"tables that are not ours still have rows: {copies}"] if copies else []),
    ]
    remark = "; ".join(remarks) or None
    with warehouse_errors(tenant_id=tenant_id), warehouse.transaction():
        erasures.finish(warehouse, tenant_id, rows_left=erased.rows_left, remark=remark, now=now)
        _record(warehouse, tenant_id, "erased", actor=actor, detail=vars(erased))
    traces.tidy(warehouse, [each for each in traces.tables(warehouse) if each.schema == traces.OPS])


def _fail(
    warehouse: psycopg.Connection[Any], tenant_id: str, error: XeroError, *, actor: Actor
) -> None:
    """Say why, if the warehouse can still be told."""
    with (
        suppress(WarehouseBusyError),
        warehouse_errors(tenant_id=tenant_id),
        warehouse.transaction(),
    ):
        erasures.fail(warehouse, tenant_id, reason=error.message)
        _record(warehouse, tenant_id, f"failed: {type(error).__name__}", actor=actor)


def _record(
    warehouse: psycopg.Connection[Any],
    tenant_id: str,
    outcome: str,
    *,
    actor: Actor,
    detail: Mapping[str, Any] | None = None,
) -> None:
    record(warehouse, actor, action="erase", outcome=outcome, tenant_id=tenant_id, detail=detail)


# From here on a build takes the organisation for gone, and publishes the others.
_HIDE = """
update xero_ops.tenants
set complete_at = null, complete_day = null, complete_run_id = null
where tenant_id = %(tenant_id)s
"""

_OPEN_CONNECTIONS = """
select connection_id from xero_ops.connections
where tenant_id = %(tenant_id)s and disconnected_at is null
"""

_GRANTS = "select distinct grant_id from xero_ops.connections where tenant_id = %(tenant_id)s"

# Name and e-mail of a user go with the last organisation that they had connected.
_FORGET_USERS = """
delete from xero_ops.grants
where
    grant_id = any(%(grants)s)
    and not exists (
        select from xero_ops.connections where connections.grant_id = grants.grant_id
    )
"""

# They may have come by an invitation, whose note may name them, or what they were to connect.
_FORGET_INVITED = """
update xero_ops.invitations
set used_by_email = null, note = null
from xero_ops.grants
where
    grants.grant_id = any(%(grants)s)
    and invitations.used_by_email = grants.user_email
    and invitations.conn_id = grants.conn_id
    and not exists (
        select from xero_ops.connections where connections.grant_id = grants.grant_id
    )
"""

# What dbt said of a failed test may quote a key.
_FORGET_MESSAGES = """
update xero_ops.build_results set message = 'erased'
where message like '%%' || %(tenant_id)s || '%%'
"""
