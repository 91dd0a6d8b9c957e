"""Which databases the stack uses, and who logs in to them.

Two on the embedded server (`airflow` and `warehouse`), each owned by a login of its own; or, for
the warehouse, a server that the person names in XERO_WAREHOUSE_DSN. `bi_reader` reads the marts.
Knows nothing of the tables inside.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local_stack.errors import StackError
from local_stack.postgres import EmbeddedPostgres
from local_stack.secret_files import SecretFiles

BI_READER = "bi_reader"

_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Warehouse:
    """Where the warehouse is; `dsn` is for the library, `reader_dsn` for people's BI tools.

    `reader_dsn` is None on a server of one's own, where logins are its owner's affair.
    """

    dsn: str = field(repr=False)
    reader_dsn: str | None = field(repr=False)

    @property
    def place(self) -> str:
        """Host, port and database, without login: tells one warehouse from another."""
        parts = conninfo_to_dict(self.dsn)
        return f"{parts.get('host')}:{parts.get('port')}/{parts.get('dbname')}"

    def lacks(self, migrations: Collection[str]) -> bool:
        """Whether any of these numbered SQL files has not been applied to it."""
        with psycopg.connect(self.dsn) as connection:
            try:
                rows = connection.execute(
                    "select file_name from xero_ops.schema_migrations"
                ).fetchall()
            except psycopg.errors.UndefinedTable:
                return True
        return not {name for (name,) in rows}.issuperset(migrations)

    def airflow_connection(self, connection_id: str) -> dict[str, Any]:
        """Return the Airflow connection to it, as the REST API wants it."""
        parts = conninfo_to_dict(self.dsn)
        known = {"host", "port", "user", "password", "dbname"}
        extra = {
            name: value for name, value in parts.items() if name not in known and value is not None
        }
        return {
            "connection_id": connection_id,
            "conn_type": "postgres",
            "host": parts.get("host") or "localhost",
            "port": int(parts.get("port") or 5432),
            "login": parts.get("user"),
            "password": parts.get("password"),
            "schema": parts.get("dbname"),
            "extra": json.dumps(extra),
        }


def prepare_embedded(server: EmbeddedPostgres, secrets: SecretFiles) -> None:
    """Make the logins and both databases, or bring them to this state; safe to repeat."""
    logins = {
        "airflow": secrets.value("airflow_database_password"),
        "warehouse": secrets.value("warehouse_password"),
        BI_READER: secrets.value("bi_reader_password"),
    }
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        for name, password in logins.items():
            _put_login(connection, name, password)
        _let_read_everything(connection, BI_READER)
    for name in ("airflow", "warehouse"):
        server.create_database(name, owner=name)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        # People read the warehouse; Airflow's own database is nobody else's affair.
        connection.execute("revoke connect on database airflow from public")


def airflow_dsn(server: EmbeddedPostgres, secrets: SecretFiles) -> str:
    """Return SQLAlchemy's URL of Airflow's own database."""
    password = secrets.value("airflow_database_password")
    return server.dsn("airflow", user="airflow", password=password).replace(
        "postgresql://", "postgresql+psycopg2://", 1
    )


def embedded_warehouse(server: EmbeddedPostgres, secrets: SecretFiles) -> Warehouse:
    """Return the warehouse on the embedded server."""
    reader_dsn = server.dsn(
        "warehouse",
        user=BI_READER,
        password=secrets.value("bi_reader_password"),
        # For people: every printed address says localhost.
        host="localhost",
    )
    return Warehouse(
        dsn=server.dsn("warehouse", user="warehouse", password=secrets.value("warehouse_password")),
        reader_dsn=reader_dsn,
    )


def own_warehouse(dsn: str) -> Warehouse:
    """Return the warehouse on the person's server, once it answers; StackError when not."""
    advice = (
        "Correct XERO_WAREHOUSE_DSN in .env (postgresql://user:password@host:5432/database; in the "
        "password @ is written %40, / %2F, : %3A, # %23 and % %25)."
    )
    try:
        with psycopg.connect(dsn, connect_timeout=_CONNECT_SECONDS) as connection:
            version = connection.info.server_version
    except psycopg.ProgrammingError as error:
        # Its message would quote the DSN, and with it the password.
        raise StackError(f"XERO_WAREHOUSE_DSN cannot be read. {advice}") from error
    except psycopg.OperationalError as error:
        first_line = str(error).strip().splitlines()[0]
        if "resolve host" in first_line:
            # What was taken for the host may be the end of a password with an @ in it.
            raise StackError(f"The host in XERO_WAREHOUSE_DSN is unknown. {advice}") from None
        if "No space left" in first_line:
            raise StackError("The warehouse's disk is full: free space on its server.") from error
        raise StackError(f"The warehouse does not answer: {first_line}\n{advice}") from error
    if version < 150000:
        raise StackError(f"The warehouse runs Postgres {version // 10000}: 15 to 18 are needed.")
    return Warehouse(dsn=make_conninfo(dsn), reader_dsn=None)


def _put_login(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    found = connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
    # Hashed here, so that the password itself never reaches the server's log.
    hashed = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        sql.SQL("{} role {} login password {}").format(
            sql.SQL("alter" if found else "create"), sql.Identifier(name), sql.Literal(hashed)
        )
    )


def _let_read_everything(connection: psycopg.Connection[Any], reader: str) -> None:
    """Let a login read every organisation: nobody but its person is on this machine."""
    group = "bi_reader_of_all"
    if not connection.execute("select 1 from pg_roles where rolname = %s", [group]).fetchone():
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(group)))
    connection.execute(
        sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(reader))
    )
