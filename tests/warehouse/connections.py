"""The demo's people and organisations, and what consents of theirs left in Postgres."""

from __future__ import annotations

from typing import Any

import psycopg

KAURI = "Kauri Coffee Roasters"
BEACON = "Beacon & Sons <Joinery>"
STUDIO = "Måne Studio 🌙"
AVA, KAITO = "ava@example.com", "kaito@example.com"


def names(organisations: list[Any]) -> list[str]:
    return [organisation.tenant_name for organisation in organisations]


def audit(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        "select actor, action, outcome, tenant_name, detail"
        " from xero_ops.audit_log left join xero_ops.tenants using (tenant_id) order by entry_id"
    ).fetchall()


def count(warehouse: psycopg.Connection, table: str) -> int:
    (row,) = warehouse.execute(f"select count(*) from xero_ops.{table}").fetchall()
    return int(row[0])


def grant_of(warehouse: psycopg.Connection, email: str = AVA) -> str:
    (row,) = warehouse.execute(
        "select grant_id::text from xero_ops.grants where user_email = %s", (email,)
    ).fetchall()
    return str(row[0])
