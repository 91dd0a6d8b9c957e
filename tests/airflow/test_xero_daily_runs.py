"""Whole runs of xero_daily, in this process, against the sandbox and a warehouse."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun

DAGS = Path(__file__).resolve().parents[2] / "dags"
NIGHTS = count()

pytestmark = [
    pytest.mark.usefixtures("airflow_database"),
    # Third parties, met inside Airflow's own runner.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]

Run = Callable[..., DagRun]


@pytest.fixture
def run(xero) -> Run:
    """Run the Dag as its file says; each run has a logical date of its own."""
    bag = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")
    dag = bag.dags["xero_daily"]

    def start(**conf: Any) -> DagRun:
        logical_date = datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(days=next(NIGHTS))
        dag_run: DagRun = dag.test(
            logical_date=logical_date, run_conf={"day": "2026-11-20", **conf}
        )
        return dag_run

    return start


def states(dag_run: DagRun) -> dict[str, Any]:
    """Task id (and label of a mapped task) to state."""
    return {
        f"{ti.task_id}[{ti.rendered_map_index}]" if ti.map_index >= 0 else ti.task_id: ti.state
        for ti in dag_run.get_task_instances()
    }


def published(warehouse: psycopg.Connection) -> dict[str, Any]:
    """Organisation to the last day of its statistics."""
    return dict(
        warehouse.execute(
            "select t.tenant_name, max(s.day) from xero_marts.rpt_daily_statistics s"
            " join xero_marts.dim_tenants t using (tenant_id) group by 1"
        ).fetchall()
    )


@pytest.fixture
def published_names(warehouse, small_project, monkeypatch) -> Callable[[], set[str]]:
    """Publish by a small dbt project instead; call it for the organisations it published."""
    (small_project / "models" / "published.sql").write_text(
        "{{ config(materialized='table', schema=none) }}"
        " select tenant_name from xero_ops.tenants where complete_at is not null"
    )
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))

    def names() -> set[str]:
        rows = warehouse.execute("select tenant_name from xero_staging.published").fetchall()
        return {name for (name,) in rows}

    return names


def versions(warehouse: psycopg.Connection) -> int:
    """How many versions of records are stored."""
    (total,) = warehouse.execute(
        "select (select count(*) from xero_raw.invoices) + (select count(*) from xero_raw.contacts)"
        " + (select count(*) from xero_raw.accounts) + (select count(*) from xero_raw.payments)"
        " + (select count(*) from xero_raw.trial_balances)"
    ).fetchone() or (0,)
    return int(total)


def unbuilt(warehouse: psycopg.Connection) -> int:
    return len(
        warehouse.execute(
            "select 1 from xero_ops.extract_runs where state = 'complete' and built_at is null"
        ).fetchall()
    )


BEACON = "extract_tenant[Beacon & Sons <Joinery>]"
KAURI = "extract_tenant[Kauri Coffee Roasters]"
ALL_GREEN = {
    "list_tenants": "success",
    BEACON: "success",
    KAURI: "success",
    "dbt_build": "success",
    "report_outcome": "success",
}


def test_a_run_of_nobody_is_green_and_says_what_to_do(run, capfd):
    dag_run = run()

    assert dag_run.state == "success"
    assert "press Connect to Xero" in capfd.readouterr().out


def test_a_run_publishes_every_organisation_and_a_second_one_changes_nothing(
    run, connect_organisations, warehouse, capfd
):
    connect_organisations()

    dag_run = run()

    assert states(dag_run) == ALL_GREEN
    assert dag_run.state == "success"
    both = {"Beacon & Sons <Joinery>", "Kauri Coffee Roasters"}
    assert set(published(warehouse)) == both
    pages = warehouse.execute("select page_name, content from xero_ops.published_pages").fetchall()
    assert [page_name for page_name, _ in pages] == ["dbt_docs"]
    assert b"rpt_daily_statistics" in pages[0][1]
    assert unbuilt(warehouse) == 0
    assert "2026-11-20: 2 complete, 0 waiting, 0 failed, 0 skipped; statistics published." in (
        capfd.readouterr().out
    )
    before = versions(warehouse)

    again = run()

    assert states(again) == ALL_GREEN
    assert versions(warehouse) == before > 0
    assert set(published(warehouse)) == both


def test_one_failing_organisation_is_named_and_the_others_are_published(
    run, xero, connect_organisations, published_names, capfd
):
    connect_organisations()
    refused = {"path": "/api.xro/2.0/Invoices", "status": 400, "times": 9}
    xero.control(
        "POST",
        "faults",
        {**refused, "tenant": xero.organisations()["Kauri Coffee Roasters"]},
    )

    dag_run = run()

    assert dag_run.state == "failed"
    assert states(dag_run) == {**ALL_GREEN, KAURI: "failed", "report_outcome": "failed"}
    # A request that Xero refuses is not sent again.
    assert {ti.try_number for ti in dag_run.get_task_instances()} == {1}
    assert published_names() == {"Beacon & Sons <Joinery>"}
    said = capfd.readouterr().out
    assert "1 complete, 0 waiting, 1 failed, 0 skipped; statistics published." in said
    assert "extraction failed for Kauri Coffee Roasters" in said


def test_waiting_and_disconnected_organisations_are_named_and_leave_the_run_green(
    run, xero, connect_organisations, warehouse, published_names, capfd
):
    connect_organisations("ava@example.com")
    connect_organisations("kaito@example.com")
    warehouse.execute(
        "update xero_ops.grants set state = 'needs_reconnect', state_reason = 'Xero said no'"
        " where user_email = 'kaito@example.com'"
    )
    used_up = {
        "path": "/api.xro/2.0/Invoices",
        "kind": "day_limit",
        "seconds": 36_000,
        "times": 9,
    }
    xero.control(
        "POST", "faults", {**used_up, "tenant": xero.organisations()["Kauri Coffee Roasters"]}
    )

    dag_run = run()

    assert dag_run.state == "success"
    assert states(dag_run) == ALL_GREEN
    assert published_names() == {"Beacon & Sons <Joinery>"}
    said = capfd.readouterr().out
    assert "1 complete, 1 waiting, 0 failed, 1 skipped; statistics published." in said
    assert "WAITING Kauri Coffee Roasters: Xero's limit opens 20" in said
    assert "SKIPPED Måne Studio 🌙: " in said


def test_wrong_credentials_fail_at_once_and_name_the_field(
    run, connect_organisations, warehouse, set_connection, xero, capfd
):
    connect_organisations()
    warehouse.execute("update xero_ops.grants set access_expires_at = now()")
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero.url)
    set_connection(
        "xero_default", conn_type="xero", login=xero.client_id, password="wr0ng-1", extra=urls
    )

    dag_run = run()

    assert states(dag_run) == {
        **ALL_GREEN,
        BEACON: "failed",
        KAURI: "failed",
        "report_outcome": "failed",
    }
    assert {ti.try_number for ti in dag_run.get_task_instances()} == {1}
    said = capfd.readouterr().out
    assert "client secret" in said
    assert "wr0ng-1" not in said
    # The user's consent is not lost by a typing error of the administrator.
    assert warehouse.execute("select distinct state from xero_ops.grants").fetchall() == [
        ("active",)
    ]


def test_a_failed_build_turns_the_run_red_and_says_why(
    run, connect_organisations, warehouse, monkeypatch, tmp_path, capfd
):
    connect_organisations()
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(tmp_path))

    dag_run = run()

    assert states(dag_run) == {**ALL_GREEN, "dbt_build": "failed", "report_outcome": "failed"}
    said = capfd.readouterr().out
    assert "2 complete, 0 waiting, 0 failed, 0 skipped; statistics NOT published." in said
    assert "the statistics were not published: There is no dbt project in" in said
    # The next run publishes what this one could not.
    assert unbuilt(warehouse) == 2


NOTHING_DONE = {
    "list_tenants": "failed",
    "extract_tenant": "upstream_failed",
    "dbt_build": "skipped",
    "report_outcome": "failed",
}


def test_a_warehouse_that_is_older_than_the_code_names_the_command(
    run, empty_database_dsn, set_warehouse, capfd
):
    set_warehouse(empty_database_dsn)

    dag_run = run()

    assert states(dag_run) == NOTHING_DONE
    assert "airflow xero migrate" in capfd.readouterr().out


def test_missing_credentials_name_the_field(run, set_connection, capfd):
    set_connection("xero_default", conn_type="xero")

    dag_run = run()

    assert states(dag_run) == NOTHING_DONE
    assert "'Client id' of the Airflow connection 'xero_default' is empty" in capfd.readouterr().out
