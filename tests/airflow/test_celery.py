"""xero_daily on CeleryExecutor: Redis and two workers as real processes, one of them killed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import TokenStore
from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.nights import DAG_ID, Night
from local_stack.sandbox import CLIENT_ID, CLIENT_SECRET, DEMO_PASSWORD
from local_stack.stack import Stack
from tests.airflow.celery_stack import WORKERS, CeleryStack, open_celery_stack

ORGANISATIONS = 8
# At the night's hour it is one in the morning in Auckland: nothing happens while the test runs.
ASLEEP = {"days": 60, "traits": {"country": "NZ"}}
OWNER = "rua@example.com"
NIGHT = Night(date(2026, 11, 19))
SECONDS = 300
KILLED = WORKERS[1]
DOCUMENTS = {
    each.name: each for each in ENDPOINTS if each.name in ("invoices", "contacts", "payments")
}

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(700)]


@pytest.fixture
def stack(tmp_path: Path, small_project: Path) -> Iterator[CeleryStack]:
    """Everything that is needed, not yet started; ended with the test."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: apt install redis-server")
    # The schedule itself has nothing to do meanwhile.
    first_day = datetime.now(UTC).date().isoformat()
    made = open_celery_stack(tmp_path / "stack", dbt_project=small_project, first_day=first_day)
    yield made
    made.stop()


@pytest.fixture
def api(stack: CeleryStack) -> Iterator[AirflowApi]:
    """Airflow, up and healthy with both workers."""
    opened = stack.bring_up()
    yield opened
    opened.http.close()


@pytest.fixture
def door(stack: CeleryStack, api: AirflowApi) -> Iterator[httpx.Client]:
    """The sandbox, its clock at the night."""
    stack.sandbox().set_business_clock(NIGHT.starts_at)
    with httpx.Client(base_url=stack.sandbox().url, timeout=60, trust_env=False) as opened:
        yield opened


def knock(door: httpx.Client, lever: str, body: dict[str, Any]) -> Any:
    answer = door.post(f"/_sandbox/{lever}", json=body)
    answer.raise_for_status()
    return answer.json()


@pytest.fixture
def tenants(stack: CeleryStack, api: AirflowApi, door: httpx.Client) -> list[str]:
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


def wait_for(what: str, condition: Callable[[], object], *, said: Callable[[], str]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}\n{said()}"
        time.sleep(0.3)


def stored(warehouse: psycopg.Connection, tenant_id: str) -> dict[str, dict[str, Any]]:
    """Table to record id to payload, as current; fails when a record is current twice."""
    found: dict[str, dict[str, Any]] = {}
    for table in DOCUMENTS:
        rows = warehouse.execute(
            f"select record_id, payload from xero_raw.{table}"
            " where tenant_id = %s and known_to is null and not is_deleted",
            (tenant_id,),
        ).fetchall()
        found[table] = dict(rows)
        assert len(found[table]) == len(rows)
    return found


def access_token(stack: Stack, warehouse: psycopg.Connection, http: httpx.Client) -> str:
    """What opens the organisations, out of the grant that the Connect page stored."""
    url = stack.sandbox().url
    [(conn_id, scopes, grant_id)] = warehouse.execute(
        "select conn_id, scopes, grant_id::text from xero_ops.grants"
    ).fetchall()
    app = XeroApp(
        conn_id=conn_id,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=f"{stack.airflow().url}/xero/callback",
        scopes=tuple(scopes),
        api_url=url,
        identity_url=url,
        login_url=url,
    )
    keys = [stack.secrets.value("xero_token_keys")]
    dsn = stack.warehouse().dsn
    tokens = TokenStore(app, connect=lambda: psycopg.connect(dsn), keys=keys, http=http)
    return tokens.fresh(grant_id).value


def listed(door: httpx.Client, tenant_id: str, token: str) -> dict[str, dict[str, Any]]:
    """The same of the sandbox's own lists."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Xero-Tenant-Id": tenant_id,
        "Accept": "application/json",
    }
    found: dict[str, dict[str, Any]] = {}
    for table, endpoint in DOCUMENTS.items():
        params = {**endpoint.params, "page": "1", "pageSize": "1000"}
        answer = door.get(f"/api.xro/2.0/{endpoint.path}", params=params, headers=headers)
        answer.raise_for_status()
        body = answer.json()
        assert body.get("pagination", {"pageCount": 1})["pageCount"] <= 1
        records = body[endpoint.array_key]
        found[table] = {record[endpoint.id_field]: record for record in records}
    return found


def test_a_run_on_two_workers_ends_with_exactly_the_records_though_one_is_killed(
    stack: CeleryStack, api: AirflowApi, door: httpx.Client, tenants: list[str]
):
    # Long enough to be met in the middle.
    slow = {"path": "/api.xro/2.0/Quotes", "kind": "slow", "seconds": 4}
    knock(door, "faults", {**slow, "times": 2 * ORGANISATIONS})
    api.start_run(DAG_ID, NIGHT.body())

    def said() -> str:
        state = [
            (each["task_id"], each["map_index"], each["state"], each["try_number"])
            for each in api.task_instances(DAG_ID, NIGHT.run_id)
        ]
        return f"{state}\n" + "\n".join(stack.said(name)[-1500:] for name in WORKERS)

    wait_for("both workers extract", lambda: all(map(stack.ran, WORKERS)), said=said)
    with psycopg.connect(stack.warehouse().dsn, autocommit=True) as warehouse:
        wait_for(
            "an extraction is in the middle",
            lambda: warehouse.execute(
                "select from xero_ops.extract_endpoints where endpoint = 'invoices'"
            ).fetchall(),
            said=said,
        )
        interrupted = stack.ran(KILLED)
        stack.kill(KILLED)
        knock_off = door.delete("/_sandbox/faults")
        knock_off.raise_for_status()

        def state() -> str | None:
            return api.run_state(DAG_ID, NIGHT.run_id)

        wait_for("the run ends", lambda: state() in ("success", "failed"), said=said)

        instances = api.task_instances(DAG_ID, NIGHT.run_id)
        assert state() == "success", said()
        assert {each["state"] for each in instances} == {"success"}
        extracted = {e["map_index"]: e for e in instances if e["task_id"] == "extract_tenant"}
        assert set(extracted) == set(range(ORGANISATIONS))
        again = {index for index, each in extracted.items() if each["try_number"] > 1}
        assert again
        assert again <= interrupted
        assert stack.ran(WORKERS[0]) | interrupted == set(range(ORGANISATIONS))
        token = access_token(stack, warehouse, door)
        for tenant_id in tenants:
            assert stored(warehouse, tenant_id) == listed(door, tenant_id, token)
        published = warehouse.execute(
            "select count(distinct tenant_id) from xero_ops.extract_runs"
            " where state = 'complete' and built_at is not null"
        ).fetchone()
        assert published == (ORGANISATIONS,)
