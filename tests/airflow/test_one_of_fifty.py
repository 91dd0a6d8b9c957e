"""One organisation of fifty uses up its day half-way: the others are published on time, and the
one goes on where it stopped as soon as its limit opens.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import psycopg
import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun

from airflow_xero.endpoints import ENDPOINTS
from tests.airflow.conftest import xero_fields

DAGS = Path(__file__).resolve().parents[2] / "dags"
DAY = "2026-11-20"
MINUTES = count()
LARGE = "Large"
READ = ("organisations", "accounts", "contacts", "invoices", "payments", "trial_balances")
# Pages of three records, so that a hundred invoices are a long walk.
PAGE_SIZE, PAGES = 3, 30
RESERVED, ALLOWED = 100, 20

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
def run(xero, set_connection, small_project, monkeypatch) -> Run:
    """Run one of the Dags over six endpoints; publishing is left to a small dbt project."""
    (small_project / "models" / "published.sql").write_text(
        "{{ config(materialized='table', schema=none) }}"
        " select tenant_name, complete_day from xero_ops.tenants where complete_at is not null"
    )
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))
    monkeypatch.setenv("AIRFLOW__XERO__START_SECONDS", "0")
    unread = " ".join(f"-{each.name}" for each in ENDPOINTS if each.name not in READ)
    set_connection("xero_default", **xero_fields(xero, endpoints=unread))
    dags = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder").dags

    def start(dag_id: str) -> DagRun:
        conf = {"day": DAY} if dag_id == "xero_daily" else {}
        minute = datetime.fromtimestamp(3_800_000_000 + 60 * next(MINUTES), UTC)
        dag_run: DagRun = dags[dag_id].test(logical_date=minute, run_conf=conf)
        return dag_run

    return start


@pytest.fixture
def connected_of(xero, connect_organisations, tmp_path) -> Callable[[int], dict[str, str]]:
    """Connect so many organisations, one of them large; their tenant ids by name."""

    def connect(number: int) -> dict[str, str]:
        names = [LARGE, *(f"Small {n:02d}" for n in range(1, number))]
        limits = {"page_size": PAGE_SIZE, "minute": 10_000, "day": RESERVED + ALLOWED}
        xero.control("POST", "limits", limits)
        ids = {name: serve(xero, tmp_path / name, name) for name in names}
        owner = {"email": "rua@example.com", "organisations": list(ids.values())}
        xero.control("POST", "users", owner)
        connect_organisations("rua@example.com")
        return ids

    return connect


def serve(xero: Any, folder: Path, name: str) -> str:
    folder.mkdir()
    invoices = [
        {"InvoiceID": f"00000000-0000-4000-8000-{n:012d}", "Total": n}
        for n in range(PAGE_SIZE * PAGES if name == LARGE else 2)
    ]
    (folder / "Invoices.json").write_text(json.dumps({"Invoices": invoices}))
    made = xero.control("POST", "organisations", {"payloads": str(folder), "name": name})
    return str(made["tenantId"])


def extracted(dag_run: DagRun) -> dict[str, Any]:
    """The organisations that were extracted, and how it ended."""
    return {
        f"{ti.task_id}[{ti.rendered_map_index}]": ti.state
        for ti in dag_run.get_task_instances()
        if ti.map_index >= 0
    }


def published(warehouse: psycopg.Connection) -> dict[str, str]:
    rows = warehouse.execute("select tenant_name, complete_day from xero_staging.published")
    return {name: day.isoformat() for name, day in rows.fetchall()}


def waiting(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Who waits, with the page to come."""
    return warehouse.execute(
        "select tenant_name, endpoint, next_page from xero_ops.extract_runs"
        " inner join xero_ops.tenants using (tenant_id)"
        " inner join xero_ops.cursors using (tenant_id) where state = 'waiting_for_limit'"
    ).fetchall()


def called(xero: Any, tenant_id: str) -> list[tuple[str, str | None]]:
    """Path and page of every call about an organisation since the log was cleared."""
    return [
        (entry["path"].removeprefix("/api.xro/2.0/"), *parse_qs(entry["query"]).get("page", [None]))
        for entry in xero.control("GET", "requests")
        if entry["tenant"] == tenant_id
    ]


@pytest.mark.parametrize("number", [3, pytest.param(50, marks=pytest.mark.campaign)])
def test_one_that_uses_up_its_day_delays_nobody_and_is_resumed_where_it_stopped(
    run, connected_of, xero, warehouse, number
):
    ids = connected_of(number)
    xero.control("DELETE", "requests")

    daily = run("xero_daily")

    others = dict.fromkeys(ids.keys() - {LARGE}, DAY)
    assert daily.state == "success"
    assert published(warehouse) == others
    [(name, endpoint, next_page)] = waiting(warehouse)
    assert (name, endpoint) == (LARGE, "invoices")
    assert 1 < next_page < PAGES
    # The reserve was left to others.
    assert len(called(xero, ids[LARGE])) == ALLOWED

    # The day is over.
    xero.control("POST", "limits", {"day": 5_000})
    warehouse.execute(
        "update xero_ops.extract_runs set resume_at = now() where resume_at is not null"
    )
    xero.control("DELETE", "requests")
    resumed = run("xero_resume")

    assert resumed.state == "success"
    assert extracted(resumed) == {f"extract_tenant[{LARGE}]": "success"}
    assert published(warehouse) == {**others, LARGE: DAY}
    # The last page that was stored is read once more: others may have moved up to it.
    missing = range(next_page - 1, PAGES + 1)
    assert Counter(called(xero, ids[LARGE])) == Counter(
        [
            ("Organisation", None),
            # Tonight's share of what is read again, which was still to come.
            ("Contacts", "1"),
            *[("Invoices", str(page)) for page in missing],
            ("Payments", "1"),
            ("Reports/TrialBalance", None),
        ]
    )
    assert all(called(xero, tenant_id) == [] for n, tenant_id in ids.items() if n != LARGE)
    stored = warehouse.execute(
        "select count(*), count(distinct record_id) from xero_raw.invoices where tenant_id = %s",
        (ids[LARGE],),
    ).fetchone()
    assert stored == (PAGE_SIZE * PAGES, PAGE_SIZE * PAGES)
