"""xero_daily on LocalExecutor as real processes, whose scheduler is killed in the middle of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.errors import StackError
from local_stack.nights import DAG_ID, Night, wait_for_dag
from local_stack.processes import Child
from local_stack.sandbox import DEMO_PASSWORD
from local_stack.stack import Stack
from local_stack.story import write_login
from tests.airflow.celery_stack import opened_apart
from tests.airflow.test_celery import access_token, knock, listed, stored, wait_for

ORGANISATIONS = 5
# At the night's hour it is one in the morning in Auckland: nothing happens while the test runs.
ASLEEP = {"days": 60, "traits": {"country": "NZ"}}
OWNER = "rua@example.com"
NIGHT = Night(date(2026, 11, 19))
REPOSITORY = Path(__file__).resolve().parents[2]
SCHEDULER = "scheduler"
PAUSE = '"retry_delay": timedelta(minutes=1)'

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(700)]


@dataclass(frozen=True)
class MortalStack(Stack):
    """The laptop's stack with xero_daily alone, and a scheduler that can be killed."""

    dbt_project: Path = REPOSITORY / "dbt"

    def wanted_children(self) -> list[Child]:
        """Every process, the triggerer left out: nothing of ours is deferred."""
        more = {
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.settings.folder / "dags"),
            # A scheduler or a task that is gone is noticed after seconds instead of minutes.
            "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__XERO__DBT_PROJECT_DIR": str(self.dbt_project),
            "AIRFLOW__XERO__START_SECONDS": "0",
        }
        return [
            replace(each, environment={**each.environment, **more}) if each.environment else each
            for each in super().wanted_children()
            if each.name != "triggerer"
        ]

    def _unhealthy(self, api: AirflowApi) -> list[str]:
        return [name for name in super()._unhealthy(api) if name != "triggerer"]

    def bring_up(self) -> AirflowApi:
        """Start everything; the API, logged in, once all is healthy and the Dag is read."""
        self.choose_ports()
        self.start_postgres()
        self.migrate_airflow()
        write_login(self)
        self.migrate_warehouse()
        self.start_children()
        api = self.wait_until_healthy()
        self.put_connections(api)
        wait_for_dag(api, check=self.check)
        api.unpause(DAG_ID)
        return api

    def kill_scheduler(self) -> None:
        """SIGKILL for the scheduler and all that it runs, as when its machine is lost."""
        scheduler = self.children._process(SCHEDULER)
        assert scheduler is not None
        family = [scheduler, *scheduler.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=30)


@pytest.fixture
def stack(tmp_path: Path, small_project: Path) -> Iterator[MortalStack]:
    """Everything that is needed, not yet started; a failed try is repeated after a second."""
    plain = opened_apart(tmp_path / "stack")
    # The schedule itself has nothing to do meanwhile.
    plain.state.set("first_day", datetime.now(UTC).date().isoformat())
    text = (REPOSITORY / "dags" / "xero_daily.py").read_text(encoding="utf-8")
    assert PAUSE in text
    dag = tmp_path / "stack" / "dags" / "xero_daily.py"
    dag.parent.mkdir(parents=True)
    dag.write_text(text.replace(PAUSE, PAUSE.replace("minutes", "seconds")), encoding="utf-8")
    made = MortalStack(**vars(plain), dbt_project=small_project)
    yield made
    made.stop()


def run_state(api: AirflowApi) -> str | None:
    try:
        return api.run_state(DAG_ID, NIGHT.run_id)
    except StackError:
        # A busy machine answers a little later.
        return None


def connect(stack: Stack, api: AirflowApi, door: httpx.Client) -> list[str]:
    """The ids of the organisations that one user connected through the Connect page."""
    made = [
        knock(door, "organisations", {**ASLEEP, "name": f"Kauri {n}", "seed": n})["tenantId"]
        for n in range(ORGANISATIONS)
    ]
    knock(door, "users", {"email": OWNER, "organisations": made})
    consent(
        f"{stack.airflow().url}/xero/connect",
        airflow_token=api.http.cookies["_token"],
        email=OWNER,
        password=DEMO_PASSWORD,
    )
    return [str(tenant_id) for tenant_id in made]


def in_the_middle(warehouse: psycopg.Connection[Any]) -> bool:
    """Whether an extraction has stored invoices and is still under way."""
    query = (
        "select from xero_ops.extract_endpoints inner join xero_ops.extract_runs using (run_id)"
        " where endpoint = 'invoices' and state = 'running'"
    )
    return bool(warehouse.execute(query).fetchall())


def test_a_run_whose_scheduler_was_killed_ends_with_exactly_the_records(stack):
    api = stack.bring_up()
    stack.sandbox().set_business_clock(NIGHT.starts_at)
    with (
        closing(api.http),
        httpx.Client(base_url=stack.sandbox().url, timeout=60, trust_env=False) as door,
        psycopg.connect(stack.warehouse().dsn, autocommit=True) as warehouse,
    ):
        tenants = connect(stack, api, door)
        # Long enough to be met in the middle.
        slow = {"path": "/api.xro/2.0/Quotes", "kind": "slow", "seconds": 4}
        knock(door, "faults", {**slow, "times": 2 * ORGANISATIONS})
        api.start_run(DAG_ID, NIGHT.body())

        def said() -> str:
            tasks = [
                (each["task_id"], each["map_index"], each["state"], each["try_number"])
                for each in api.task_instances(DAG_ID, NIGHT.run_id)
            ]
            return f"{tasks}\n{stack.children.log(SCHEDULER).read_text('utf-8')[-3000:]}"

        wait_for("an extraction is in the middle", lambda: in_the_middle(warehouse), said=said)
        stack.kill_scheduler()
        door.delete("/_sandbox/faults").raise_for_status()
        stack.start_children()
        wait_for("the run ends", lambda: run_state(api) in ("success", "failed"), said=said)

        instances = api.task_instances(DAG_ID, NIGHT.run_id)
        assert {each["state"] for each in instances} == {"success"}, said()
        extracted = {e["map_index"]: e for e in instances if e["task_id"] == "extract_tenant"}
        assert set(extracted) == set(range(ORGANISATIONS))
        token = access_token(stack, warehouse, door)
        for tenant_id in tenants:
            assert stored(warehouse, tenant_id) == listed(door, tenant_id, token)
        # Whoever was killed is closed; each organisation is complete, and published.
        left = warehouse.execute(
            "select count(*) from xero_ops.extract_runs where state = 'running'"
        ).fetchone()
        assert left == (0,)
        published = warehouse.execute(
            "select count(distinct tenant_id) from xero_ops.extract_runs"
            " where state = 'complete' and built_at is not null"
        ).fetchone()
        assert published == (ORGANISATIONS,)
        assert any(each["try_number"] > 1 for each in extracted.values())
