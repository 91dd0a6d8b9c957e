"""The parts of one running stack and how they fit: ports, server, processes, connections.

Each method brings one part to the wanted state and does nothing when it is there already, so
that a run cut short goes on where it stopped. The order of the steps is told in `story.py`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from local_stack import sandbox as pretend
from local_stack.airflow import API_SERVER, Airflow
from local_stack.airflow_api import AirflowApi
from local_stack.databases import (
    Warehouse,
    airflow_dsn,
    embedded_warehouse,
    own_warehouse,
    prepare_embedded,
)
from local_stack.errors import StackError
from local_stack.ports import free_port, is_free
from local_stack.postgres import EmbeddedPostgres
from local_stack.processes import Child, Children
from local_stack.progress import Progress
from local_stack.sandbox import Sandbox
from local_stack.secret_files import SecretFiles
from local_stack.settings import Settings
from local_stack.state import StateFile

XERO_CONNECTION = "xero_default"
WAREHOUSE_CONNECTION = "xero_warehouse"

_PREFERRED_PORTS = {"airflow": 8080, "sandbox": 8090, "postgres": 5499}
_HEALTHY_SECONDS = 180
_POLL_SECONDS = 0.3
_MIGRATIONS = "include/airflow_xero/sql"
_COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
# In this order. The triggerer would take ten seconds, and like the Dag processor it holds nothing
# that is not in Postgres; the scheduler waits for its tasks, which report to the API server.
_STOPPING = (
    (frozenset({"triggerer", "dag-processor"}), 1.0),
    (frozenset({"scheduler"}), 10.0),
    (frozenset({API_SERVER, pretend.NAME}), 5.0),
)


@dataclass(frozen=True)
class Stack:
    """One mode's stack, as its folder knows it."""

    settings: Settings
    state: StateFile
    secrets: SecretFiles
    server: EmbeddedPostgres
    children: Children
    progress: Progress

    @property
    def is_installed(self) -> bool:
        """Whether the first `make run` came to its end."""
        return bool(self.state.get("is_installed"))

    @property
    def is_embedded(self) -> bool:
        """Whether the warehouse is known to be ours, and so goes when the folder goes."""
        try:
            return bool(self.state.get("warehouse") == "embedded")
        except StackError:
            return False

    def end_leftovers(self) -> None:
        """End what a process that was killed left behind; it may hold a port."""
        dead = [name for name in self.children.names() if not self.children.is_running(name)]
        self.children.stop(dead, grace_seconds=1.0)

    def choose_ports(self) -> None:
        """Keep the ports of what runs; find others for what was driven from its own.

        With the real Xero, Airflow's port stays: StackError when somebody else has it.
        """
        remembered: dict[str, int] = self.state.get("ports") or {}
        running = {
            "airflow": self.children.is_running(API_SERVER),
            "sandbox": self.children.is_running(pretend.NAME),
            "postgres": self.server.pid is not None,
        }
        ports = {name: port for name, port in remembered.items() if running[name]}
        if self.settings.is_real and ports.get("airflow") != self.settings.airflow_port:
            ports["airflow"] = self._fixed_airflow_port()
        for name, preferred in _PREFERRED_PORTS.items():
            if name not in ports:
                wanted = remembered.get(name, preferred)
                ports[name] = free_port(wanted, taken=set(ports.values()))
                if ports[name] != wanted:
                    self.progress.step(f"port {wanted} is in use: {name} takes {ports[name]}")
        self.state.set("ports", ports)

    def _fixed_airflow_port(self) -> int:
        port = self.settings.airflow_port
        if not is_free(port):
            raise StackError(
                f"Port {port} is in use, and Airflow cannot take another one: Xero compares the "
                f"redirect URI http://localhost:{port}/xero/callback with the one registered for "
                "your app. End the program on that port; or set XERO_AIRFLOW_PORT in .env and "
                "register the redirect URI with that port at developer.xero.com. If it is this "
                "folder's own demo, `make stop` ends it."
            )
        return port

    def start_postgres(self) -> None:
        """Create the server when there is none, start it, and make its logins and databases.

        What outlived a server that died is ended: parts of it fail of their lost sessions only
        later, when somebody waits for them to become healthy.
        """
        if not self.server.is_created:
            self.progress.step("Postgres: creating the server")
            self.server.create()
        if self.server.pid is None:
            self._stop_children([name for name in self.children.names() if name != pretend.NAME])
            self.progress.step("Postgres: starting")
            self.server.start(self.port("postgres"))
            prepare_embedded(self.server, self.secrets)

    def port(self, name: str) -> int:
        """Return the port of `airflow`, `sandbox` or `postgres`."""
        ports: dict[str, int] = self.state.get("ports")
        return ports[name]

    def warehouse(self) -> Warehouse:
        """Return the warehouse: the person's own when one is named, else the embedded one."""
        if self.settings.warehouse_dsn:
            return own_warehouse(self.settings.warehouse_dsn)
        return embedded_warehouse(self.server, self.secrets)

    def refuse_another_warehouse(self) -> None:
        """Raise StackError when this stack was installed with another warehouse than now named.

        Its organisations and days lie there, and Airflow remembers them as done.
        """
        place = self.warehouse().place if self.settings.warehouse_dsn else "embedded"
        installed = self.state.get("warehouse")
        if installed is None:
            self.state.set("warehouse", place)
        elif installed != place:
            raise StackError(
                f"This stack works with the warehouse {installed}, and XERO_WAREHOUSE_DSN now "
                f"means {place}: put it back in .env, or begin anew with `make reset`."
            )

    def sandbox(self) -> Sandbox:
        """Return the demo's pretend Xero."""
        return Sandbox(self.port("sandbox"), self.settings.folder)

    def airflow(self) -> Airflow:
        """Return Airflow; the schedule starts on the remembered first day."""
        return Airflow(
            repository=self.settings.repository,
            folder=self.settings.folder,
            port=self.port("airflow"),
            database_dsn=airflow_dsn(self.server, self.secrets),
            secrets=self.secrets,
            first_day=date.fromisoformat(self.state.get("first_day")),
        )

    def wanted_children(self) -> list[Child]:
        """Return every process this mode needs, in the order of starting."""
        children = self.airflow().children()
        if not self.settings.is_real:
            children = [self.sandbox().child(), *children]
        repository = self.settings.repository
        sources = sorted([*repository.glob("include/**/*.py"), *repository.glob("plugins/*.py")])
        code = f"{sys.version} {_digest([*sources, repository / 'requirements.txt'])}"
        return [replace(child, code=code) for child in children]

    def migrate_airflow(self) -> None:
        """Bring Airflow's own database to the installed version."""
        version = importlib.metadata.version("apache-airflow")
        if self.state.get("airflow_migrated") != version:
            self.progress.step("Airflow: preparing its database")
            self.airflow().run_command("db", "migrate")
            self.state.set("airflow_migrated", version)

    def stop_outdated(self) -> None:
        """End what runs older code or with old settings."""
        wanted = self.wanted_children()
        self._stop_children(
            [
                child.name
                for child in wanted
                if self.children.is_running(child.name) and not self.children.is_current(child)
            ]
        )

    def start_children(self) -> None:
        """Start what does not run."""
        wanted = [
            child for child in self.wanted_children() if not self.children.is_running(child.name)
        ]
        if not wanted:
            return
        self.progress.step(f"starting {', '.join(child.name for child in wanted)}")
        for child in wanted:
            self.children.start(child)

    def migrate_warehouse(self) -> None:
        """Bring the warehouse's tables to the version of the code, unless they are there."""
        migrations = sorted((self.settings.repository / _MIGRATIONS).glob("*.sql"))
        wanted = _digest(migrations)
        is_lacking = self.warehouse().lacks([path.name for path in migrations])
        if self.state.get("warehouse_migrated") == wanted and not is_lacking:
            return
        self.progress.step("warehouse: preparing its tables")
        output = self.airflow().run_command(
            "xero",
            "migrate",
            secrets={
                f"AIRFLOW_CONN_{body['connection_id'].upper()}": _as_variable(body)
                for body in self.connections()
            },
        )
        for line in output.splitlines():
            if line.startswith("note:"):
                self.progress.step(f"warehouse: {line}")
        self.state.set("warehouse_migrated", wanted)

    def check(self) -> None:
        """Raise StackError when a process has died."""
        for child in self.wanted_children():
            if not self.children.is_running(child.name):
                raise StackError(
                    f"The {child.name} has ended: read {self.children.log(child.name)}, then run "
                    "the command again."
                )
        if self.server.pid is None:
            raise StackError(f"Postgres has ended: read {self.server.log}, then run again.")

    def wait_until_healthy(self) -> AirflowApi:
        """Wait for every process to answer; return the API, logged in as admin."""
        api = AirflowApi(self.airflow().url)
        deadline = time.monotonic() + _HEALTHY_SECONDS
        while waiting := self._unhealthy(api):
            self.check()
            if time.monotonic() > deadline:
                raise StackError(
                    f"Not healthy after {_HEALTHY_SECONDS} s: {', '.join(waiting)}. Read the logs "
                    f"in {self.settings.folder / 'logs'}, then run the command again."
                )
            time.sleep(_POLL_SECONDS)
        api.log_in("admin", self.secrets.value("airflow_admin_password"))
        return api

    def _unhealthy(self, api: AirflowApi) -> list[str]:
        health = api.health()
        waiting = [name for name in _COMPONENTS if health.get(name) != "healthy"]
        if not self.settings.is_real and not self.sandbox().is_healthy():
            waiting.append(pretend.NAME)
        return waiting

    def connections(self) -> list[dict[str, Any]]:
        """Return both Airflow connections, as the REST API wants them."""
        airflow_url = self.airflow().url
        extra = {
            "redirect_uri": f"{airflow_url}/xero/callback",
            "store_conn_id": WAREHOUSE_CONNECTION,
        }
        login, password = self.settings.client_id, self.settings.client_secret
        if not self.settings.is_real:
            login, password = pretend.CLIENT_ID, pretend.CLIENT_SECRET
            url = self.sandbox().url
            extra |= {"api_url": url, "identity_url": url, "login_url": url}
        xero = {
            "connection_id": XERO_CONNECTION,
            "conn_type": "xero",
            "login": login,
            "password": password,
            "extra": json.dumps(extra),
        }
        return [xero, self.warehouse().airflow_connection(WAREHOUSE_CONNECTION)]

    def put_connections(self, api: AirflowApi) -> None:
        """Store both connections when they changed; what a person edited since then stays."""
        wanted = self.connections()
        digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
        if self.state.get("connections") == digest:
            return
        self.progress.step(f"Airflow: connections {XERO_CONNECTION}, {WAREHOUSE_CONNECTION}")
        for body in wanted:
            api.put_connection(body)
        self.state.set("connections", digest)

    def stop(self) -> None:
        """End every process, Postgres last; StackError when one is left."""
        names = self.children.names()
        self._stop_children(names)
        self.server.stop()
        left = [name for name in names if self.children.is_running(name)]
        if left:
            raise StackError(f"Still running: {', '.join(left)}. Run the command again.")

    def _stop_children(self, names: list[str]) -> None:
        for group, grace_seconds in _STOPPING:
            chosen = [name for name in names if name in group]
            self.children.stop(chosen, grace_seconds=grace_seconds)


def _digest(paths: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _as_variable(body: dict[str, Any]) -> str:
    """Return a connection as the JSON of an AIRFLOW_CONN_ variable."""
    values = {name: value for name, value in body.items() if name != "connection_id"}
    return json.dumps({**values, "extra": json.loads(body["extra"])})


def open_stack(settings: Settings, progress: Progress) -> Stack:
    """Return the stack of the mode's folder, which is made when missing."""
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Stack(
        settings=settings,
        state=StateFile(folder / "state.json"),
        secrets=SecretFiles(folder / "secrets"),
        server=EmbeddedPostgres(folder / "postgres"),
        children=Children(folder),
        progress=progress,
    )
