"""More organisations than Airflow maps by default: refused with the setting, or mapped."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskmap import TaskMap
from airflow.sdk import BaseOperator
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

from airflow_xero.errors import XeroSetupError
from airflow_xero.hook import XeroHook
from airflow_xero.listing_operators import (
    ListBackfillOperator,
    ListRefreshOperator,
    ListTenantsOperator,
    ListWaitingOperator,
)
from airflow_xero.operators import SKIPPED_KEY

DAGS = Path(__file__).resolve().parents[2] / "dags"
RUNS = count()

pytestmark = pytest.mark.usefixtures("airflow_database")


@pytest.fixture
def connect_many(xero, warehouse: psycopg.Connection) -> Callable[[int], set[str]]:
    """Connect organisations under four grants, as the Connect page writes them; their ids."""

    def run(number: int) -> set[str]:
        warehouse.execute(
            "insert into xero_ops.grants (conn_id, xero_user_id, scopes, tokens,"
            " access_expires_at, refreshed_at, connected_by)"
            " select 'xero_default', gen_random_uuid(), '{}',"
            " '\\x00', now(), now(), 'ada' from generate_series(1, 4)"
        )
        warehouse.execute(
            "insert into xero_ops.tenants (tenant_id, tenant_name)"
            " select gen_random_uuid(), 'Organisation ' || n from generate_series(1, %s) as n",
            (number,),
        )
        warehouse.execute(
            "insert into xero_ops.connections (connection_id, grant_id, tenant_id, conn_id)"
            " select gen_random_uuid(), grants.grant_id, tenant_id, 'xero_default' from ("
            "  select tenant_id, row_number() over () % 4 as share from xero_ops.tenants) as t"
            " inner join (select grant_id, row_number() over () - 1 as share from xero_ops.grants)"
            "  as grants using (share)",
        )
        rows = warehouse.execute("select tenant_id::text from xero_ops.tenants").fetchall()
        return {tenant_id for (tenant_id,) in rows}

    return run


def listed(*, pushed: dict[str, Any] | None = None) -> list[dict[str, str]]:
    """What list_tenants returns within a run."""
    operator = ListTenantsOperator(task_id="list_tenants", xero_conn_id="xero_default")
    kept = {} if pushed is None else pushed
    ti = SimpleNamespace(xcom_push=lambda *, key, value: kept.update({key: value}))
    run_after = datetime(2026, 11, 21, 12, tzinfo=UTC)
    run = SimpleNamespace(conf={"day": "2026-11-20"}, run_after=run_after)
    context: Any = {"ti": ti, "dag_run": run}
    return operator.execute(context)


def test_more_organisations_than_airflow_maps_are_refused_with_the_setting(
    connect_many, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "3")
    connect_many(4)

    with pytest.raises(XeroSetupError) as refused:
        listed()

    assert "4 organisations" in refused.value.message
    assert "AIRFLOW__CORE__MAX_MAP_LENGTH" in refused.value.message
    assert "at least 4" in refused.value.message


def listed_by(operator: type[BaseOperator]) -> list[dict[str, str]]:
    task: Any = operator(task_id="list_some", xero_conn_id="xero_default")
    run = SimpleNamespace(conf={}, run_after=datetime(2026, 11, 21, 12, tzinfo=UTC))
    context: Any = {"ti": None, "dag_run": run}
    named: list[dict[str, str]] = task.execute(context)
    return named


@pytest.mark.parametrize(
    "operator", [ListWaitingOperator, ListBackfillOperator, ListRefreshOperator]
)
def test_the_other_dags_take_as_many_as_airflow_maps_those_first_that_wait_longest(
    connect_many, warehouse, monkeypatch, operator
):
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "3")
    connect_many(5)
    warehouse.execute(
        "update xero_ops.tenants set complete_day = '2026-11-20',"
        " complete_at = timestamptz '2026-11-21' - hashtext(tenant_id::text) * interval '1 ms'"
    )
    warehouse.execute(
        "insert into xero_ops.wanted_reports (tenant_id, endpoint, day, reason)"
        " select tenant_id, 'balance_sheets', '2026-10-31', 'history' from xero_ops.tenants"
    )
    if operator is ListWaitingOperator:
        warehouse.execute(
            "insert into xero_ops.extract_runs (tenant_id, day, known_at, state, resume_at)"
            " select tenant_id, '2026-11-20', now(), 'waiting_for_limit',"
            " complete_at - interval '1 year' from xero_ops.tenants"
        )
    order = "select tenant_id::text from xero_ops.tenants order by complete_at limit 3"
    oldest = [tenant_id for (tenant_id,) in warehouse.execute(order).fetchall()]

    assert [each["tenant_id"] for each in listed_by(operator)] == oldest


def test_as_many_organisations_as_airflow_maps_are_listed(connect_many, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "4")
    connected = connect_many(4)

    assert {each["tenant_id"] for each in listed()} == connected


def test_the_default_maps_1024_organisations_and_refuses_one_more(connect_many):
    connect_many(1_025)

    with pytest.raises(XeroSetupError, match=r"1025 organisations are to be read.* at most 1024"):
        listed()


def test_a_task_asks_for_its_own_organisation_alone(connect_many):
    wanted = sorted(connect_many(20))[7]

    with XeroHook("xero_default") as hook, hook.warehouse() as warehouse:
        assert hook.tenant(wanted, warehouse=warehouse).tenant_id == wanted
        assert hook.tenant(wanted).tenant_id == wanted


@pytest.mark.parametrize("number", [20, pytest.param(5_000, marks=pytest.mark.campaign)])
def test_as_many_organisations_as_are_connected_become_mapped_tasks(
    connect_many, monkeypatch, number: int
):
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", str(number))
    connected = connect_many(number)
    skipped: dict[str, Any] = {}

    tenants = listed(pushed=skipped)

    assert {each["tenant_id"] for each in tenants} == connected
    assert skipped == {SKIPPED_KEY: []}
    assert mapped_by_the_scheduler(tenants) == list(range(number))


def mapped_by_the_scheduler(tenants: list[dict[str, str]]) -> list[int]:
    """The map indexes of extract_tenant once list_tenants has succeeded with these."""
    bag = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, "dags-folder", None)
    dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(bag.dags["xero_daily"]))
    with create_session() as session:
        dag_run = dag.create_dagrun(
            run_id=f"mapped-{next(RUNS)}",
            run_after=datetime(2026, 11, 21, 12, tzinfo=UTC),
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
        dag_run.dag = dag
        [task] = [ti for ti in dag_run.task_instances if ti.task_id == "list_tenants"]
        task.state = TaskInstanceState.SUCCESS
        where = {"dag_id": dag.dag_id, "task_id": "list_tenants", "run_id": dag_run.run_id}
        # What the API server writes when the task hands over its result.
        session.add(TaskMap(**where, map_index=-1, length=len(tenants), keys=None))
        session.flush()
        dag_run.update_state(session=session, execute_callbacks=False)
        found = session.scalars(
            select(TaskInstance.map_index).where(
                TaskInstance.dag_id == dag.dag_id,
                TaskInstance.run_id == dag_run.run_id,
                TaskInstance.task_id == "extract_tenant",
            )
        )
        indexes = sorted(found)
        dag_run.set_state(DagRunState.SUCCESS)
    return indexes
