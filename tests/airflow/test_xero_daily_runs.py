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


ALL_GREEN = {
    "list_tenants": "success",
    "extract_tenant[Beacon & Sons <Joinery>]": "success",
    "extract_tenant[Kauri Coffee Roasters]": "success",
    "dbt_build": "success",
    "report_outcome": "success",
}


def test_a_run_of_nobody_is_green_and_says_what_to_do(run, capfd):
    dag_run = run()

    assert dag_run.state == "success"
    assert "press Connect to Xero" in capfd.readouterr().out


def test_a_run_extracts_and_publishes_every_organisation(
    run, connect_organisations, warehouse, capfd
):
    connect_organisations()

    dag_run = run()

    assert states(dag_run) == ALL_GREEN
    assert dag_run.state == "success"
    assert set(published(warehouse)) == {"Beacon & Sons <Joinery>", "Kauri Coffee Roasters"}
    (content,) = warehouse.execute(
        "select content from xero_ops.published_pages where page_name = 'dbt_docs'"
    ).fetchone()
    assert b"rpt_daily_statistics" in content
    assert "2026-11-20: 2 complete, 0 waiting, 0 failed, 0 skipped; statistics published." in (
        capfd.readouterr().out
    )
