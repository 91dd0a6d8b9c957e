"""Who reads which organisation in the marts.

Knows `xero_ops.reader_tenants`, and the role whose members read every one. Must not know a mart,
nor how its policies are made (dbt/macros/publishing). Nothing here makes a role or a login.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors as postgres
from psycopg import sql
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from airflow_xero.errors import XeroSetupError
from airflow_xero.warehouse import warehouse_errors

GROUP = "bi_reader"
GROUP_OF_ALL = "bi_reader_of_all"


@dataclass(frozen=True)
class Reader:
    """A role of the database and the names of the organisations it may read."""

    name: str
    is_every_tenant: bool
    tenant_names: tuple[str, ...]


def readers(connection: psycopg.Connection[Any]) -> list[Reader]:
    """Every role that may read something, by name."""
    with warehouse_errors(), connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_READERS, (GROUP_OF_ALL,)).fetchall()
    return [Reader(name, is_every, tuple(tenants)) for name, is_every, tenants in rows]


def let_read(
    connection: psycopg.Connection[Any], reader: str, tenants: Sequence[str] | None
) -> tuple[str, ...]:
    """Let a role read organisations, by id or exact name, or all when None; safe to repeat.

    Returns notices for a person. Raises XeroSetupError when the role, or an organisation, is
    unknown, or several have the name.
    """
    with warehouse_errors(), connection.transaction():
        if tenants is None:
            _require_role(connection, reader)
            _change_membership(connection, "grant {} to {}", reader)
            _audit(connection, "let read", reader=reader, tenant_id=None)
            return ()
        notices = _notices(connection, reader)
        for tenant_id in [_tenant_id(connection, each) for each in tenants]:
            connection.execute(_LET_READ, (reader, tenant_id))
            _audit(connection, "let read", reader=reader, tenant_id=tenant_id)
    return notices


def stop_reading(
    connection: psycopg.Connection[Any], reader: str, tenants: Sequence[str] | None
) -> int:
    """Take back what `let_read` gave: these organisations, or, when None, everything.

    Returns how many permissions are gone; what the role has through another role stays. Raises
    XeroSetupError as `let_read` does, but for a role that is gone.
    """
    with warehouse_errors(), connection.transaction():
        chosen = tenants and [_tenant_id(connection, each) for each in tenants]
        gone = connection.execute(_STOP_READING, (reader, chosen, chosen)).rowcount
        if chosen is None and connection.execute(_IS_OF_ALL, (reader, GROUP_OF_ALL)).fetchone():
            _change_membership(connection, "revoke {} from {}", reader)
            gone += 1
        audited: Sequence[str | None] = chosen or [None]
        for tenant_id in audited:
            _audit(connection, "stopped reading", reader=reader, tenant_id=tenant_id)
    return gone


def _notices(connection: psycopg.Connection[Any], reader: str) -> tuple[str, ...]:
    if _require_role(connection, reader):
        return ()
    return (
        f"{reader} is no member of {GROUP} and so may not read the marts: an administrator "
        f'runs `grant {GROUP} to "{reader}"`',
    )


def _require_role(connection: psycopg.Connection[Any], reader: str) -> bool:
    """Whether the role is a member of the group; XeroSetupError when there is no such role."""
    row = connection.execute(_ROLE, {"reader": reader, "group": GROUP}).fetchone()
    if row is None:
        raise XeroSetupError(
            f"The database has no role {reader!r}: an administrator makes it, with `create role "
            f'"{reader}" login in role {GROUP}`, say'
        )
    return bool(row[0])


def _change_membership(connection: psycopg.Connection[Any], change: str, reader: str) -> None:
    statement = sql.SQL(change).format(sql.Identifier(GROUP_OF_ALL), sql.Identifier(reader))
    try:
        with connection.transaction():
            connection.execute(statement)
    except (postgres.InsufficientPrivilege, postgres.UndefinedObject) as error:
        raise XeroSetupError(
            f"The warehouse connection's login may not do that: ask an administrator of the "
            f"database for `{statement.as_string(connection)}`"
        ) from error


def _tenant_id(connection: psycopg.Connection[Any], wanted: str) -> str:
    rows = connection.execute(_TENANT, (wanted, wanted)).fetchall()
    if len(rows) == 1:
        return str(rows[0][0])
    problem = "Several organisations are" if rows else "No organisation is"
    raise XeroSetupError(f"{problem} called {wanted!r}: give its tenant_id")


def _audit(
    connection: psycopg.Connection[Any], action: str, *, reader: str, tenant_id: str | None
) -> None:
    connection.execute(_AUDIT, (action, tenant_id, Jsonb({"reader": reader})))


_READERS = """
with permissions as (
    select
        reader_tenants.reader_name,
        tenants.tenant_name
    from xero_ops.reader_tenants
    inner join xero_ops.tenants using (tenant_id)
    union all
    select
        member.rolname::text as reader_name,
        null as tenant_name
    from pg_catalog.pg_auth_members
    inner join pg_catalog.pg_roles as member on pg_auth_members.member = member.oid
    where pg_auth_members.roleid = to_regrole(%s)
)

select
    reader_name,
    bool_or(tenant_name is null),
    coalesce(
        array_agg(tenant_name order by tenant_name) filter (where tenant_name is not null), '{}'
    )
from permissions
group by reader_name
order by reader_name
"""

_LET_READ = """
insert into xero_ops.reader_tenants (reader_name, tenant_id)
values (%s, %s)
on conflict do nothing
"""

_IS_OF_ALL = """
select 1 from pg_catalog.pg_auth_members
inner join pg_catalog.pg_roles as member on pg_auth_members.member = member.oid
where member.rolname = %s and pg_auth_members.roleid = to_regrole(%s)
"""

_STOP_READING = """
delete from xero_ops.reader_tenants
where reader_name = %s and (%s::uuid[] is null or tenant_id = any(%s::uuid[]))
"""

_ROLE = """
select coalesce(pg_has_role(rolname, to_regrole(%(group)s), 'usage'), false)
from pg_catalog.pg_roles
where rolname = %(reader)s
"""

_TENANT = """
select tenant_id from xero_ops.tenants where tenant_id::text = lower(%s) or tenant_name = %s
"""

_AUDIT = """
insert into xero_ops.audit_log (actor, action, tenant_id, outcome, detail)
values (session_user, %s, %s, 'done', %s)
"""
