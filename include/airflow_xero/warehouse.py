"""What Postgres errors mean to the person who runs the warehouse.

Knows psycopg's errors and SQLSTATEs; must not know any table. Nothing of a record or a query
reaches a message: only the primary line that Postgres wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as postgres
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from airflow_xero.errors import WarehouseBusyError, XeroError, XeroSetupError

_KEPT = "Nothing is lost: the next try continues where this one stopped."
_MIGRATE = "run `airflow xero migrate`"

# First match wins, so the narrow classes come before OperationalError.
_BUSY: tuple[tuple[type[psycopg.Error], str], ...] = (
    (postgres.DiskFull, "The warehouse's disk is full: free space on the Postgres server"),
    (
        postgres.ReadOnlySqlTransaction,
        "The warehouse takes no writes: let its connection point to the primary server",
    ),
    (postgres.OutOfMemory, "The warehouse is out of memory: give the Postgres server more"),
    (
        postgres.TooManyConnections,
        "The warehouse has no connection left: raise max_connections, or lower the pool's slots",
    ),
    (postgres.LockNotAvailable, "Another session holds a row of the warehouse for too long"),
    (
        postgres.IdleInTransactionSessionTimeout,
        "The warehouse ended a session that was idle within its transaction",
    ),
    (psycopg.InterfaceError, "The connection to the warehouse is closed"),
    (
        psycopg.OperationalError,
        "The warehouse is not reachable: see that Postgres runs where its connection points to",
    ),
)
_SETUP: tuple[tuple[type[psycopg.Error], str], ...] = (
    (
        postgres.InsufficientPrivilege,
        "The warehouse connection's login lacks a privilege: let it own the xero_ schemas",
    ),
    (postgres.UndefinedTable, f"The warehouse has no Xero tables yet: {_MIGRATE}"),
    (postgres.InvalidSchemaName, f"The warehouse has no Xero tables yet: {_MIGRATE}"),
    (postgres.UndefinedColumn, f"The warehouse is older than this package: {_MIGRATE}"),
    (
        postgres.InvalidAuthorizationSpecification,
        "Postgres refuses the login: correct login and password of the warehouse connection",
    ),
    (
        postgres.InvalidCatalogName,
        "The warehouse's database is missing: create it or correct the warehouse connection",
    ),
)


@contextmanager
def warehouse_errors(
    *, tenant_id: str | None = None, endpoint: str | None = None
) -> Iterator[None]:
    """Turn a psycopg error that a person or a later try can cure into ours.

    Raises WarehouseBusyError or XeroSetupError; any other psycopg error passes, since it is a
    fault of our SQL.
    """
    try:
        yield
    except psycopg.Error as error:
        translated = _translated(error, tenant_id=tenant_id, endpoint=endpoint)
        if translated is None:
            raise
        raise translated from error


def require_idle(connection: psycopg.Connection[Any]) -> None:
    """Raise ValueError inside a transaction, in which nothing that we commit would be kept."""
    if connection.info.transaction_status is TransactionStatus.INTRANS:
        raise ValueError("the warehouse connection is inside a transaction: commit it first")


def first_column(
    connection: psycopg.Connection[Any], query: str, values: Mapping[str, object]
) -> list[Any]:
    """The first column of a question's answer, in a transaction of its own.

    Raises WarehouseBusyError, XeroSetupError.
    """
    with (
        warehouse_errors(),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        return [row[0] for row in cursor.execute(query, values).fetchall()]


def _translated(error: psycopg.Error, **where: Any) -> XeroError | None:
    # Without a server there is no diagnosis, only libpq's line, which names host and user.
    said = error.diag.message_primary or str(error).partition("\n")[0][:200]
    quoted = f" (Postgres: {said})" if said else ""
    # A login refused in mid-session is an OperationalError too, so set-up comes first.
    for kind, message in _SETUP:
        if isinstance(error, kind):
            return XeroSetupError(f"{message}{quoted}", **where)
    for kind, message in _BUSY:
        if isinstance(error, kind):
            return WarehouseBusyError(f"{message}{quoted}. {_KEPT}", **where)
    return None
