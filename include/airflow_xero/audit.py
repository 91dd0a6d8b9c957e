"""Who did what, to which organisation, from where, and how it ended: xero_ops.audit_log.

Knows the table alone. What is written must outlive what it is about, so that `detail` may name
ids and counts, but no secret, no name of an organisation or person and no record of Xero's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from airflow_xero.warehouse import warehouse_errors


@dataclass(frozen=True)
class Actor:
    """Who acts: a user of Airflow, a Dag or an invitation; and the IP address, if there is one."""

    name: str
    address: str | None = None


def record(
    warehouse: psycopg.Connection[Any],
    actor: Actor,
    *,
    action: str,
    outcome: str,
    tenant_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Write a line; within the caller's transaction when one is open, else in one of its own.

    `action` is a verb such as `connect`. An address that is none is left out rather than
    refused: what happened is more than from where. Returns the line's id. Raises
    WarehouseBusyError, XeroSetupError.
    """
    values = (
        actor.name,
        ip_of(actor.address),
        action,
        tenant_id,
        outcome,
        Jsonb(dict(detail or {})),
    )
    with (
        warehouse_errors(tenant_id=tenant_id),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        row = cursor.execute(_RECORD, values).fetchone()
    return int(row[0]) if row else 0


def count(
    warehouse: psycopg.Connection[Any],
    entry_id: int,
    actor: Actor,
    *,
    action: str,
    times: int,
    tenant_id: str | None = None,
) -> bool:
    """Say in this line's detail that it happened so many times.

    False where there is no such line of this actor, address, action and organisation. Raises as
    `record` does.
    """
    values = {
        "entry_id": entry_id,
        "actor": actor.name,
        "address": ip_of(actor.address),
        "action": action,
        "tenant_id": tenant_id,
        "times": times,
    }
    with warehouse_errors(), warehouse.transaction():
        return warehouse.execute(_COUNT, values).rowcount == 1


def ip_of(address: str | None) -> str | None:
    """What Postgres calls inet: without the zone of a link-local address; None for no address."""
    try:
        return str(ip_address((address or "").partition("%")[0]))
    except ValueError:
        return None


_RECORD = """
insert into xero_ops.audit_log (actor, address, action, tenant_id, outcome, detail)
values (%s, %s::inet, %s, %s::uuid, %s, %s)
returning entry_id
"""

_COUNT = """
update xero_ops.audit_log
set detail = detail || jsonb_build_object('times', %(times)s::int)
where
    entry_id = %(entry_id)s
    and actor = %(actor)s
    and action = %(action)s
    and tenant_id is not distinct from %(tenant_id)s::uuid
    and address is not distinct from %(address)s::inet
"""
