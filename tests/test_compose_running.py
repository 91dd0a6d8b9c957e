"""docker-compose.yaml: its services come up as it describes them, and one night runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.nights import hold_first_extractions, last_nights, run_night, wait_for_dag
from local_stack.postgres import EmbeddedPostgres
from local_stack.progress import Progress
from local_stack.sandbox import DEMO_PASSWORD, Sandbox
from tests.composed import (
    POSTGRES_SERVICES,
    REPOSITORY,
    WORKERS,
    Composed,
    bring_up,
    env_file,
    start_postgres,
)

VARIANTS: Mapping[str, Mapping[str, str]] = {
    "local": {},
    "celery": {
        "COMPOSE_PROFILES": "sandbox,celery",
        "AIRFLOW_EXECUTOR": "CeleryExecutor",
        "AIRFLOW_WORKER_CONCURRENCY": "2",
        "REDIS_PASSWORD": "redis-of-the-tests",
    },
}


@pytest.fixture(params=list(VARIANTS))
def composed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Composed]:
    """Everything up, in the order that depends_on demands, every health check content."""
    if request.param == "celery" and shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: apt install redis-server")
    today = datetime.now(UTC).date().isoformat()
    given = {**env_file("sandbox.env"), "XERO_FIRST_DAY": today, **VARIANTS[request.param]}
    stack = Composed(tmp_path, given)
    with ExitStack() as exits:
        for name in POSTGRES_SERVICES:
            server = EmbeddedPostgres(tmp_path / f"postgres-{name}", is_durable=False)
            start_postgres(server, stack.ports[name], stack.services[name]["environment"])
            exits.callback(server.stop)
        exits.callback(stack.stop)
        waiting = dict(stack.services)
        done: set[str] = set()
        while waiting:
            ready = [n for n, each in waiting.items() if set(each.get("depends_on", {})) <= done]
            assert ready, f"depends_on goes in a circle: {sorted(waiting)}"
            for name in ready:
                bring_up(stack, name)
                done.add(name)
                del waiting[name]
        yield stack


def documented_queries() -> list[bytes]:
    """Every query of the documentation, to be tried where the tables are."""
    pages = [
        page.read_text(encoding="utf-8") for page in sorted((REPOSITORY / "docs").glob("*.md"))
    ]
    blocks = [block for page in pages for block in re.findall(r"```sql\n(.*?)```", page, re.DOTALL)]
    queries = [block.encode() for block in blocks if block.startswith("select")]
    assert len(queries) > 3
    return queries


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_services_come_up_healthy_and_one_run_ends_green(
    composed: Composed, tmp_path: Path, request: pytest.FixtureRequest
):
    airflow = f"http://localhost:{composed.ports['apiserver']}"
    sandbox = Sandbox(composed.ports["sandbox"], tmp_path)
    api = AirflowApi(airflow)
    request.addfinalizer(api.http.close)
    api.log_in("admin", env_file("sandbox.env")["AIRFLOW_ADMIN_PASSWORD"])
    hold_first_extractions(api, check=composed.check)
    for user in sandbox.users():
        consent(
            f"{airflow}/xero/connect",
            airflow_token=api.http.cookies["_token"],
            email=user.email,
            password=DEMO_PASSWORD,
        )
    wait_for_dag(api, check=composed.check)
    run_night(
        api,
        last_nights(datetime.now(UTC), count=1)[0],
        set_clock=sandbox.set_business_clock,
        check=composed.check,
        task_logs=composed.folder / "logs",
        progress=Progress(),
    )

    warehouse = composed.services["warehouse"]["environment"]
    with psycopg.connect(
        host="127.0.0.1",
        port=composed.ports["warehouse"],
        user=warehouse["POSTGRES_USER"],
        password=warehouse["POSTGRES_PASSWORD"],
        dbname=warehouse["POSTGRES_DB"],
    ) as connection:
        published = connection.execute(
            "select count(distinct tenant_id) from xero_marts.rpt_daily_statistics"
        ).fetchone()
        for query in documented_queries():
            connection.execute(query)
    assert published == (3,)
    for name in composed.processes:
        assert composed.is_healthy(name), name
    for name in set(composed.services) & set(WORKERS):
        assert "task_id='extract_tenant'" in composed.log(name).read_text("utf-8"), name
