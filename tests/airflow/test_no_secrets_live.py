"""The same of Airflow's real processes at DEBUG: scheduler, API server, Dag processor, tasks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.errors import StackError
from local_stack.nights import DAG_ID, Night, hold_first_extractions, wait_for_dag
from local_stack.processes import Child
from local_stack.sandbox import CLIENT_ID, CLIENT_SECRET, DEMO_PASSWORD
from local_stack.stack import Stack
from local_stack.story import write_login
from tests.airflow.celery_stack import opened_apart
from tests.airflow.overheard import (
    Eavesdropper,
    basic_credentials,
    files_of,
    leaks,
    tables_of,
    warehouse_of,
)

REPOSITORY = Path(__file__).resolve().parents[2]
FIRST, SECOND = Night(date(2026, 11, 18)), Night(date(2026, 11, 19))
SECONDS = 300
ENDED = ("success", "failed")
# What holds secrets by design, readable by its owner alone, and Xero's own files.
KEPT = ("secrets/", "postgres/", "sandbox", "logs/sandbox")

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class LoudStack(Stack):
    """The laptop's stack, whose Airflow logs at DEBUG and builds a small dbt project."""

    dbt_project: Path = REPOSITORY / "dbt"

    def wanted_children(self) -> list[Child]:
        """Every process, the triggerer left out: nothing of ours is deferred."""
        loud = {
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
            "AIRFLOW__XERO__DBT_PROJECT_DIR": str(self.dbt_project),
        }
        return [
            replace(each, environment={**each.environment, **loud}) if each.environment else each
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

    def listen_in(self, api: AirflowApi, url: str) -> None:
        """Let everything about tokens pass by another address."""
        [xero, _] = self.connections()
        extra = {**json.loads(xero["extra"]), "identity_url": url}
        api.put_connection({**xero, "extra": json.dumps(extra)})


@pytest.fixture
def stack(tmp_path: Path, small_project: Path) -> Iterator[LoudStack]:
    plain = opened_apart(tmp_path / "stack")
    # The schedule itself has nothing to do meanwhile.
    plain.state.set("first_day", datetime.now(UTC).date().isoformat())
    made = LoudStack(**vars(plain), dbt_project=small_project)
    yield made
    made.stop()


def ended(api: AirflowApi, night: Night) -> str:
    """Run a night to its end; how it ended."""
    api.start_run(DAG_ID, night.body())
    deadline = time.monotonic() + SECONDS
    while (state := _state(api, night)) not in ENDED:
        assert time.monotonic() < deadline, f"{night} is {state}"
        time.sleep(0.5)
    return str(state)


def _state(api: AirflowApi, night: Night) -> str | None:
    try:
        return api.run_state(DAG_ID, night.run_id)
    except StackError:
        # A busy machine answers a little later.
        return None


def pressed_test(api: AirflowApi) -> Any:
    """What the Test button of the connection says."""
    stored = api.get_json("/api/v2/connections/xero_default")
    row = {name: stored[name] for name in ("connection_id", "conn_type", "login", "extra")}
    body = {**row, "password": stored["password"] or ""}
    return api.http.post("/api/v2/connections/test", json=body).json()


def everything_said(stack: LoudStack) -> Iterator[tuple[str, str]]:
    """Logs of every process and task, XComs, rendered fields, and the rest of both databases."""
    for name, text in files_of(stack.settings.folder):
        if not name.startswith(KEPT):
            yield name, text
    metadata = stack.airflow().database_dsn.replace("postgresql+psycopg2", "postgresql")
    yield from tables_of(metadata, "airflow.", like="%")
    yield from warehouse_of(stack.warehouse().dsn)


def test_no_secret_is_shown_by_airflows_own_processes(stack):
    api = stack.bring_up()
    with (
        closing(api.http),
        Eavesdropper(stack.sandbox().url) as ear,
        httpx.Client(base_url=stack.sandbox().url, timeout=60, trust_env=False) as door,
    ):
        stack.listen_in(api, ear.url)
        stack.sandbox().set_business_clock(FIRST.starts_at)
        hold_first_extractions(api, check=stack.check)
        consent(
            f"{stack.airflow().url}/xero/connect",
            airflow_token=api.http.cookies["_token"],
            email="ava@example.com",
            password=DEMO_PASSWORD,
        )
        assert pressed_test(api)["status"] is True
        assert ended(api, FIRST) == "success"
        with psycopg.connect(stack.warehouse().dsn) as warehouse:
            warehouse.execute("update xero_ops.grants set access_expires_at = now()")
        stack.sandbox().set_business_clock(SECOND.starts_at)
        refused = {"path": "/api.xro/2.0/Invoices", "status": 400, "times": 1}
        door.post("/_sandbox/faults", json=refused).raise_for_status()
        assert ended(api, SECOND) == "failed"
    secrets = {
        **ear.secrets,
        CLIENT_SECRET: "client secret",
        basic_credentials(CLIENT_ID, CLIENT_SECRET): "client secret",
        stack.secrets.value("xero_token_keys"): "token key",
        stack.secrets.value("airflow_fernet_key"): "Fernet key of Airflow",
        str(conninfo_to_dict(stack.warehouse().dsn)["password"]): "warehouse password",
    }
    assert ear.kinds() == {"access_token", "refresh_token", "id_token", "code", "code_verifier"}
    assert len(ear.values("refresh_token")) == 2
    said = dict(everything_said(stack))
    assert any("extract_tenant" in name and "xero_read" in text for name, text in said.items())
    assert any("[debug" in text or '"debug"' in text for text in said.values())
    assert {"airflow.xcom", "airflow.rendered_task_instance_fields"} <= said.keys()
    assert leaks(secrets, iter(said.items())) == []
