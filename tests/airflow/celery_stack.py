"""A distributed Airflow for tests alone: Redis, two Celery workers, and the rest, as processes.

The laptop's stack (`local_stack`) with another executor; every process is real, and each worker's
log says what it ran.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from local_stack.airflow import API_SERVER
from local_stack.airflow_api import AirflowApi
from local_stack.nights import DAG_ID, wait_for_dag
from local_stack.ports import free_port
from local_stack.processes import Child
from local_stack.progress import Progress
from local_stack.settings import Settings
from local_stack.stack import Stack, open_stack
from local_stack.story import write_login

WORKERS = ("worker-1", "worker-2")
_REDIS = "redis"
_REPOSITORY = Path(__file__).resolve().parents[2]
_PAUSE = '"retry_delay": timedelta(minutes=1)'


@dataclass(frozen=True)
class Place(Settings):
    """The stack's settings, with all of its files in a test's folder."""

    place: Path = _REPOSITORY

    @property
    def folder(self) -> Path:
        """The folder of all state."""
        return self.place


def opened_apart(folder: Path) -> Stack:
    """A stack with files and ports of its own: another worker's tests may start one as well."""
    stack = open_stack(Place(repository=_REPOSITORY, place=folder), Progress())
    ports: dict[str, int] = {}
    for name in ("airflow", "sandbox", "postgres"):
        ports[name] = free_port(taken=set(ports.values()))
    stack.state.set("ports", ports)
    return stack


@dataclass(frozen=True)
class CeleryStack(Stack):
    """The laptop's stack on CeleryExecutor, two workers with two tasks at a time each."""

    redis_port: int = 0
    dbt_project: Path = _REPOSITORY / "dbt"

    def wanted_children(self) -> list[Child]:
        """Redis first, then the sandbox and Airflow, the workers last."""
        plain = [each for each in super().wanted_children() if each.name != "triggerer"]
        more = self._settings()
        airflow = [
            replace(each, environment={**each.environment, **more}) if each.environment else each
            for each in plain
        ]
        scheduler = next(each for each in airflow if each.name == "scheduler")
        command = (*scheduler.command[:3], "celery", "worker", "--skip-serve-logs")
        workers = [
            replace(scheduler, name=name, command=(*command, "--celery-hostname", name))
            for name in WORKERS
        ]
        redis = Child(_REDIS, ("redis-server", str(self.settings.folder / "redis.conf")), {})
        return [redis, *airflow, *workers]

    def _settings(self) -> Mapping[str, str]:
        dsn = self.airflow().database_dsn
        password = (self.settings.folder / "redis.password").read_text(encoding="utf-8")
        return {
            "AIRFLOW__CELERY__BROKER_URL": f"redis://:{password}@127.0.0.1:{self.redis_port}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{dsn}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.settings.folder / "dags"),
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            # What a lost worker ran counts as running until its loss is noticed.
            "AIRFLOW__CORE__PARALLELISM": "16",
            # A worker that is gone is noticed after seconds instead of minutes.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__XERO__DBT_PROJECT_DIR": str(self.dbt_project),
            "AIRFLOW__XERO__START_SECONDS": "0",
        }

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

    def _unhealthy(self, api: AirflowApi) -> list[str]:
        waiting = [name for name in super()._unhealthy(api) if name != "triggerer"]
        return waiting + [name for name in WORKERS if not self.is_ready(name)]

    def is_ready(self, worker: str) -> bool:
        """Whether the worker takes tasks."""
        return f"{worker} ready." in self.said(worker)

    def said(self, name: str) -> str:
        """Everything that a process wrote so far."""
        log = self.children.log(name)
        return log.read_text("utf-8", errors="replace") if log.exists() else ""

    def ran(self, worker: str) -> set[int]:
        """The map indexes of extract_tenant that the worker was given."""
        given = re.findall(r"task_id='extract_tenant'.*?map_index=(\d+)", self.said(worker))
        return {int(index) for index in given}

    def kill(self, worker: str) -> None:
        """End the worker and all it runs at once, as when its machine is lost."""
        leader = self.children._process(worker)
        assert leader is not None, f"{worker} does not run"
        for process in [leader, *leader.children(recursive=True)]:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue

    def check(self) -> None:
        """Raise StackError when a process other than a worker has died."""
        everything = self.wanted_children()
        alive = [each for each in everything if each.name not in WORKERS]
        for child in alive:
            assert self.children.is_running(child.name), self.said(child.name)[-3000:]

    def stop(self) -> None:
        """End the workers, then everything else."""
        names = self.children.names()
        self.children.stop([name for name in names if name in WORKERS], grace_seconds=3.0)
        others = {"scheduler", "dag-processor", API_SERVER, "sandbox"}
        self.children.stop([name for name in names if name in others], grace_seconds=3.0)
        self.children.stop([_REDIS], grace_seconds=3.0)
        self.server.stop()


def open_celery_stack(folder: Path, *, dbt_project: Path, first_day: str) -> CeleryStack:
    """The stack in `folder`; a try that failed is repeated after a second, not a minute."""
    plain = opened_apart(folder)
    plain.state.set("first_day", first_day)
    text = (_REPOSITORY / "dags" / "xero_daily.py").read_text(encoding="utf-8")
    assert _PAUSE in text
    dag = folder / "dags" / "xero_daily.py"
    dag.parent.mkdir()
    dag.write_text(text.replace(_PAUSE, _PAUSE.replace("minutes", "seconds")), encoding="utf-8")
    port, password = free_port(), secrets.token_hex(16)
    (folder / "redis.password").write_text(password, encoding="utf-8")
    (folder / "redis.conf").write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        f"dir {folder}\n",
        encoding="utf-8",
    )
    return CeleryStack(**vars(plain), redis_port=port, dbt_project=dbt_project)
