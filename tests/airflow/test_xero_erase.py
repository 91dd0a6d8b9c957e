"""xero_erase: what was asked for is erased, what is dead at Xero is ended; a pause skips a task."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session

from airflow_xero import erasures
from airflow_xero.audit import Actor
from airflow_xero.disconnect import disconnect
from airflow_xero.erasing import erase, request, rows_left
from airflow_xero.hook import XeroHook
from airflow_xero.pausing import pause

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


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    return BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder").dags


@pytest.fixture
def run(dags, xero):
    """Run one of the Dags."""

    def start(dag_id: str = "xero_erase", **conf: Any) -> DagRun:
        moment = datetime.now(UTC).replace(year=2026, month=12)
        dag_run: DagRun = dags[dag_id].test(logical_date=moment, run_conf=conf)
        return dag_run

    return start


def states(dag_run: DagRun) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for ti in dag_run.get_task_instances():
        found.setdefault(ti.task_id, []).append(ti.state)
    return {name: sorted(map(str, each)) for name, each in found.items()}


def ask(warehouse: psycopg.Connection, tenant_id: str, name: str) -> None:
    request(
        warehouse,
        "xero_default",
        tenant_id,
        typed_name=name,
        actor=Actor("grace"),
        now=datetime.now(UTC),
    )


def test_nothing_is_done_while_nothing_was_asked_for(run, connect_organisations, warehouse):
    connect_organisations()

    assert states(run()) == {
        "list_erasures": ["success"],
        "erase": ["skipped"],
        "purge": ["success"],
    }


def test_what_was_asked_for_is_erased_and_airflow_is_told_no_name(
    run, xero, connect_organisations, warehouse
):
    connect_organisations()
    ids = xero.organisations()
    ask(warehouse, ids[KAURI], KAURI)
    assert rows_left(warehouse, ids[KAURI])

    dag_run = run()

    assert states(dag_run) == {
        "list_erasures": ["success"],
        "erase": ["success"],
        "purge": ["success"],
    }
    assert rows_left(warehouse, ids[KAURI]) == {}
    assert rows_left(warehouse, ids[BEACON])
    assert [each.state for each in erasures.erasures(warehouse)] == ["erased"]
    with create_session() as session:
        kept = session.query(XComModel).filter(XComModel.run_id == dag_run.run_id).all()
        assert ids[KAURI] in str([each.value for each in kept])
        assert KAURI not in str([vars(each) for each in kept])


def test_a_consent_that_nothing_uses_is_renewed_by_purge(run, connect_organisations, warehouse):
    connect_organisations()
    warehouse.execute(
        "update xero_ops.grants set"
        " refreshed_at = now() - interval '31 days', access_expires_at = now()"
    )

    assert run().state == "success"

    assert warehouse.execute(
        "select refreshed_at > now() - interval '1 hour' from xero_ops.grants"
    ).fetchall() == [(True,)]


def pause_it(warehouse: psycopg.Connection, tenant_id: str) -> None:
    pause(warehouse, "xero_default", tenant_id, actor=Actor("grace"), now=datetime.now(UTC))


def disconnect_it(warehouse: psycopg.Connection, tenant_id: str) -> None:
    with XeroHook() as hook:
        disconnect(
            hook.app(),
            tenant_id,
            warehouse=warehouse,
            tokens=hook.token_store(),
            http=hook.http(),
            actor=Actor("grace"),
            now=datetime.now(UTC),
        )


def erase_it(warehouse: psycopg.Connection, tenant_id: str) -> None:
    ask(warehouse, tenant_id, KAURI)
    with XeroHook() as hook, hook.warehouse() as own:
        erase(
            hook.app(),
            tenant_id,
            warehouse=own,
            tokens=hook.token_store(),
            http=hook.http(),
            now=datetime.now(UTC),
        )


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        (pause_it, "Somebody paused it"),
        (disconnect_it, "It was disconnected"),
        (erase_it, "Its erasure was asked for"),
    ],
)
def test_an_organisation_that_leaves_after_it_was_listed_is_skipped_and_fails_nothing(
    leave,
    reason,
    run,
    dags,
    xero,
    connect_organisations,
    warehouse,
    monkeypatch,
    small_project,
    capfd,
):
    connect_organisations()
    kauri = xero.organisations()[KAURI]
    listing = dags["xero_daily"].get_task("list_tenants")
    execute = type(listing).execute

    def listed_and_left(self, context):
        found = execute(self, context)
        leave(warehouse, kauri)
        return found

    monkeypatch.setattr(type(listing), "execute", listed_and_left)
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))

    dag_run = run("xero_daily", day="2026-11-20")

    extracted = {
        ti.rendered_map_index: ti.state
        for ti in dag_run.get_task_instances()
        if ti.task_id == "extract_tenant"
    }
    assert extracted == {KAURI: "skipped", BEACON: "success"}
    assert dag_run.state == "success"
    assert f"SKIPPED {KAURI}: {reason}" in capfd.readouterr().out
    assert warehouse.execute("select cause from xero_ops.notices").fetchall() == []
