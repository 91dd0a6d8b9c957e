"""A run whose configuration a Dag does not understand is red, says why, and asks Xero nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag

DAGS = Path(__file__).resolve().parents[2] / "dags"
MINUTES = count()
ONE = "6f5b2a0e-0000-4000-8000-000000000001"

pytestmark = [
    pytest.mark.usefixtures("airflow_database"),
    # Third parties, met inside Airflow's own runner.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]

# Each Dag, the rest of what it needs, and the keys that it names.
KNOWN: dict[str, tuple[dict[str, Any], str]] = {
    "xero_backfill": ({}, "'accept_deletions'"),
    "xero_daily": ({}, "'day', 'fresh', 'accept_deletions'"),
    "xero_erase": ({}, "'tenant_id'"),
    "xero_extract": ({"tenants": [ONE]}, "'tenants', 'fresh', 'accept_deletions'"),
    "xero_invoice_pdfs": (
        {"organisation": "Kauri", "path": "file:///nowhere", "numbers": "INV-1"},
        "'organisation', 'numbers', 'changed_on', 'path'",
    ),
    "xero_refresh": ({}, "'accept_deletions'"),
    "xero_resume": ({}, "'accept_deletions'"),
}


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    return BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder").dags


def run(dag: Any, **conf: Any) -> str:
    minute = datetime.fromtimestamp(3_700_000_000, UTC) + timedelta(minutes=next(MINUTES))
    return str(dag.test(logical_date=minute, run_conf=conf).state)


def test_every_dag_is_among_these(dags):
    assert set(dags) == set(KNOWN)


@pytest.mark.parametrize("dag_id", KNOWN)
def test_a_mistyped_key_is_refused_by_every_dag_before_anything_is_asked(
    dag_id, dags, xero, connect_organisations, capfd
):
    connect_organisations()
    xero.control("DELETE", "requests")
    needed, known = KNOWN[dag_id]

    state = run(dags[dag_id], **needed, tennant_ids=[ONE])

    assert state == "failed"
    said = capfd.readouterr().out
    assert "has 'tennant_ids', which this Dag does not know" in said
    assert f"it knows {known}. Correct it" in said
    assert [each for each in xero.control("GET", "requests") if "/api.xro/" in each["path"]] == []


@pytest.mark.parametrize("day", ["20261120", "2026-W47-5", "20 November"])
def test_a_day_in_another_form_is_refused(day, dags, xero, connect_organisations, capfd):
    connect_organisations()

    assert run(dags["xero_daily"], day=day) == "failed"
    assert "must look like 2026-11-20" in capfd.readouterr().out


def extractions(warehouse: Any) -> list[Any]:
    found: list[Any] = warehouse.execute("select day::text, state from xero_ops.extract_runs")
    return list(found)


def test_a_day_to_come_is_refused_before_any_organisation_is_asked_for_it(
    dags, xero, connect_organisations, warehouse, capfd
):
    connect_organisations()
    xero.control("DELETE", "requests")

    assert run(dags["xero_daily"], day="2199-01-01") == "failed"

    assert "2199-01-01 has not begun anywhere yet: trigger a new run" in capfd.readouterr().out
    assert extractions(warehouse) == []
    assert [each for each in xero.control("GET", "requests") if "/api.xro/" in each["path"]] == []


def test_a_day_that_has_begun_by_xeros_clock_alone_is_not_refused(
    dags, xero, connect_organisations, warehouse, capfd
):
    connect_organisations()
    warehouse.execute(
        "insert into xero_ops.watermarks (tenant_id, endpoint, modified_since)"
        " select tenant_id, 'quotes', '2198-12-31 11:00Z' from xero_ops.tenants limit 1"
    )

    run(dags["xero_daily"], day="2199-01-01")

    # Each organisation's own answer says what its clock is now.
    assert set(extractions(warehouse)) == {("2199-01-01", "failed")}
    assert "correct the day of the run" in capfd.readouterr().out
