"""The nightly re-reading of what Xero changes without a stamp: where it stands, what it found.

Knows the table xero_ops.rereads alone. Must not know HTTP, or how a page is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from airflow_xero.endpoint import Endpoint
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


def state_of(connection: psycopg.Connection[Any], tenant_id: str, endpoint: Endpoint) -> Reread:
    """Where the re-reading stands; its beginning when there was none yet."""
    with (
        warehouse_errors(tenant_id=tenant_id, endpoint=endpoint.name),
        connection.transaction(),
        connection.cursor(row_factory=class_row(Reread)) as cursor,
    ):
        row = cursor.execute(
            "select next_page, read_at, records_missing, records_vanished, records_accepted,"
            " wanted_reason"
            " from xero_ops.rereads where tenant_id = %s and endpoint = %s",
            (tenant_id, endpoint.name),
        ).fetchone()
    return row or Reread()


def keep(
    connection: psycopg.Connection[Any], tenant_id: str, endpoint: Endpoint, *, state: Reread
) -> None:
    """Remember where the re-reading stands."""
    values = {**vars(state), "tenant_id": tenant_id, "endpoint": endpoint.name}
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
    """Ask the next extraction to read again whatever Xero edits without a stamp."""
    for endpoint in endpoints:
        if endpoint.reread_nights:
            want(connection, tenant_id, endpoint, reason=reason)


_KEEP = """
insert into xero_ops.rereads (
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
    wanted_reason = excluded.wanted_reason
"""

_WANT = """
insert into xero_ops.rereads (tenant_id, endpoint, wanted_reason)
values (%(tenant_id)s, %(endpoint)s, %(reason)s)
on conflict (tenant_id, endpoint) do update set wanted_reason = excluded.wanted_reason
"""
