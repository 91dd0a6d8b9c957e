"""An organisation that is to be erased: asked for, and erased as the Dag does."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from airflow_xero.audit import Actor
from airflow_xero.erasing import Erased, erase, request, rows_left
from airflow_xero.extract import Tenant

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
GRACE = Actor("grace", "192.0.2.7")


def ask(warehouse, tenant: Tenant, name: str | None = None) -> None:
    request(
        warehouse,
        "xero_default",
        tenant.tenant_id,
        typed_name=tenant.tenant_name if name is None else name,
        actor=GRACE,
        now=NOW,
    )
    warehouse.commit()


def run(xero, tenant: Tenant, warehouse=None) -> Erased:
    with psycopg.connect(xero.dsn) as own:
        return erase(
            xero.app,
            tenant.tenant_id,
            warehouse=warehouse or own,
            tokens=xero._tokens(),
            http=xero.http,
            now=NOW,
        )


def figures(dsn: str, tenant: Tenant) -> dict[str, int]:
    with psycopg.connect(dsn) as connection:
        return rows_left(connection, tenant.tenant_id)
