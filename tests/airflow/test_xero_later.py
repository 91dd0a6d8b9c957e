"""xero_resume and xero_backfill: who waited goes on, the past is fetched, and is published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun

from airflow_xero import runs
from airflow_xero.errors import WarehouseBusyError
from airflow_xero.retry import XeroRetryPolicy

DAGS = Path(__file__).resolve().parents[2] / "dags"
KAURI, BEACON = "Kauri Coffee Roasters", "Beacon & Sons <Joinery>"

pytestmark = [
    pytest.mark.usefixtures("airflow_database"),
    # Third parties, met inside Airflow's own runner.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]

Run = Callable[..., DagRun]


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    return BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder").dags


@pytest.fixture
def run(dags, xero, small_project, monkeypatch) -> Run:
    """Run one of the Dags; publishing is left to a small dbt project."""
    (small_project / "models" / "published.sql").write_text(
        "{{ config(materialized='table', schema=none) }}"
        " select tenant_name, complete_day from xero_ops.tenants where complete_at is not null"
    )
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))

    def start(dag_id: str, **conf: Any) -> DagRun:
        if dag_id == "xero_daily":
            conf["day"] = "2026-11-20"
        dag_run: DagRun = dags[dag_id].test(
            logical_date=datetime.now(UTC).replace(year=2026, month=12), run_conf=conf
        )
        return dag_run

    return start


def states(dag_run: DagRun) -> dict[str, Any]:
    return {
        f"{ti.task_id}[{ti.rendered_map_index}]" if ti.map_index >= 0 else ti.task_id: ti.state
        for ti in dag_run.get_task_instances()
    }


def published(warehouse: psycopg.Connection) -> dict[str, str]:
    rows = warehouse.execute("select tenant_name, complete_day from xero_staging.published")
    return {name: day.isoformat() for name, day in rows.fetchall()}


def use_up_the_day(xero, organisation: str) -> None:
    rule = {"path": "/api.xro/2.0/Invoices", "kind": "day_limit", "seconds": 36_000, "times": 1}
    xero.control("POST", "faults", {**rule, "tenant": xero.organisations()[organisation]})


def open_the_limit(warehouse: psycopg.Connection) -> None:
    """As if the ten hours were over."""
    warehouse.execute(
        "update xero_ops.extract_runs set resume_at = now() where resume_at is not null"
    )


NOBODY = {
    "list_waiting": "success",
    "extract_tenant": "skipped",
    "dbt_build": "skipped",
    "finished": "success",
    "watch": "success",
}


def test_nothing_is_done_while_nobody_waits(run, connect_organisations, warehouse):
    connect_organisations()

    dag_run = run("xero_resume")

    assert (dag_run.state, states(dag_run)) == ("success", NOBODY)
    assert warehouse.execute("select count(*) from xero_ops.extract_runs").fetchone() == (0,)


def test_who_waited_goes_on_when_the_limit_opens_and_is_published_for_that_day(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    use_up_the_day(xero, KAURI)
    run("xero_daily")
    assert published(warehouse) == {BEACON: "2026-11-20"}

    too_early = run("xero_resume")

    assert states(too_early) == NOBODY

    open_the_limit(warehouse)
    xero.control("DELETE", "requests")
    resumed = run("xero_resume")

    assert states(resumed) == {
        "list_waiting": "success",
        f"extract_tenant[{KAURI}]": "success",
        "dbt_build": "success",
        "finished": "success",
        "watch": "success",
    }
    assert published(warehouse) == {BEACON: "2026-11-20", KAURI: "2026-11-20"}
    called = xero.control("GET", "requests")
    assert {entry["tenant"] for entry in called if "/api.xro/" in entry["path"]} == {
        xero.organisations()[KAURI]
    }
    assert states(run("xero_resume")) == NOBODY


def refuse(xero, organisation: str) -> None:
    refused = {"path": "/api.xro/2.0/Organisation", "status": 400, "times": 9}
    xero.control("POST", "faults", {**refused, "tenant": xero.organisations()[organisation]})


@pytest.mark.parametrize("dag_id", ["xero_resume", "xero_backfill"])
def test_a_run_in_which_one_organisation_fails_is_red_and_publishes_the_other(
    dag_id, run, xero, connect_organisations, warehouse
):
    connect_organisations()
    if dag_id == "xero_resume":
        use_up_the_day(xero, KAURI)
        use_up_the_day(xero, BEACON)
    run("xero_daily")
    open_the_limit(warehouse)
    xero.control("DELETE", "faults")
    refuse(xero, KAURI)

    dag_run = run(dag_id)

    ended = states(dag_run)
    assert ended[f"extract_tenant[{KAURI}]"] == "failed"
    assert ended[f"extract_tenant[{BEACON}]"] == "success"
    assert (ended["dbt_build"], ended["finished"]) == ("success", "upstream_failed")
    assert dag_run.state == "failed"
    assert published(warehouse)[BEACON] == "2026-11-20"


def test_watch_tries_once_more_before_a_hiccup_of_the_warehouse_is_an_alarm(dags):
    watch = dags["xero_resume"].get_task("watch")

    assert watch.retries == 1
    assert XeroRetryPolicy().evaluate(WarehouseBusyError("gone"), 1, 1).retry_delay


def test_an_extraction_that_was_killed_is_closed_though_nobody_goes_on_with_it(
    run, xero, connect_organisations, warehouse, warehouse_dsn
):
    connect_organisations()
    run("xero_daily")
    killed, busy = (xero.organisations()[name] for name in (KAURI, BEACON))
    warehouse.execute(
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
        " select tenant_id, '2026-11-21', now(), 'running' from xero_ops.tenants"
    )
    # As a pause does: there is no next run of it.
    warehouse.execute("update xero_ops.connections set paused_at = now(), paused_by = 'ada'")

    with psycopg.connect(warehouse_dsn) as other, runs.tenant_lock(other, busy):
        assert states(run("xero_resume"))["watch"] == "success"

    rows = warehouse.execute(
        "select tenant_id::text, state, finished_at is not null from xero_ops.extract_runs"
        " where day = '2026-11-21'"
    )
    assert set(rows.fetchall()) == {(killed, "failed", True), (busy, "running", False)}


def test_who_lost_the_consent_meanwhile_is_left_to_the_user(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    use_up_the_day(xero, KAURI)
    run("xero_daily")
    open_the_limit(warehouse)
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect'")

    assert states(run("xero_resume")) == NOBODY


def test_it_looks_every_quarter_of_an_hour_and_starts_by_itself(dags):
    from airflow.serialization.encoders import coerce_to_core_timetable

    dag = dags["xero_resume"]
    timetable: Any = coerce_to_core_timetable(dag.timetable)

    assert timetable.summary == "*/15 * * * *"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert dag.is_paused_upon_creation is False


def test_the_past_is_fetched_within_its_calls_and_published(
    run, xero, connect_organisations, warehouse, monkeypatch
):
    xero.control("POST", "limits", {"enabled": False})
    connect_organisations()
    assert states(run("xero_backfill")) == {
        "list_backfill": "success",
        "extract_tenant": "skipped",
        "dbt_build": "skipped",
        "finished": "success",
    }
    run("xero_daily")
    before = wanted(warehouse)

    dag_run = run("xero_backfill")

    assert states(dag_run) == {
        "list_backfill": "success",
        f"extract_tenant[{BEACON}]": "success",
        f"extract_tenant[{KAURI}]": "success",
        "dbt_build": "success",
        "finished": "success",
    }
    # Four days of five calls each; of four reports a day, one is read on two bases.
    assert {name: before[name] - left for name, left in wanted(warehouse).items()} == {
        BEACON: 16,
        KAURI: 16,
    }


def test_without_calls_for_the_past_nobody_is_extracted_every_hour(
    run, connect_organisations, warehouse, monkeypatch
):
    connect_organisations()
    run("xero_daily")
    assert set(wanted(warehouse)) == {BEACON, KAURI}
    monkeypatch.setenv("AIRFLOW__XERO__BACKFILL_CALLS", "0")

    assert states(run("xero_backfill")) == {
        "list_backfill": "success",
        "extract_tenant": "skipped",
        "dbt_build": "skipped",
        "finished": "success",
    }


def test_the_past_waits_for_who_is_being_extracted(
    run, xero, connect_organisations, warehouse, warehouse_dsn
):
    connect_organisations()
    run("xero_daily")
    before = wanted(warehouse)
    with (
        psycopg.connect(warehouse_dsn) as other,
        runs.tenant_lock(other, xero.organisations()[KAURI]),
    ):
        dag_run = run("xero_backfill")

    assert dag_run.state == "success"
    assert states(dag_run)[f"extract_tenant[{KAURI}]"] == "skipped"
    assert wanted(warehouse)[KAURI] == before[KAURI]
    assert wanted(warehouse)[BEACON] < before[BEACON]


def test_what_somebody_agreed_to_is_still_agreed_when_the_limit_opens(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    run("xero_daily")
    kauri, beacon = (xero.organisations()[name] for name in (KAURI, BEACON))
    lose_tax_rates(warehouse)
    warehouse.execute("update xero_ops.watermarks set modified_since = '2020-01-01'")
    use_up_the_day(xero, KAURI)
    # Read after the invoices, at which the limit was used up.
    gone = "select count(*) from xero_raw.tax_rates where record_id like 'OLD%%' and is_deleted"

    run("xero_daily", accept_deletions=[kauri.upper()])
    open_the_limit(warehouse)
    run("xero_resume")

    rows = warehouse.execute(f"{gone} and tenant_id = %s", (kauri,)).fetchall()
    assert rows == [(40,)]
    assert warehouse.execute(f"{gone} and tenant_id = %s", (beacon,)).fetchall() == [(0,)]


def lose_tax_rates(warehouse: psycopg.Connection) -> None:
    """As if Xero had listed far more of everybody's tax rates a week ago."""
    warehouse.execute(
        "insert into xero_raw.tax_rates (tenant_id, record_id, known_from, payload, run_id)"
        " select tenant_id, 'OLD' || n, now(), '{}', 1"
        " from xero_ops.tenants, generate_series(1, 40) as n"
    )


def wanted(warehouse: psycopg.Connection) -> dict[str, int]:
    rows = warehouse.execute(
        "select tenant_name, count(*) from xero_ops.wanted_reports"
        " inner join xero_ops.tenants using (tenant_id) group by 1"
    )
    return dict(rows.fetchall())
