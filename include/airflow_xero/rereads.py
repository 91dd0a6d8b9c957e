"""The nightly re-reading of what Xero changes without a stamp: where it stands, what it found.

Knows the table xero_ops.rereads alone. Must not know HTTP, or how a page is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.warehouse import warehouse_errors


@dataclass(frozen=True)
class Reread:
    """Where the re-reading of one endpoint stands; `read_at` (aware UTC) is Xero's clock.

    `records_missing`: Xero listed so many more than were stored, last time. `records_vanished`:
    so many fewer, of which somebody agreed to `records_accepted`. `wanted_reason`: why the whole
    endpoint is wanted at once, else None.
    """

    next_page: int = 1
    read_at: datetime | None = None
    records_missing: int = 0
    records_vanished: int = 0
    records_accepted: int = 0
    wanted_reason: str | None = None


def states_of(connection: psycopg.Connection[Any], tenant_id: str) -> dict[str, Reread]:
    """Where each endpoint's re-reading stands, by name; one that has not begun is left out."""
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        rows = cursor.execute(_STATES, {"tenant_id": tenant_id}).fetchall()
    return {name: Reread(*state) for name, *state in rows}


def keep(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    endpoint: Endpoint,
    *,
    state: Reread,
    was_read_whole: bool,
) -> None:
    """Remember where the re-reading stands.

    Only a whole reading fulfils what is wanted: somebody may have come to want it during a share.
    """
    values = {
        **vars(state),
        "tenant_id": tenant_id,
        "endpoint": endpoint.name,
        "was_read_whole": was_read_whole,
    }
    with warehouse_errors(tenant_id=tenant_id, endpoint=endpoint.name), connection.transaction():
        connection.execute(_KEEP, values)


def want(
    connection: psycopg.Connection[Any], tenant_id: str, endpoint: Endpoint, *, reason: str
) -> None:
    """Ask the next extraction to read the whole endpoint again."""
    values = {"tenant_id": tenant_id, "endpoint": endpoint.name, "reason": reason}
    with warehouse_errors(tenant_id=tenant_id, endpoint=endpoint.name), connection.transaction():
        connection.execute(_WANT, values)


def want_documents(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    endpoints: Iterable[Endpoint],
    *,
    reason: str,
) -> None:
    """Ask the next extraction to read again what the ledger is made of.

    Whether Xero is known to edit it without a stamp or not: something is missing or stale.
    """
    for endpoint in endpoints:
        # The others are read whole whenever they are read.
        if endpoint.is_posted and endpoint.reading is Reading.CHANGES:
            want(connection, tenant_id, endpoint, reason=reason)


_STATES = """
select
    endpoint, next_page, read_at, records_missing, records_vanished, records_accepted,
    wanted_reason
from xero_ops.rereads
where tenant_id = %(tenant_id)s
"""

_KEEP = """
insert into xero_ops.rereads as wished (
    tenant_id, endpoint, next_page, read_at, records_missing, records_vanished, records_accepted,
    wanted_reason
)
values (
    %(tenant_id)s, %(endpoint)s, %(next_page)s, %(read_at)s, %(records_missing)s,
    %(records_vanished)s, %(records_accepted)s, %(wanted_reason)s
)
on conflict (tenant_id, endpoint) do update set
    next_page = excluded.next_page,
    read_at = excluded.read_at,
    records_missing = excluded.records_missing,
    records_vanished = excluded.records_vanished,
    records_accepted = excluded.records_accepted,
    wanted_reason = case
        when %(was_read_whole)s then excluded.wanted_reason
        else coalesce(excluded.wanted_reason, wished.wanted_reason)
    end
"""

_WANT = """
insert into xero_ops.rereads (tenant_id, endpoint, wanted_reason)
values (%(tenant_id)s, %(endpoint)s, %(reason)s)
on conflict (tenant_id, endpoint) do update set wanted_reason = excluded.wanted_reason
"""
