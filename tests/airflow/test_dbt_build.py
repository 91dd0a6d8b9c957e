"""One dbt build: what is published, what a failure says, what is left behind."""

import os
import stat
from pathlib import Path

import psycopg
import pytest
from airflow.sdk import Connection
from psycopg.conninfo import conninfo_to_dict

from airflow_xero import dbt_build
from airflow_xero.errors import PublishError


@pytest.fixture
def environment(empty_database_dsn):
    parts = conninfo_to_dict(empty_database_dsn)
    connection = Connection(
        conn_id="warehouse",
        conn_type="postgres",
        host=str(parts["host"]),
        port=int(str(parts["port"])),
        login=str(parts["user"]),
        password=str(parts.get("password") or ""),
        schema=str(parts["dbname"]),
    )
    return dbt_build.warehouse_environment(connection)


@pytest.fixture
def project(small_project):
    add_model(small_project, "numbers", "select 1 as number")
    return small_project


def add_model(project: Path, name: str, sql: str) -> None:
    (project / "models" / f"{name}.sql").write_text(sql)


def publish(project, environment, tmp_path, say=lambda _: None):
    return dbt_build.publish(
        project, environment=environment, cache=tmp_path / "cache", say=say, built=lambda: None
    )


def test_a_build_makes_tables_and_one_page_of_docs(project, environment, tmp_path):
    said: list[str] = []

    docs = publish(project, environment, tmp_path, said.append)

    assert docs.startswith(b"<!")
    assert b"model.small.numbers" in docs
    assert "success  numbers" in said[0]


def test_the_project_folder_is_only_read(project, environment, tmp_path):
    before = sorted(project.rglob("*"))
    for path in [project, *before]:
        path.chmod(path.stat().st_mode & ~stat.S_IWUSR)

    publish(project, environment, tmp_path)

    assert sorted(project.rglob("*")) == before


def test_the_credentials_are_left_nowhere(project, environment, tmp_path):
    environment["DBT_PASSWORD"] = environment["DBT_PASSWORD"] or "not-asked-for-here"

    docs = publish(project, environment, tmp_path)

    kept = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept
    assert all(environment["DBT_PASSWORD"].encode() not in content for content in [docs, *kept])
    assert not any(name.startswith("DBT_") for name in os.environ)


def test_a_failing_model_is_named_with_what_postgres_said(project, environment, tmp_path):
    add_model(project, "broken", "{{ config(materialized='table') }} select 1 / 0 as number")

    with pytest.raises(PublishError, match=r"model broken: .*division by zero"):
        publish(project, environment, tmp_path)


def test_a_failing_test_is_named(project, environment, tmp_path):
    (project / "models" / "numbers.yml").write_text(
        "models:\n  - name: numbers\n    columns:\n      - name: number\n"
        "        data_tests: [{accepted_values: {arguments: {values: [2]}}}]\n"
    )

    with pytest.raises(PublishError, match=r"test accepted_values_numbers_number__2: Got 1 result"):
        publish(project, environment, tmp_path)


def test_a_project_that_cannot_be_parsed_says_where(project, environment, tmp_path):
    add_model(project, "broken", "select * from {{ ref('nowhere') }}")

    with pytest.raises(PublishError, match="nowhere"):
        publish(project, environment, tmp_path)


def test_an_unwritable_cache_costs_time_only(project, environment, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")

    assert publish(project, environment, tmp_path)


def test_only_complete_runs_that_no_build_has_seen_are_unbuilt(warehouse: psycopg.Connection):
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name)"
        " values ('11111111-1111-1111-1111-111111111111', 'Kauri')"
    )
    warehouse.cursor().executemany(
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
        " values ('11111111-1111-1111-1111-111111111111', '2026-11-20', now(), %s)",
        [("complete",), ("failed",), ("running",), ("waiting_for_limit",), ("complete",)],
    )

    assert dbt_build.unbuilt_runs(warehouse) == [1, 5]

    dbt_build.mark_built(warehouse, [1])

    assert dbt_build.unbuilt_runs(warehouse) == [5]


def test_the_docs_replace_those_of_the_last_build(warehouse: psycopg.Connection):
    dbt_build.store_page(warehouse, "dbt_docs", b"<html>old</html>")

    dbt_build.store_page(warehouse, "dbt_docs", b"<html>new</html>")

    assert warehouse.execute(
        "select page_name, media_type, content from xero_ops.published_pages"
    ).fetchall() == [("dbt_docs", "text/html; charset=utf-8", b"<html>new</html>")]


def test_the_encryption_of_the_airflow_connection_reaches_dbt():
    connection = Connection(
        conn_id="warehouse",
        conn_type="postgres",
        host="db.example.com",
        extra='{"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}',
    )

    variables = dbt_build.warehouse_environment(connection)

    assert variables["DBT_SSLMODE"] == "verify-full"
    assert variables["PGSSLROOTCERT"] == "/etc/ca.pem"
