"""The warehouse's tables: made once, by whoever comes first, and checked before use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import psycopg
import pytest

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import XeroSetupError
from airflow_xero.migrate import Migrated, migrate, require_migrated

FILES = tuple(
    sorted(
        file.name
        for file in (resources.files("airflow_xero") / "sql").iterdir()
        if file.name.endswith(".sql")
    )
)


@pytest.fixture
def empty(empty_database_dsn):
    with psycopg.connect(empty_database_dsn) as connection:
        yield connection


def objects(connection):
    """Every table, index and routine of the project, with its place in the catalogue."""
    found = connection.execute(
        "select c.oid, relname::text, relkind::text from pg_class as c"
        " inner join pg_namespace as n on n.oid = relnamespace where nspname like 'xero%'"
        " union all select p.oid, proname::text, 'routine' from pg_proc as p"
        " inner join pg_namespace as n on n.oid = pronamespace where nspname like 'xero%'"
        " order by 1"
    ).fetchall()
    connection.commit()
    return found


def test_migrating_an_empty_database_applies_every_file_in_order(empty):
    assert migrate(empty) == Migrated(FILES, ())
    applied = empty.execute(
        "select file_name, length(sha256) from xero_ops.schema_migrations order by applied_at"
    ).fetchall()
    assert applied == [(name, 64) for name in FILES]


def test_migrating_again_changes_nothing(empty):
    migrate(empty)
    before = objects(empty)
    assert before
    assert migrate(empty) == Migrated((), ())
    assert objects(empty) == before


def test_every_endpoint_has_its_raw_table_and_no_other_is_there(empty):
    migrate(empty)
    tables = empty.execute("select tablename from pg_tables where schemaname = 'xero_raw'")
    assert {name for (name,) in tables} == {endpoint.name for endpoint in ENDPOINTS}


def test_every_raw_table_has_the_documented_columns(warehouse_dsn):
    with psycopg.connect(warehouse_dsn) as warehouse:
        tables = warehouse.execute(
            "select table_name, array_agg(array[column_name, data_type, is_nullable]"
            " order by ordinal_position) from information_schema.columns"
            " where table_schema = 'xero_raw' group by 1"
        ).fetchall()
    columns = [
        ["tenant_id", "uuid", "NO"],
        ["record_id", "text", "NO"],
        ["known_from", "timestamp with time zone", "NO"],
        ["known_to", "timestamp with time zone", "YES"],
        ["xero_updated_at", "timestamp with time zone", "YES"],
        ["is_deleted", "boolean", "NO"],
        ["payload", "jsonb", "NO"],
        ["run_id", "bigint", "NO"],
    ]
    assert dict(tables) == {endpoint.name: columns for endpoint in ENDPOINTS}


def test_tables_made_before_and_after_a_migration_have_the_same_shape(warehouse_dsn):
    with psycopg.connect(warehouse_dsn) as warehouse:
        warehouse.execute("call xero_ops.create_raw_table('later')")
        columns = warehouse.execute(
            "select relname::text, reloptions, array_agg(array[attname::text, atttypid::text]"
            " order by attnum) from pg_class inner join pg_attribute on attrelid = pg_class.oid"
            " where relnamespace = 'xero_raw'::regnamespace and relkind = 'r'"
            " and attnum > 0 and not attisdropped group by 1, 2"
        ).fetchall()
        indexes = warehouse.execute(
            "select tablename::text, replace(indexdef, tablename, 'name') from pg_indexes"
            " where schemaname = 'xero_raw' order by 2"
        ).fetchall()
    shapes = {
        name: (options, names, sorted(text for table, text in indexes if table == name))
        for name, options, names in columns
    }
    assert shapes["later"][0] == ["toast_tuple_target=4080"]
    assert len(shapes["later"][2]) == 3
    assert shapes == {
        **{endpoint.name: shapes["later"] for endpoint in ENDPOINTS},
        "later": shapes["later"],
    }


def test_every_raw_table_refuses_a_second_current_version(warehouse_dsn):
    with psycopg.connect(warehouse_dsn, autocommit=True) as warehouse:
        for endpoint in ENDPOINTS:
            table = f"xero_raw.{endpoint.name}"
            warehouse.execute(
                f"insert into {table} values (gen_random_uuid(), 'a', now(), null, null, false,"
                " '{}', 1)"
            )
            with pytest.raises(psycopg.errors.UniqueViolation):
                warehouse.execute(
                    f"insert into {table} select tenant_id, record_id,"
                    " known_from + interval '1 day', null, null, false, '{}', 1"
                    f" from {table}"
                )


def test_four_migrations_at_once_apply_every_file_once(empty_database_dsn):
    def run(_):
        with psycopg.connect(empty_database_dsn) as connection:
            return migrate(connection).applied

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(run, range(4)))
    assert sorted(applied) == [(), (), (), FILES]


def test_migrated_warehouse_is_accepted_with_connections_of_either_kind(warehouse_dsn):
    for autocommit in (False, True):
        with psycopg.connect(warehouse_dsn, autocommit=autocommit) as connection:
            require_migrated(connection)


def test_older_warehouse_is_refused_naming_the_file_and_the_command(empty):
    migrate(empty)
    empty.execute("delete from xero_ops.schema_migrations where file_name = %s", (FILES[-1],))
    empty.commit()
    with pytest.raises(XeroSetupError, match="run `airflow xero migrate`") as older:
        require_migrated(empty)
    assert FILES[-1] in older.value.message


def test_empty_database_is_refused_naming_the_command(empty):
    with pytest.raises(XeroSetupError, match="run `airflow xero migrate`"):
        require_migrated(empty)


def test_newer_warehouse_is_accepted(empty):
    migrate(empty)
    empty.execute("insert into xero_ops.schema_migrations values ('9999_later.sql', '')")
    empty.commit()
    require_migrated(empty)
    assert migrate(empty).applied == ()


def test_file_that_fails_leaves_nothing_behind_and_frees_the_lock(empty):
    empty.execute("create schema xero_raw")
    empty.commit()
    with pytest.raises(psycopg.errors.DuplicateSchema):
        migrate(empty)
    assert empty.execute("select count(*) from xero_ops.schema_migrations").fetchone() == (0,)
    assert empty.execute("select to_regclass('xero_ops.grants')").fetchone() == (None,)
    empty.execute("drop schema xero_raw")
    empty.commit()
    assert migrate(empty).applied == FILES


def test_migration_within_a_transaction_is_refused(empty):
    empty.execute("select 1")
    with pytest.raises(ValueError, match="inside a transaction"):
        migrate(empty)


def test_login_that_may_not_create_schemas_is_told_so(empty):
    empty.execute("create role xero_nobody nologin")
    empty.commit()
    empty.execute("set role xero_nobody")
    empty.commit()
    try:
        with pytest.raises(XeroSetupError, match="lacks a privilege"):
            migrate(empty)
    finally:
        empty.rollback()
        empty.execute("reset role")
        empty.execute("drop role xero_nobody")
        empty.commit()


@pytest.fixture
def without_role(empty):
    """A server that has no bi_reader: roles belong to all databases, so it is moved aside."""
    known = empty.execute("select 1 from pg_roles where rolname = 'bi_reader'").fetchone()
    if known:
        empty.execute("alter role bi_reader rename to bi_reader_aside")
    empty.commit()
    yield empty
    empty.rollback()
    empty.execute("drop role bi_reader")
    if known:
        empty.execute("alter role bi_reader_aside rename to bi_reader")
    empty.commit()


def test_role_of_bi_tools_has_no_login_and_no_right_on_raw_data(without_role):
    migrate(without_role)
    assert without_role.execute(
        "select rolcanlogin, has_schema_privilege('bi_reader', 'xero_raw', 'usage'),"
        " has_schema_privilege('bi_reader', 'xero_ops', 'usage')"
        " from pg_roles where rolname = 'bi_reader'"
    ).fetchone() == (False, False, False)
