"""xero_extract: what somebody asked for is read at once, for the last day that is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun

from airflow_xero import pausing, runs
from airflow_xero.audit import Actor
from airflow_xero.listing_operators import last_day_over

DAGS = Path(__file__).resolve().parents[2] / "dags"
KAURI, BEACON = "Kauri Coffee Roasters", "Beacon & Sons <Joinery>"
ONE = "6f5b2a0e-0000-4000-8000-000000000001"
LATER = datetime.fromtimestamp(4_100_000_000, UTC)

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
def dag() -> Any:
    bag = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")
    return bag.dags["xero_extract"]


@pytest.fixture
def run(dag, xero, small_project, monkeypatch, request) -> Run:
    """Run it for these organisations; publishing is the real model of the tenants alone."""
    (small_project / "models" / "published.sql").write_text(
        "{{ config(materialized='table', schema=none) }}"
        " select tenant_name, complete_day from xero_ops.tenants"
    )
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))
    monkeypatch.setenv("AIRFLOW__XERO__START_SECONDS", "0")
    xero.control("POST", "clocks", {"business": datetime.now(UTC).isoformat()})
    count = len(request.node.name)

    def start(*tenant_ids: str, **conf: Any) -> DagRun:
        nonlocal count
        count += 1
        moment = LATER + timedelta(minutes=count)
        dag_run: DagRun = dag.test(
            logical_date=moment, run_conf={"tenants": list(tenant_ids), **conf}
        )
        return dag_run

    return start


def states(dag_run: DagRun) -> dict[str, Any]:
    return {
        f"{ti.task_id}[{ti.rendered_map_index}]" if ti.map_index >= 0 else ti.task_id: ti.state
        for ti in dag_run.get_task_instances()
    }


def complete_days(warehouse: Any) -> dict[str, date | None]:
    rows = warehouse.execute("select tenant_name, complete_day from xero_ops.tenants").fetchall()
    return dict(rows)


def test_only_what_was_asked_for_is_read_and_published_with_its_day(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()

    dag_run = run(xero.organisations()[KAURI])

    assert states(dag_run) == {
        "list_asked": "success",
        f"extract_tenant[{KAURI}]": "success",
        "dbt_build": "success",
        "finished": "success",
    }
    day = last_day_over(dag_run.run_after)
    assert complete_days(warehouse) == {KAURI: day, BEACON: None}
    published = warehouse.execute("select * from xero_staging.published order by 1").fetchall()
    assert published == [(BEACON, None), (KAURI, day)]


def test_who_is_paused_is_left_out_and_nothing_fails(run, xero, connect_organisations, warehouse):
    connect_organisations()
    kauri = xero.organisations()[KAURI]
    now = datetime.now(UTC)
    pausing.pause(warehouse, "xero_default", kauri, actor=Actor("ada"), now=now)

    dag_run = run(kauri)

    assert states(dag_run) == {
        "list_asked": "success",
        "extract_tenant": "skipped",
        "dbt_build": "success",
        "finished": "success",
    }
    assert complete_days(warehouse) == {KAURI: None, BEACON: None}


def test_who_is_not_connected_is_left_out_and_a_run_of_nobody_else_is_red(
    run, xero, connect_organisations, warehouse, capfd
):
    connect_organisations()

    beside = run(xero.organisations()[KAURI], ONE)
    alone = run(ONE)

    assert beside.state == "success"
    assert complete_days(warehouse)[KAURI] is not None
    assert alone.state == "failed"
    assert states(alone) == {
        "list_asked": "failed",
        "extract_tenant": "upstream_failed",
        "dbt_build": "skipped",
        "finished": "upstream_failed",
    }
    assert f"{ONE} is no organisation that somebody connected" in capfd.readouterr().out


def test_a_run_in_which_one_organisation_fails_is_red_and_publishes_the_other(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    ids = xero.organisations()
    refused = {"path": "/api.xro/2.0/Organisation", "status": 400, "times": 9}
    xero.control("POST", "faults", {**refused, "tenant": ids[KAURI]})

    dag_run = run(ids[KAURI], ids[BEACON])

    assert dag_run.state == "failed"
    assert states(dag_run) == {
        "list_asked": "success",
        f"extract_tenant[{BEACON}]": "success",
        f"extract_tenant[{KAURI}]": "failed",
        "dbt_build": "success",
        "finished": "upstream_failed",
    }
    assert complete_days(warehouse)[KAURI] is None
    assert complete_days(warehouse)[BEACON] is not None


def asked(xero) -> set[str]:
    """What was asked of Xero since this was asked last."""
    calls = xero.control("GET", "requests")
    xero.control("DELETE", "requests")
    return {
        call["path"].removeprefix("/api.xro/2.0/") for call in calls if "/api.xro/" in call["path"]
    }


def test_who_presses_again_within_half_an_hour_gets_what_changed_meanwhile(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    kauri = xero.organisations()[KAURI]
    run(kauri)
    contact = {"tenantId": kauri, "action": "create_contact", "name": "Fresh Ltd"}
    xero.control("POST", "documents", contact)
    asked(xero)

    run(kauri, fresh=False)

    fresh = "select count(*) from xero_raw.contacts where payload ->> 'Name' = 'Fresh Ltd'"
    assert "Contacts" not in asked(xero)
    assert warehouse.execute(fresh).fetchone() == (0,)

    run(kauri)

    again = asked(xero)
    assert {"Contacts", "Invoices", "Reports/TrialBalance"} <= again
    # Settings are read weekly, whoever asks.
    assert "TaxRates" not in again
    assert warehouse.execute(fresh).fetchone() == (1,)


def test_who_is_being_read_already_is_left_to_that(run, xero, connect_organisations, warehouse):
    connect_organisations()
    kauri = xero.organisations()[KAURI]

    with runs.tenant_lock(warehouse, kauri):
        dag_run = run(kauri)

    assert states(dag_run)[f"extract_tenant[{KAURI}]"] == "skipped"


def test_it_waits_for_nobody_and_is_never_switched_off_by_itself(dag):
    assert dag.schedule is None
    assert dag.is_paused_upon_creation is False
    assert dag.max_active_runs == 16
    assert {name: (task.pool, task.priority_weight) for name, task in dag.task_dict.items()} == {
        "list_asked": ("default_pool", 50),
        "extract_tenant": ("xero_extract", 50),
        "dbt_build": ("xero_dbt", 50),
        "finished": ("default_pool", 50),
    }


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-21T11:59:59+00:00", "2026-11-19"),
        ("2026-11-21T12:00:00+00:00", "2026-11-20"),
        ("2026-11-22T00:30:00+13:00", "2026-11-19"),
        ("2026-03-01T12:00:00+00:00", "2026-02-28"),
    ],
)
def test_no_day_is_closed_before_it_is_over_everywhere(moment, day):
    assert last_day_over(datetime.fromisoformat(moment)) == date.fromisoformat(day)
