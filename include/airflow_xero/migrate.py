"""The warehouse's tables, brought to the version of this code.

Applies the numbered files of `sql/` and makes the roles of the BI tools. Must not know what is
in the files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any

import psycopg
from psycopg import errors as postgres
from psycopg import sql
from psycopg.rows import tuple_row

from airflow_xero.errors import XeroSetupError
from airflow_xero.warehouse import require_idle, warehouse_errors

# Any constant will do, as long as no other software locks the same one.
_LOCK_KEY = 7_316_528_401

_BOOKKEEPING = """
create schema if not exists xero_ops;
create table if not exists xero_ops.schema_migrations (
    file_name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
);
comment on table xero_ops.schema_migrations is 'The numbered files of sql/ that were applied.';
"""

# Who may read the marts, organisation by organisation; and who reads every one.
_READER_ROLES = ("bi_reader", "bi_reader_of_all")

_NO_READER = (
    "The role {0} is missing and this login may not create it: ask an administrator of "
    "the database for `create role {0} nologin`"
)


@dataclass(frozen=True)
class Migrated:
    """What a migration did: the files applied now, and notices for a person."""

    applied: tuple[str, ...]
    notices: tuple[str, ...]


def migrate(connection: psycopg.Connection[Any]) -> Migrated:
    """Apply what is missing, each file in its own transaction; safe to run twice at once.

    The connection must not be inside a transaction. Raises XeroSetupError when its login may
    not create schemas, WarehouseBusyError.
    """
    require_idle(connection)
    with warehouse_errors():
        connection.execute("select pg_advisory_lock(%s)", (_LOCK_KEY,))
        connection.commit()
        try:
            with connection.transaction():
                connection.execute(_BOOKKEEPING)
            applied = tuple(name for name in _missing(connection) if _apply(connection, name))
            notices = tuple(
                notice for role in _READER_ROLES for notice in _ensure_reader(connection, role)
            )
        finally:
            if not connection.closed:
                connection.execute("select pg_advisory_unlock(%s)", (_LOCK_KEY,))
                connection.commit()
    return Migrated(applied, notices)


def require_migrated(connection: psycopg.Connection[Any]) -> None:
    """Raise XeroSetupError naming `airflow xero migrate` when the warehouse is older."""
    with warehouse_errors(), connection.transaction():
        missing = _missing(connection)
    if missing:
        raise XeroSetupError(
            f"The warehouse is older than this package (it lacks {', '.join(missing)}): run "
            "`airflow xero migrate`"
        )


def _missing(connection: psycopg.Connection[Any]) -> list[str]:
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute("select file_name from xero_ops.schema_migrations").fetchall()
    applied = {row[0] for row in rows}
    return [name for name in _files() if name not in applied]


def _files() -> list[str]:
    folder = resources.files("airflow_xero") / "sql"
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))


def _apply(connection: psycopg.Connection[Any], name: str) -> bool:
    content = (resources.files("airflow_xero") / "sql" / name).read_bytes()
    with connection.transaction():
        connection.execute(content)
        connection.execute(
            "insert into xero_ops.schema_migrations (file_name, sha256) values (%s, %s)",
            (name, hashlib.sha256(content).hexdigest()),
        )
    return True


def _ensure_reader(connection: psycopg.Connection[Any], role: str) -> tuple[str, ...]:
    """Make a role that BI tools belong to; it has no login and, before dbt runs, no rights."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        with connection.transaction():
            known = cursor.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
        if known:
            return ()
        try:
            with connection.transaction():
                cursor.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
        except postgres.InsufficientPrivilege:
            return (_NO_READER.format(role),)
        except (postgres.DuplicateObject, postgres.UniqueViolation):
            # Another database of the same server was being migrated at the same moment.
            return ()
    return ()
