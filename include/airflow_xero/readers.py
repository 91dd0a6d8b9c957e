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
    """A role of the database and the names of the organisations that it was let read.

    What a role was let read, whoever inherits from it reads, too: `through` are the roles by which
    it reads what was not given to itself; of who reads every organisation, those by which it reads
    every one. Where not `is_admitted`, it is no member of the group, and reads nothing before that.
    """

    name: str
    is_every_tenant: bool
    tenant_names: tuple[str, ...]
    through: tuple[str, ...] = ()
    is_admitted: bool = True


def readers(connection: psycopg.Connection[Any]) -> list[Reader]:
    """Every role that was let read something, itself or through another role, by name.

    Superusers read everything, whatever they were let.
    """
    groups = {"group": GROUP, "group_of_all": GROUP_OF_ALL}
    with warehouse_errors(), connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_READERS, groups).fetchall()
    return [
        Reader(name, is_every, tuple(tenants), tuple(through), is_admitted)
        for name, is_every, tenants, through, is_admitted in rows
    ]


def let_read(
    connection: psycopg.Connection[Any], reader: str, tenants: Sequence[str] | None
) -> tuple[str, ...]:
    """Let a role read organisations, by id or exact name, or all when None; safe to repeat.

    Returns notices for a person. Raises XeroSetupError when the role, or an organisation, is
    unknown, or several have the name.
    """
    with warehouse_errors(), connection.transaction():
        _require_role(connection, reader)
        if tenants is None:
            _change_membership(connection, "grant {} to {}", reader)
            _audit(connection, "let read", reader=reader, tenant_id=None)
            return ()
        for tenant_id in [_tenant_id(connection, each) for each in tenants]:
            connection.execute(_LET_READ, (reader, tenant_id))
            _audit(connection, "let read", reader=reader, tenant_id=tenant_id)
        return _notices(connection, reader)


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
    """What keeps this role from reading exactly what it was let, and who takes that away."""
    return tuple(
        _reads_every_tenant(one) if one.is_every_tenant else _is_not_admitted(one)
        for one in readers(connection)
        if one.name == reader and (one.is_every_tenant or not one.is_admitted)
    )


def _reads_every_tenant(reader: Reader) -> str:
    if not reader.through:
        return (
            f"{reader.name} reads every organisation all the same, as a member of {GROUP_OF_ALL}: "
            f"`airflow xero stop-reading {reader.name} --every-tenant` takes all of it back; then "
            "let it read these once more"
        )
    commands = " and ".join(
        f"`airflow xero stop-reading {role} --every-tenant`" for role in reader.through
    )
    return (
        f"{reader.name} reads every organisation all the same, through {', '.join(reader.through)}:"
        f" {commands} takes that away, from every other member, too"
    )


def _is_not_admitted(reader: Reader) -> str:
    return (
        f"{reader.name} is no member of {GROUP} and so may not read the marts: an administrator "
        f'runs `grant {GROUP} to "{reader.name}"`'
    )


def _require_role(connection: psycopg.Connection[Any], reader: str) -> None:
    if connection.execute(_ROLE, (reader,)).fetchone() is None:
        raise XeroSetupError(
            f"The database has no role {reader!r}: an administrator makes it, with `create role "
            f'"{reader}" login in role {GROUP}`, say'
        )


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


# Membership counts as Postgres counts it for any right: with the roles that a role inherits from.
_READERS = """
with given as (
    select
        reader_tenants.reader_name as giver,
        tenants.tenant_id,
        tenants.tenant_name
    from xero_ops.reader_tenants
    inner join xero_ops.tenants using (tenant_id)
    union all
    -- Every organisation.
    select
        member.rolname::text as giver,
        null as tenant_id,
        null as tenant_name
    from pg_catalog.pg_auth_members
    inner join pg_catalog.pg_roles as member on pg_auth_members.member = member.oid
    where
        pg_auth_members.roleid = to_regrole(%(group_of_all)s)
        and pg_has_role(member.oid, pg_auth_members.roleid, 'usage')
),

held as (
    select
        givers.giver as reader_name,
        givers.giver
    from (select distinct giver from given) as givers
    union
    select
        heir.rolname::text as reader_name,
        givers.giver
    from (select distinct giver from given) as givers
    inner join pg_catalog.pg_roles as giving on givers.giver = giving.rolname::text
    -- A superuser is a member of every role, which says nothing.
    inner join pg_catalog.pg_roles as heir
        on not heir.rolsuper and pg_has_role(heir.oid, giving.oid, 'usage')
),

told as (
    select
        held.reader_name,
        held.giver,
        given.tenant_id,
        given.tenant_name,
        bool_or(given.tenant_id is null) over by_reader as is_every_tenant,
        bool_or(held.giver = held.reader_name) over by_permission as is_own,
        row_number() over by_permission as copy
    from held
    inner join given on held.giver = given.giver
    window
        by_reader as (partition by held.reader_name),
        by_permission as (partition by held.reader_name, given.tenant_id)
)

select
    told.reader_name,
    bool_or(told.is_every_tenant),
    coalesce(
        array_agg(told.tenant_name order by told.tenant_name)
        filter (where told.tenant_id is not null and told.copy = 1),
        '{}'
    ),
    coalesce(
        array_agg(distinct told.giver)
        filter (where not told.is_own and (told.tenant_id is null) = told.is_every_tenant),
        '{}'
    ),
    coalesce(bool_or(
        pg_has_role(pg_roles.oid, to_regrole(%(group)s), 'usage')
        or pg_has_role(pg_roles.oid, to_regrole(%(group_of_all)s), 'usage')
    ), false)
from told
left join pg_catalog.pg_roles on told.reader_name = pg_roles.rolname::text
group by told.reader_name
order by told.reader_name
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
select from pg_catalog.pg_roles where rolname = %s
"""

_TENANT = """
select tenant_id from xero_ops.tenants where tenant_id::text = lower(%s) or tenant_name = %s
"""

_AUDIT = """
insert into xero_ops.audit_log (actor, action, tenant_id, outcome, detail)
values (session_user, %s, %s, 'done', %s)
"""
