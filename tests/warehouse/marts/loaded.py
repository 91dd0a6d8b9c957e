"""A warehouse whose raw tables were filled by SQL, and the means to build and read it.

Knows the raw tables and how dbt is called; must not know what a model computes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from airflow_xero.endpoints import ENDPOINTS
from tests.conftest import REPOSITORY
from tests.warehouse.marts.pretend_books import LAST_DAY, Record, Records

DBT = REPOSITORY / "dbt"

_ID_FIELDS = {endpoint.name: endpoint.id_field for endpoint in ENDPOINTS}


@dataclass(frozen=True)
class Tenant:
    """One organisation: what was known each night, and its last complete day.

    With `has_journals` its ledger is made of the Journals that its records hold.
    """

    tenant_id: str
    nights: Mapping[datetime, Records]
    last_day: date = LAST_DAY
    is_complete: bool = True
    has_journals: bool = False


def store(connection: psycopg.Connection[Any], tenant: Tenant) -> None:
    connection.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, %s)",
        (tenant.tenant_id, f"Tenant {tenant.tenant_id}"),
    )
    for known_at, records in tenant.nights.items():
        run_id = _start_run(connection, tenant, known_at)
        for endpoint, rows in records.items():
            for record in rows:
                record_id = str(record.get(_ID_FIELDS[endpoint], "organisation"))
                _store(
                    connection, endpoint, (tenant.tenant_id, record_id, known_at, run_id), record
                )
        if tenant.has_journals:
            connection.execute(
                "insert into xero_ops.extract_endpoints (run_id, tenant_id, endpoint, finished_at)"
                " select %s, %s, endpoint, %s"
                " from unnest(array['journals', 'cash_journals']) as endpoint",
                (run_id, tenant.tenant_id, known_at),
            )
    if tenant.is_complete:
        connection.execute(
            "update xero_ops.tenants set complete_at = %s, complete_day = %s where tenant_id = %s",
            (max(tenant.nights), tenant.last_day, tenant.tenant_id),
        )


def _start_run(connection: psycopg.Connection[Any], tenant: Tenant, known_at: datetime) -> int:
    nights_before = (max(tenant.nights) - known_at).days
    row = connection.execute(
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
        " values (%s, %s, %s, %s) returning run_id",
        (
            tenant.tenant_id,
            tenant.last_day - timedelta(days=nights_before),
            known_at,
            "complete" if tenant.is_complete else "running",
        ),
    ).fetchone()
    return int(row[0]) if row else 0


def _store(
    connection: psycopg.Connection[Any],
    endpoint: str,
    key: tuple[str, str, datetime, int],
    record: Record,
) -> None:
    """Close the version that changed and open a new one, as the extraction does."""
    tenant_id, record_id, known_at, run_id = key
    payload = json.dumps(record)
    table = f"xero_raw.{endpoint}"
    current = connection.execute(
        f"select payload = %s::jsonb from {table}"
        " where tenant_id = %s and record_id = %s and known_to is null",
        (payload, tenant_id, record_id),
    ).fetchone()
    if current and current[0]:
        return
    connection.execute(
        f"update {table} set known_to = %s"
        " where tenant_id = %s and record_id = %s and known_to is null",
        (known_at, tenant_id, record_id),
    )
    updated = record.get("UpdatedDateUTC")
    connection.execute(
        f"insert into {table} (tenant_id, record_id, known_from, xero_updated_at, payload,"
        " run_id) values (%s, %s, %s, %s, %s, %s)",
        (
            tenant_id,
            record_id,
            known_at,
            datetime(1970, 1, 1, tzinfo=UTC)
            + timedelta(milliseconds=int(updated.removeprefix("/Date(").split("+")[0].rstrip(")/")))
            if updated
            else None,
            payload,
            run_id,
        ),
    )


@dataclass(frozen=True)
class Warehouse:
    """A loaded database and the means to build and read it."""

    dsn: str
    target: Path
    tenants: Mapping[str, Tenant]

    def dbt(self, *arguments: str, **variables: Any) -> dict[str, str]:
        """Run dbt in a process of its own; each node's status by its name."""
        parts = conninfo_to_dict(self.dsn)
        environment = os.environ | {
            "DBT_HOST": str(parts["host"]),
            "DBT_PORT": str(parts["port"]),
            "DBT_USER": str(parts["user"]),
            "DBT_PASSWORD": str(parts["password"]),
            "DBT_DBNAME": str(parts["dbname"]),
        }
        ended = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("dbt")), *arguments),
                *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
                *("--target-path", str(self.target), "--log-path", str(self.target)),
                *("--vars", json.dumps(variables)),
            ],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        results = json.loads((self.target / "run_results.json").read_text(encoding="utf-8"))
        return {
            result["unique_id"].split(".")[2 if "unit_test" not in result["unique_id"] else -1]: (
                result["status"]
            )
            for result in results["results"]
        }

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of the warehouse's owner."""
        return psycopg.connect(self.dsn)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, parameters).fetchall()

    def table(self, name: str, tenant: str) -> list[dict[str, Any]]:
        """One tenant's rows of a table."""
        with psycopg.connect(self.dsn, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(
                f"select * from {name} where tenant_id = %s",
                (self.tenants[tenant].tenant_id,),
            ).fetchall()

    def fingerprints(self) -> dict[str, str]:
        """A digest of every row of every mart, by table."""
        names = self.rows("select tablename from pg_tables where schemaname = 'xero_marts'")
        return {
            name: self.rows(
                "select md5(string_agg(line, '|' order by line)) from"
                f" (select mart::text as line from xero_marts.{name} as mart) as lines"
            )[0][0]
            for (name,) in names
        }


@dataclass(frozen=True)
class Built:
    """The warehouse; each node's status and its SQL in the first whole build."""

    warehouse: Warehouse
    statuses: Mapping[str, str]
    compiled: Mapping[str, str]
