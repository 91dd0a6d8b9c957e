"""What is to be erased and what was: the rows of xero_ops.erasures, from the wish to the proof.

Knows the states requested → erasing → failed | erased, and the names that people type. Must not
know HTTP, tokens, or how anything is deleted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row, tuple_row

from airflow_xero.errors import NotConnectedError, XeroSetupError
from airflow_xero.warehouse import warehouse_errors

STILL_AT_XERO = "still connected at Xero, where its user must end it: in Xero, under Connected apps"
"""What is said of an erasure while Xero may still count a connection of it."""


@dataclass(frozen=True)
class Erasure:
    """An organisation that is to go or went; times are aware UTC, the name is gone at the end.

    `rows_deleted` counts over all tries; `rows_left` is what was counted at the end. What
    `is_left_at_xero` could not be ended there, because its user's consent was lost.
    """

    tenant_id: str
    tenant_name: str | None
    state: str
    state_reason: str | None
    requested_by: str
    requested_at: datetime
    rows_deleted: int
    rows_left: int | None
    finished_at: datetime | None
    is_left_at_xero: bool = False


def ask(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    tenant_id: str,
    *,
    typed_name: str,
    asked_by: str,
    now: datetime,
) -> None:
    """Remember the wish, and pause the organisation; asking again changes nothing.

    Raises XeroSetupError when the name differs from the organisation's, NotConnectedError for one
    that the app does not know.
    """
    with _cursor(warehouse) as cursor:
        values: dict[str, object] = {"conn_id": conn_id, "tenant_id": _uuid_of(tenant_id)}
        row = cursor.execute(_KNOWN, values).fetchone()
        if row is None:
            raise NotConnectedError("This organisation is not known here (any more)")
        if _as_shown(typed_name) != _as_shown(row[0]):
            raise XeroSetupError(
                "The name that was typed is not the organisation's: type it as the page shows it"
            )
        values |= {"tenant_name": row[0], "asked_by": asked_by, "now": now}
        cursor.execute(_ASK, values)
        cursor.execute(_PAUSE, values)


def erasures(warehouse: psycopg.Connection[Any]) -> list[Erasure]:
    """Every erasure that was asked for, the newest first."""
    return _erasures(warehouse, _ALL, None)


def open_erasures(warehouse: psycopg.Connection[Any]) -> list[str]:
    """The tenant ids of what is still to be erased, in the order in which it was asked for."""
    found = [each for each in erasures(warehouse) if each.state != "erased"]
    return [each.tenant_id for each in reversed(found)]


def erasure_of(warehouse: psycopg.Connection[Any], tenant_id: str) -> Erasure:
    """The one of an organisation. Raises XeroSetupError when nobody asked for it."""
    found = _erasures(warehouse, _ONE, tenant_id)
    if not found:
        raise XeroSetupError(
            "Nobody asked for this organisation's erasure: do so on the page Xero",
            tenant_id=tenant_id,
        )
    return found[0]


def begin(warehouse: psycopg.Connection[Any], tenant_id: str) -> Erasure:
    """Say that it is under way; one that is done stays done. Raises as `erasure_of`."""
    with _cursor(warehouse) as cursor:
        cursor.execute(_BEGIN, {"tenant_id": _uuid_of(tenant_id)})
    return erasure_of(warehouse, tenant_id)


def add_deleted(warehouse: psycopg.Connection[Any], tenant_id: str, *, rows: int) -> None:
    """Count deleted rows, within the transaction that deletes them: each counts once."""
    warehouse.execute(_ADD_DELETED, {"tenant_id": tenant_id, "rows": rows})


def finish(
    warehouse: psycopg.Connection[Any],
    tenant_id: str,
    *,
    rows_left: int,
    remark: str | None,
    now: datetime,
) -> None:
    """Say that it is done and what was counted; the organisation's name goes."""
    values = {"tenant_id": tenant_id, "rows_left": rows_left, "remark": remark, "now": now}
    with _cursor(warehouse) as cursor:
        cursor.execute(_FINISH, values)


def leave_at_xero(warehouse: psycopg.Connection[Any], tenant_id: str) -> None:
    """Remember which of its connections Xero may still count, before what knew them goes.

    Within the transaction that deletes them; an id is no name.
    """
    warehouse.execute(_LEAVE_AT_XERO, {"tenant_id": tenant_id})


def take_back(warehouse: psycopg.Connection[Any], connection_ids: Sequence[str]) -> None:
    """Forget that these could not be ended at Xero: they are, or somebody chose them anew."""
    with _cursor(warehouse) as cursor:
        cursor.execute(_TAKE_BACK, {"ids": list(connection_ids), "said": STILL_AT_XERO})


def fail(warehouse: psycopg.Connection[Any], tenant_id: str, *, reason: str) -> None:
    """Say why it stopped; the next try goes on there."""
    with _cursor(warehouse) as cursor:
        cursor.execute(_FAIL, {"tenant_id": tenant_id, "reason": reason})


def _erasures(
    warehouse: psycopg.Connection[Any], query: str, tenant_id: str | None
) -> list[Erasure]:
    with (
        warehouse_errors(tenant_id=tenant_id),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(Erasure)) as cursor,
    ):
        return cursor.execute(query, {"tenant_id": _uuid_of(tenant_id)}).fetchall()


@contextmanager
def _cursor(warehouse: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        yield cursor


def _uuid_of(tenant_id: str | None) -> UUID | None:
    try:
        return UUID(tenant_id or "")
    except ValueError:
        return None


def _as_shown(name: str) -> str:
    """A name as a browser shows it, and as a person can type it: without unseen signs."""
    seen = "".join(sign for sign in name if unicodedata.category(sign) != "Cf") or name
    return " ".join(unicodedata.normalize("NFC", seen).split())


_KNOWN = """
select tenants.tenant_name
from xero_ops.tenants
where
    tenants.tenant_id = %(tenant_id)s
    and exists (
        select from xero_ops.connections
        where connections.tenant_id = tenants.tenant_id and connections.conn_id = %(conn_id)s
    )
"""

_ASK = """
insert into xero_ops.erasures as known
    (tenant_id, conn_id, tenant_name, requested_by, requested_at)
values (%(tenant_id)s, %(conn_id)s, %(tenant_name)s, %(asked_by)s, %(now)s)
on conflict (tenant_id) do update set
    conn_id = excluded.conn_id,
    tenant_name = excluded.tenant_name,
    requested_by = excluded.requested_by,
    requested_at = excluded.requested_at,
    state = 'requested',
    state_reason = null,
    rows_deleted = 0,
    rows_left = null,
    finished_at = null
-- One that was erased and connected anew may be erased again.
where known.state = 'erased'
"""

_PAUSE = """
update xero_ops.connections
set paused_at = coalesce(paused_at, %(now)s), paused_by = coalesce(paused_by, %(asked_by)s)
where tenant_id = %(tenant_id)s
"""

_ERASURE = """
select
    tenant_id::text,
    tenant_name,
    state,
    state_reason,
    requested_by,
    requested_at,
    rows_deleted,
    rows_left,
    finished_at,
    cardinality(left_at_xero) > 0 as is_left_at_xero
from xero_ops.erasures
"""

_ALL = f"{_ERASURE} order by requested_at desc, tenant_id"

_ONE = f"{_ERASURE} where tenant_id = %(tenant_id)s"

_BEGIN = """
update xero_ops.erasures set state = 'erasing', state_reason = null
where tenant_id = %(tenant_id)s and state <> 'erased'
"""

_ADD_DELETED = """
update xero_ops.erasures set rows_deleted = rows_deleted + %(rows)s
where tenant_id = %(tenant_id)s
"""

_FINISH = """
update xero_ops.erasures
set
    state = 'erased',
    state_reason = %(remark)s,
    tenant_name = null,
    rows_left = %(rows_left)s,
    finished_at = %(now)s
where tenant_id = %(tenant_id)s
"""

# One that was left by an earlier erasure may still be there.
_LEAVE_AT_XERO = """
update xero_ops.erasures
set left_at_xero = array(
    select unnest(left_at_xero)
    union
    select connection_id from xero_ops.connections
    where connections.tenant_id = erasures.tenant_id and ended_at_xero is null
)
where tenant_id = %(tenant_id)s
"""

_TAKE_BACK = """
update xero_ops.erasures
set
    left_at_xero = array(select unnest(left_at_xero) except select unnest(%(ids)s::uuid[])),
    state_reason = case
        when left_at_xero <@ %(ids)s::uuid[]
            then nullif(btrim(replace(state_reason, %(said)s, ''), '; '), '')
        else state_reason
    end
where left_at_xero && %(ids)s::uuid[]
"""

_FAIL = """
update xero_ops.erasures set state = 'failed', state_reason = %(reason)s
where tenant_id = %(tenant_id)s
"""
