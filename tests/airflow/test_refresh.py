"""xero_refresh: documents of the open day, no reports, no day closed, nobody disturbed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun

from airflow_xero import runs

DAGS = Path(__file__).resolve().parents[2] / "dags"
KAURI, BEACON = "Kauri Coffee Roasters", "Beacon & Sons <Joinery>"
MINUTES = count()

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
    """Run one of the Dags; publishing is the real model of the tenants alone."""
    (small_project / "models" / "published.sql").write_text(
        "{{ config(materialized='table', schema=none) }}"
        " select tenant_name, complete_day, complete_at from xero_ops.tenants"
    )
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))
    monkeypatch.setenv("AIRFLOW__XERO__START_SECONDS", "0")
    xero.control("POST", "clocks", {"business": datetime.now(UTC).isoformat()})

    def start(dag_id: str) -> DagRun:
        conf = {"day": "2026-11-20"} if dag_id == "xero_daily" else {}
        minute = datetime.fromtimestamp(3_900_000_000 + 60 * next(MINUTES), UTC)
        dag_run: DagRun = dags[dag_id].test(logical_date=minute, run_conf=conf)
        return dag_run

    return start


def states(dag_run: DagRun) -> dict[str, Any]:
    return {
        f"{ti.task_id}[{ti.rendered_map_index}]" if ti.map_index >= 0 else ti.task_id: ti.state
        for ti in dag_run.get_task_instances()
    }


def standing(warehouse: psycopg.Connection) -> dict[str, Any]:
    rows = warehouse.execute(
        "select tenant_name, complete_day::text, complete_at, complete_run_id from xero_ops.tenants"
    )
    return {name: rest for name, *rest in rows.fetchall()}


def asked(xero) -> set[str]:
    return {
        call["path"].removeprefix("/api.xro/2.0/")
        for call in xero.control("GET", "requests")
        if "/api.xro/" in call["path"]
    }


ALWAYS = {"list_refresh": "success", "dbt_build": "success", "finished": "success"}
BOTH = {
    **ALWAYS,
    f"extract_tenant[{BEACON}]": "success",
    f"extract_tenant[{KAURI}]": "success",
}


def test_documents_come_up_to_now_and_the_day_stays_open(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    run("xero_daily")
    before = standing(warehouse)
    # As if hours had passed.
    warehouse.execute(
        "update xero_ops.watermarks set modified_since = modified_since - interval '2 hours'"
    )
    contact = {"tenantId": xero.organisations()[KAURI], "action": "create_contact"}
    xero.control("POST", "documents", {**contact, "name": "Fresh Ltd"})
    xero.control("DELETE", "requests")

    dag_run = run("xero_refresh")

    assert states(dag_run) == BOTH
    after = standing(warehouse)
    for name in (KAURI, BEACON):
        assert after[name][0] == before[name][0] == "2026-11-20"
        assert after[name][1] > before[name][1]
        assert after[name][2] > before[name][2]
    today = dag_run.run_after.astimezone(UTC).date()
    refreshed = warehouse.execute(
        "select tenant_name, day, state from xero_ops.extract_runs"
        " join xero_ops.tenants using (tenant_id) where not closes_day order by 1"
    ).fetchall()
    assert refreshed == [(BEACON, today, "complete"), (KAURI, today, "complete")]
    fresh = warehouse.execute(
        "select count(*) from xero_raw.contacts where payload ->> 'Name' = 'Fresh Ltd'"
    ).fetchone()
    assert fresh == (1,)
    assert "Invoices" in asked(xero)
    assert not [path for path in asked(xero) if path.startswith("Reports/")]
    published = warehouse.execute("select complete_at from xero_staging.published").fetchall()
    assert {at for (at,) in published} == {at for _, at, _ in after.values()}


def test_who_is_being_extracted_is_left_to_that_extraction(
    run, xero, connect_organisations, warehouse, warehouse_dsn
):
    connect_organisations()
    run("xero_daily")
    before = standing(warehouse)
    with (
        psycopg.connect(warehouse_dsn) as other,
        runs.tenant_lock(other, xero.organisations()[KAURI]),
    ):
        dag_run = run("xero_refresh")

    assert dag_run.state == "success"
    assert states(dag_run) == {**BOTH, f"extract_tenant[{KAURI}]": "skipped"}
    assert standing(warehouse)[KAURI] == before[KAURI]
    assert standing(warehouse)[BEACON] != before[BEACON]


def test_a_run_in_which_one_organisation_fails_is_red_and_publishes_the_other(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    run("xero_daily")
    before = standing(warehouse)
    refused = {"path": "/api.xro/2.0/Organisation", "status": 400, "times": 9}
    xero.control("POST", "faults", {**refused, "tenant": xero.organisations()[KAURI]})

    dag_run = run("xero_refresh")

    failed = {f"extract_tenant[{KAURI}]": "failed", "finished": "upstream_failed"}
    assert states(dag_run) == {**BOTH, **failed}
    assert dag_run.state == "failed"
    assert standing(warehouse)[KAURI] == before[KAURI]
    assert standing(warehouse)[BEACON] != before[BEACON]


def test_who_was_never_complete_or_waits_for_a_limit_is_left_out(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    nobody = {**ALWAYS, "extract_tenant": "skipped"}
    assert states(run("xero_refresh")) == nobody
    run("xero_daily")
    warehouse.execute(
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state, resume_at)"
        " select tenant_id, '2026-11-21', now(), 'waiting_for_limit', now() + interval '1 hour'"
        " from xero_ops.tenants where tenant_name = %s",
        (KAURI,),
    )

    only = states(run("xero_refresh"))

    assert only == {key: value for key, value in BOTH.items() if KAURI not in key}


def test_it_is_off_until_somebody_switches_it_on_and_runs_when_a_setting_says(dags, monkeypatch):
    from airflow.serialization.encoders import coerce_to_core_timetable

    dag = dags["xero_refresh"]
    timetable: Any = coerce_to_core_timetable(dag.timetable)

    assert dag.is_paused_upon_creation is True
    assert (timetable.summary, dag.catchup, dag.max_active_runs) == ("45 * * * *", False, 1)

    monkeypatch.setenv("AIRFLOW__XERO__REFRESH_SCHEDULE", "*/20 8-18 * * 1-5")
    bag = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")
    timetable = coerce_to_core_timetable(bag.dags["xero_refresh"].timetable)
    assert timetable.summary == "*/20 8-18 * * 1-5"
