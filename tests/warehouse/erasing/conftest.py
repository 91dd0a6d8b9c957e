"""Two organisations with everything that a warehouse keeps of one, to erase the first."""

from __future__ import annotations

import psycopg
import pytest

from airflow_xero.extract import Tenant
from airflow_xero.notify import Notice, note
from airflow_xero.standing import tenants_to_extract
from tests.warehouse.erasures_asked import NOW
from tests.warehouse.extraction import WITHOUT_REREADS, ConnectedApp

READ = ("organisations", "accounts", "contacts", "invoices", "payments", "trial_balances")
NAME = "Kōwhai & Sons <Roasters>"


@pytest.fixture
def xero(xero_sandbox, warehouse_dsn):
    with ConnectedApp(xero_sandbox, warehouse_dsn) as connected:
        connected.endpoints = [each for each in WITHOUT_REREADS if each.name in READ]
        yield connected


@pytest.fixture
def two(xero) -> tuple[Tenant, Tenant]:
    """Two organisations of one user, extracted, in the marts, with everything a warehouse keeps."""
    ids = [
        xero.sandbox.control(
            "POST", "organisations", {"name": name, "seed": 3, "days": 10, "traits": {}}
        )["tenantId"]
        for name in (NAME, "Tōtara Tools")
    ]
    xero.connect_to(*ids)
    with psycopg.connect(xero.dsn, autocommit=True) as warehouse:
        found = {
            tenant.tenant_id: tenant for tenant in tenants_to_extract(warehouse, "xero_default")
        }
        kept = (found[ids[0]], found[ids[1]])
        for tenant in kept:
            xero.extract(tenant)
        _publish(warehouse)
        notices = [
            Notice(f"alarm:{each.tenant_id}", f"about {each.tenant_name}", "-", each.tenant_id)
            for each in kept
        ]
        note(warehouse, notices, now=NOW)
    return kept


def _publish(warehouse: psycopg.Connection) -> None:
    """Marts as dbt makes them: a table, one that a killed build left, a night beside, a view."""
    warehouse.execute("create schema xero_marts; create schema xero_marts_night")
    query = "select tenant_id, record_id, payload ->> 'Name' as name from xero_raw.contacts"
    warehouse.execute(
        f"create table xero_marts.dim_contacts as {query};"
        f"create table xero_marts.dim_contacts__dbt_backup as {query};"
        f"create table xero_marts_night.dim_contacts as {query};"
        f"create view xero_marts.rpt_contacts as {query};"
        "create table xero_marts.fct_texts as select tenant_id::text, record_id"
        " from xero_raw.invoices;"
        "create table xero_marts.dim_dates as select current_date as date_day"
    )


@pytest.fixture
def warehouse(xero):
    """A connection as the hook opens it: a transaction at the first statement."""
    with psycopg.connect(xero.dsn) as connection:
        yield connection
