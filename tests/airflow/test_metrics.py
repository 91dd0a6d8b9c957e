"""What a run sends to a real StatsD: what Xero answered, and what the warehouse counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

from airflow_xero.errors import XeroSetupError
from airflow_xero.operators import seconds_to_start
from airflow_xero.settings import deadline, start_seconds
from tests.airflow.listening import StatsD

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS = REPOSITORY / "dags"
KAURI = "Kauri Coffee Roasters"

pytestmark = [
    pytest.mark.usefixtures("airflow_database"),
    # Third parties, met inside Airflow's own runner.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]


@pytest.fixture
def statsd(monkeypatch) -> Iterator[StatsD]:
    """A listener that Airflow's metrics are pointed at, as its task runner does for each task."""
    made: list[Any] = []

    def make() -> Any:
        made.append(get_stats_factory()())
        return made[-1]

    with StatsD() as listener:
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(listener.port))
        stats.initialize(factory=make, export_legacy_names=False)
        yield listener
    monkeypatch.undo()
    # Nobody listens any more.
    stats.initialize(factory=get_stats_factory(), export_legacy_names=False)
    for logger in made:
        logger.statsd.close()


def test_a_run_sends_what_xero_answered_and_what_was_stored(
    statsd, xero, connect_organisations, warehouse, small_project, monkeypatch
):
    (small_project / "models" / "published.sql").write_text("select 1 as one")
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))
    connect_organisations()
    tenants = xero.organisations()
    once = {"path": "/api.xro/2.0/Items", "kind": "minute_limit", "seconds": 1, "times": 1}
    xero.control("POST", "faults", {**once, "tenant": tenants[KAURI]})
    xero.control("DELETE", "requests")
    dag = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder").dags[
        "xero_daily"
    ]

    dag.test(logical_date=datetime(2097, 1, 1, tzinfo=UTC), run_conf={"day": "2026-11-20"})

    sent = {
        name.removeprefix("airflow.xero."): value
        for name, value in statsd.read().items()
        if name.startswith("airflow.xero.")
    }
    answered = [
        call for call in xero.control("GET", "requests") if call["path"].startswith("/api.xro/")
    ]
    rows = warehouse.execute(
        "select sum(records_read), sum(records_new), sum(records_changed), sum(records_deleted),"
        " sum(bytes) from xero_ops.extract_endpoints"
    ).fetchone()
    left = dict(
        warehouse.execute(
            "select tenant_id::text, min(day_calls_left) from xero_ops.extract_endpoints group by 1"
        ).fetchall()
    )
    counted = ("rows_read", "rows_new", "rows_changed", "rows_deleted", "bytes")
    assert sent.pop("extract.duration") > 0
    for tenant_id in left:
        assert 0 <= sent.pop(f"minute_calls_left.{tenant_id}") <= 60
    assert sent == {
        "calls": len(answered),
        "calls_refused": 1,
        "extract.complete": 2,
        **dict(zip(counted, map(float, rows or ()), strict=True)),
        **{f"day_calls_left.{tenant_id}": calls for tenant_id, calls in left.items()},
    }
    assert sent["rows_new"] > 0


def test_every_metric_is_documented():
    source = (REPOSITORY / "include/airflow_xero/metrics.py").read_text()
    operate = (REPOSITORY / "docs/operate.md").read_text()

    sent = set(re.findall(r'"xero\.([a-z_.]+)"', source))
    sent |= {"minute_calls_left.<tenant id>", "day_calls_left.<tenant id>", "extract.<state>"}

    assert set(re.findall(r"^\| `xero\.([^`]+)` \|", operate, re.MULTILINE)) == sent


def test_only_the_organisations_that_begin_together_are_apart():
    waits = [seconds_to_start(place, slots=4, seconds=0.25) for place in range(-1, 8)]

    assert waits == [0, 0, 0.25, 0.5, 0.75, 0, 0, 0, 0]


@pytest.mark.parametrize("text", ["-0.1", "1.5", "soon", "nan"])
def test_a_wrong_time_between_starts_names_the_setting(monkeypatch, text):
    monkeypatch.setenv("AIRFLOW__XERO__START_SECONDS", text)

    with pytest.raises(XeroSetupError, match="AIRFLOW__XERO__START_SECONDS"):
        start_seconds()


def test_a_deadline_of_no_hours_is_none(monkeypatch):
    monkeypatch.setenv("AIRFLOW__XERO__DEADLINE_HOURS", "0")

    assert deadline() is None
