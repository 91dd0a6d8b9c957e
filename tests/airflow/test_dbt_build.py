"""One dbt build: what is published, what a failure says, what is left behind."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from airflow.sdk import Connection
from psycopg.conninfo import conninfo_to_dict
from structlog.testing import capture_logs

from airflow_xero import builds, dbt_build
from airflow_xero.builds import Scope
from airflow_xero.errors import PublishError

REPOSITORY = Path(__file__).resolve().parents[2]


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


def publish(project, environment, tmp_path, record=lambda _: None, *, scope=Scope.MOVED):
    return dbt_build.publish(
        project,
        environment=environment,
        cache=tmp_path / "cache",
        scope=scope,
        record=record,
        built=lambda: None,
    )


def test_a_build_makes_tables_and_one_page_of_docs(project, environment, tmp_path):
    said: list[str] = []

    docs = publish(
        project, environment, tmp_path, lambda results: said.append(dbt_build.as_table(results))
    )

    assert docs.startswith(b"<!")
    assert b"model.small.numbers" in docs
    assert "success  numbers" in said[0]


def test_a_whole_build_makes_anew_what_otherwise_grows(project, environment, tmp_path):
    add_model(project, "growing", "{{ config(materialized='incremental') }} select 1 as number")
    rows = []
    for scope in (Scope.MOVED, Scope.MOVED, Scope.WHOLE):
        publish(project, environment, tmp_path, scope=scope)
        with psycopg.connect(
            host=environment["DBT_HOST"],
            port=environment["DBT_PORT"],
            user=environment["DBT_USER"],
            password=environment["DBT_PASSWORD"],
            dbname=environment["DBT_DBNAME"],
        ) as connection:
            rows += connection.execute("select count(*) from xero_staging.growing").fetchall()

    assert rows == [(1,), (2,), (1,)]


def test_a_nights_build_leaves_views_and_docs_as_they_are(project, environment, tmp_path):
    shutil.copy(REPOSITORY / "dbt" / "selectors.yml", project)
    add_model(project, "growing", "{{ config(materialized='incremental') }} select 1 as number")
    built: list[list[str]] = []

    docs = [
        publish(
            project,
            environment,
            tmp_path,
            lambda results: built.append(sorted(each.node.name for each in results)),
            scope=scope,
        )
        for scope in (Scope.MOVED, Scope.NIGHTLY)
    ]

    assert built == [["growing", "numbers"], ["growing"]]
    assert [page is None for page in docs] == [False, True]


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


@pytest.mark.parametrize(
    ("file", "is_another"),
    [
        ("models/numbers.sql", True),
        ("models/numbers.yml", True),
        ("macros/new.sql", True),
        ("seeds/new.csv", True),
        ("dbt_project.yml", True),
        ("tests/new.sql", False),
        ("target/manifest.json", False),
        ("models/.numbers.sql.swp", False),
    ],
)
def test_a_project_is_another_when_a_file_that_makes_tables_changes(project, file, is_another):
    before = builds.project_checksum(project)
    (project / file).parent.mkdir(exist_ok=True)
    with (project / file).open("a") as appended:
        appended.write("\n")

    assert (builds.project_checksum(project) != before) is is_another


def test_everything_is_made_anew_until_a_build_of_the_same_project_was_good(warehouse):
    wholes = []
    for checksum, failure in [
        ("old", None),
        ("old", None),
        ("new", "broken"),
        ("new", None),
        ("new", "late"),
        ("new", None),
        ("old", None),
    ]:
        build_id, is_whole = builds.start_build(warehouse, checksum=checksum, runs=1)
        builds.finish_build(warehouse, build_id, failure=failure)
        wholes.append(is_whole)

    assert wholes == [True, False, True, True, False, False, True]


def test_a_build_whose_task_was_killed_is_no_good_one(warehouse):
    builds.start_build(warehouse, checksum="same", runs=1)

    _, is_whole = builds.start_build(warehouse, checksum="same", runs=1)

    assert is_whole
    assert warehouse.execute(
        "select state, failure from xero_ops.builds order by build_id"
    ).fetchall() == [("failed", "the task was killed"), ("running", None)]


def test_docs_that_fail_do_not_belie_a_good_build(warehouse):
    build_id, _ = builds.start_build(warehouse, checksum="same", runs=1)
    builds.finish_build(warehouse, build_id)

    builds.finish_build(warehouse, build_id, failure="dbt docs stopped")

    assert warehouse.execute("select state, failure from xero_ops.builds").fetchall() == [
        ("good", None)
    ]


def test_a_hundred_builds_are_kept_and_the_last_good_one(warehouse):
    for number in range(104):
        build_id, _ = builds.start_build(warehouse, checksum="same", runs=1)
        builds.finish_build(warehouse, build_id, failure=None if number == 1 else "broken")

    assert warehouse.execute(
        "select count(*), min(build_id), count(*) filter (where state = 'good') from"
        " xero_ops.builds"
    ).fetchall() == [(101, 2, 1)]


def test_results_name_every_model_with_its_rows_and_tests(
    project, environment, tmp_path, warehouse
):
    add_model(project, "three", "{{ config(materialized='table') }} select generate_series(1, 3)")
    (project / "models" / "numbers.yml").write_text(
        "models:\n  - name: numbers\n    columns:\n      - name: number\n"
        "        data_tests: [not_null, {accepted_values: {arguments: {values: [2]}}}]\n"
    )
    build_id, _ = builds.start_build(warehouse, checksum="same", runs=1)

    with pytest.raises(PublishError):
        publish(
            project,
            environment,
            tmp_path,
            lambda results: builds.store_results(warehouse, build_id, results),
        )

    assert warehouse.execute(
        "select kind, name, status, rows_written, failures, tests_passed, tests_failed, message"
        " from xero_ops.build_results where seconds >= 0 order by kind, name"
    ).fetchall() == [
        ("model", "numbers", "success", None, None, 1, 1, None),
        ("model", "three", "success", 3, None, 0, 0, None),
        (
            "test",
            "accepted_values_numbers_number__2",
            "fail",
            None,
            1,
            0,
            0,
            "Got 1 result, configured to fail if != 0",
        ),
        ("test", "not_null_numbers_number", "pass", None, 0, 0, 0, None),
    ]


def test_the_log_shows_rows_and_what_a_failed_test_found(project, environment, tmp_path):
    (project / "models" / "numbers.yml").write_text(
        "models:\n  - name: numbers\n    columns:\n      - name: number\n"
        "        data_tests: [{accepted_values: {arguments: {values: [2]}}}]\n"
    )
    said: list[str] = []

    with pytest.raises(PublishError):
        publish(
            project, environment, tmp_path, lambda results: said.append(dbt_build.as_table(results))
        )

    assert "0 of 1 tests passed" in said[0]
    assert "accepted_values_numbers_number__2: Got 1 result" in said[0]


@pytest.fixture
def warning_project(project):
    """A project of three tests: one passes, one warns of one row, one of three."""
    add_model(project, "many", "select generate_series(1, 3) as number")
    accepted = "{accepted_values: {arguments: {values: [9]}, config: {severity: warn}}}"
    (project / "models" / "numbers.yml").write_text(
        "models:\n  - name: numbers\n    columns:\n      - name: number\n"
        f"        data_tests: [not_null, {accepted}]\n"
        "  - name: many\n    columns:\n      - name: number\n"
        f"        data_tests: [{accepted}]\n"
    )
    return project


def test_the_summary_names_the_tests_that_warned_and_counts_them_apart(
    warning_project, environment, tmp_path
):
    said: list[str] = []

    publish(
        warning_project,
        environment,
        tmp_path,
        lambda results: said.append(dbt_build.as_table(results)),
    )

    assert said[0].endswith(
        "  1 of 3 tests passed, 2 warned: accepted_values_many_number__9 (3 rows),"
        " accepted_values_numbers_number__9 (1 row)"
    )


def test_a_test_that_warned_is_kept_with_what_it_found_and_how_to_look_at_it(
    warning_project, environment, tmp_path, warehouse
):
    build_id, _ = builds.start_build(warehouse, checksum="same", runs=1)

    publish(
        warning_project,
        environment,
        tmp_path,
        lambda results: builds.store_results(warehouse, build_id, results),
    )

    found = warehouse.execute(
        "select name, status, failures, tests_passed, tests_failed, message"
        " from xero_ops.build_results where kind = 'test' or name = 'numbers' order by name"
    ).fetchall()
    look = "until the next build `dbt show --select {} --limit 100` shows the rows"
    assert found == [
        (
            "accepted_values_many_number__9",
            "warn",
            3,
            0,
            0,
            "Got 3 results, configured to warn if != 0; "
            + look.format("accepted_values_many_number__9"),
        ),
        (
            "accepted_values_numbers_number__9",
            "warn",
            1,
            0,
            0,
            "Got 1 result, configured to warn if != 0; "
            + look.format("accepted_values_numbers_number__9"),
        ),
        ("not_null_numbers_number", "pass", 0, 0, 0, None),
        ("numbers", "success", None, 1, 0, None),
    ]


def test_what_a_warning_says_to_look_with_shows_the_rows(
    warning_project, environment, tmp_path, monkeypatch
):
    publish(warning_project, environment, tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    shown = subprocess.run(
        [
            *(Path(sys.executable).parent / "dbt", "show", "--limit", "100"),
            *("--select", "accepted_values_many_number__9"),
            *("--project-dir", warning_project, "--profiles-dir", warning_project),
            *("--target-path", tmp_path / "target", "--log-path", tmp_path / "logs"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    rows = [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("|")]
    assert sorted(rows[2:]) == ["1", "2", "3"], shown


def test_the_log_of_the_task_warns_of_each_test_that_warned(
    warning_project, xero, warehouse, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(warning_project))
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name)"
        " values ('11111111-1111-1111-1111-111111111111', 'Kauri');"
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
        " values ('11111111-1111-1111-1111-111111111111', '2026-11-20', now(), 'complete')"
    )
    task = dbt_build.DbtBuildOperator(task_id="dbt", xero_conn_id="xero_default", listed_by="list")
    ti = SimpleNamespace(xcom_pull=lambda **_: [], xcom_push=lambda **_: None, log_url=None)

    with capture_logs() as logged:
        assert task.execute(cast(Any, {"ti": ti})) == {"runs": 1}

    said = [each["event"] for each in logged if each["log_level"] == "warning"]
    assert sorted(one.partition(";")[0] for one in said if ": Got " in one) == [
        "accepted_values_many_number__9: Got 3 results, configured to warn if != 0",
        "accepted_values_numbers_number__9: Got 1 result, configured to warn if != 0",
    ]


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
