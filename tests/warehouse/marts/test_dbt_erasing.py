"""An organisation that was built into every mart is erased from all of them; the others stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from airflow_xero.audit import Actor
from airflow_xero.erasing import Erased, erase, request, rows_left
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import TokenStore
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.loaded import Warehouse
from tests.warehouse.searching import everywhere

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
GONE = "every kind"


@pytest.fixture
def own(marts: Warehouse, postgres_server: EmbeddedPostgres, tmp_path: Any) -> Iterator[Warehouse]:
    """The built marts in a database of their own; every organisation was connected and is read."""
    postgres_server.create_database("erased", template="marts")
    dsn = postgres_server.dsn("erased")
    with psycopg.connect(dsn) as connection:
        connection.execute(_CONNECTED)
    yield replace(marts, dsn=dsn, target=tmp_path)
    postgres_server.drop_database("erased")


_CONNECTED = """
with consent as (
    insert into xero_ops.grants
        (conn_id, xero_user_id, user_name, user_email, scopes, tokens, access_expires_at,
         refreshed_at, connected_by, state)
    select
        'xero_default', tenant_id, 'Rua of ' || tenant_name, tenant_id || '@example.com', '{}', '',
        now(), now(), 'ada', 'revoked'
    from xero_ops.tenants
    returning grant_id, xero_user_id
),
invited as (
    insert into xero_ops.invitations
        (conn_id, token_hash, invited_by, note, created_at, expires_at, used_at, used_by_email)
    select
        'xero_default', sha256(tenant_id::text::bytea), 'ada', 'For ' || tenant_name, now(), now(),
        now(), tenant_id || '@example.com'
    from xero_ops.tenants
),
reached as (
    insert into xero_ops.connections
        (connection_id, conn_id, grant_id, tenant_id, connected_at, disconnected_at)
    select gen_random_uuid(), 'xero_default', grant_id, xero_user_id::uuid, now(), now()
    from consent
)
insert into xero_ops.reader_tenants (reader_name, tenant_id)
select 'bi_reader', tenant_id from xero_ops.tenants
"""


def erased(own: Warehouse, app: XeroApp, keys: list[str], http: httpx.Client) -> Erased:
    """Erase it as the Dag does, asked for by its name."""
    tenant_id = own.tenants[GONE].tenant_id
    with own.connect() as warehouse:
        request(
            warehouse,
            "xero_default",
            tenant_id,
            typed_name=f"Tenant {tenant_id}",
            actor=Actor("grace"),
            now=NOW,
        )
        warehouse.commit()
        tokens = TokenStore(app, connect=own.connect, keys=keys, http=http)
        return erase(app, tenant_id, warehouse=warehouse, tokens=tokens, http=http, now=NOW)


def figures(own: Warehouse) -> Mapping[str, Mapping[str, int]]:
    """How many rows every other organisation has in each table."""
    with own.connect() as warehouse:
        return {
            name: rows_left(warehouse, tenant.tenant_id)
            for name, tenant in own.tenants.items()
            if name != GONE
        }


def tables_of(own: Warehouse, schema: str) -> set[str]:
    rows = own.rows("select tablename from pg_tables where schemaname = %s", schema)
    return {f"{schema}.{name}" for (name,) in rows}


def test_no_mart_and_no_table_keeps_a_trace_and_the_others_keep_every_row(own, app, keys, http):
    gone = own.tenants[GONE].tenant_id
    with own.connect() as warehouse:
        before = rows_left(warehouse, gone)
    others = figures(own)
    assert {"xero_ops.reader_tenants", "xero_marts.rpt_daily_statistics"} <= set(before)

    done = erased(own, app, keys, http)

    # One more than has a tenant_id: the user who had connected nothing else.
    assert done == Erased(rows_deleted=sum(before.values()) + 1, rows_left=0)
    assert everywhere(own.dsn, gone) == {"xero_ops.audit_log", "xero_ops.erasures"}
    assert figures(own) == others


@pytest.mark.campaign
def test_the_next_build_brings_nothing_back(own, app, keys, http):
    erased(own, app, keys, http)

    built = own.dbt("run")

    assert set(built.values()) == {"success"}
    assert everywhere(own.dsn, own.tenants[GONE].tenant_id) == {
        "xero_ops.audit_log",
        "xero_ops.erasures",
    }


def test_every_table_that_is_built_says_whose_its_rows_are(marts):
    """What has no tenant_id could not be erased: of the project's only its two lists lack it."""
    nameless = marts.rows(
        "select tables.table_schema || '.' || tables.table_name"
        " from information_schema.tables"
        " left join information_schema.columns"
        " on columns.table_schema = tables.table_schema"
        " and columns.table_name = tables.table_name and columns.column_name = 'tenant_id'"
        " where tables.table_type = 'BASE TABLE' and columns.column_name is null"
        " and tables.table_schema in ('xero_marts', 'xero_intermediate', 'xero_staging')"
    )
    assert {name for (name,) in nameless} == {
        "xero_staging.posting_rules",
        "xero_staging.xero_timezones",
    }


def test_an_organisation_with_everything_has_rows_in_nearly_every_table(marts):
    """Else the test above would prove little."""
    with marts.connect() as warehouse:
        filled = set(rows_left(warehouse, marts.tenants[GONE].tenant_id))
    built = tables_of(marts, "xero_marts") | tables_of(marts, "xero_intermediate")
    # These have rows where something is wrong, has changed since a night before, or is switched on.
    assert built - filled <= {
        "xero_intermediate.int_account_days_moved",
        "xero_intermediate.int_document_errors_listed",
        "xero_intermediate.int_levels_healed",
        "xero_intermediate.int_movements_withdrawn",
        "xero_marts.dim_users",
        "xero_marts.fct_changes",
        "xero_marts.fct_document_errors",
    }
