"""Airflow's real API server as the browser tests have it: its users, connections and runs.

Knows how one is started and asked over its REST API. Must not know what a test does with it.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

from local_stack.ports import free_port
from xero_sandbox.testing import SandboxServer

REPOSITORY = Path(__file__).resolve().parents[2]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""

SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")

_START_SECONDS = 240

# One user for each of Airflow's roles; the password is the name.
ROLES = {"admin": "admin", "operator": "op", "user": "user", "viewer": "viewer"}

# Many who may connect, for what happens to all of them at once.
CROWD = {f"person{number:02}": "op" for number in range(20)}

USERS = {**ROLES, **CROWD}


@dataclass(frozen=True)
class Airflow:
    """The API server as a test sees it: its address, its users, its connections and runs."""

    url: str
    log: Path
    token_key: str = field(repr=False)
    tokens: dict[str, str] = field(repr=False, default_factory=dict)

    @property
    def database(self) -> Path:
        """The file of Airflow's own database, which is SQLite."""
        return self.log.parent / "airflow.db"

    def client(self, user: str | None = None, **settings: Any) -> httpx.Client:
        """An HTTP client logged in as the user, with nothing else in its cookies."""
        # verify=False: reading certificates costs more than the plain http that is spoken here.
        client = httpx.Client(
            base_url=self.url, timeout=30, trust_env=False, verify=False, **settings
        )
        if user:
            client.cookies.set("_token", self.token(user))
        return client

    def token(self, user: str) -> str:
        """A token of Airflow for the user; asked for once."""
        if user not in self.tokens:
            with self.client() as client:
                login = {"username": user, "password": user}
                answer = client.post("/auth/token", json=login).raise_for_status()
            self.tokens[user] = str(answer.json()["access_token"])
        return self.tokens[user]

    def set_connection(self, conn_id: str, **fields: Any) -> None:
        """Create or replace an Airflow connection."""
        self.remove_connection(conn_id)
        extra = json.dumps(fields.pop("extra", {}))
        body = {"connection_id": conn_id, **fields, "extra": extra}
        self._api("POST", "connections", json=body).raise_for_status()

    def set_warehouse(self, dsn: str) -> None:
        """Point the connection of the warehouse at this database."""
        parts = conninfo_to_dict(dsn)
        self.set_connection(
            "xero_warehouse",
            conn_type="postgres",
            host=parts["host"],
            port=int(str(parts["port"])),
            login=parts["user"],
            password=parts["password"],
            schema=parts["dbname"],
        )

    def set_xero(self, sandbox: SandboxServer, **changed: str) -> None:
        """Make the sandbox this Airflow's Xero; `changed` are other values of its fields."""
        urls = dict.fromkeys(("api_url", "identity_url", "login_url"), sandbox.url)
        redirect_uri = changed.get("redirect_uri", f"{self.url}/xero/callback")
        self.set_connection(
            "xero_default",
            conn_type="xero",
            login=changed.pop("login", sandbox.client_id),
            password=changed.pop("password", sandbox.client_secret),
            extra={**urls, **changed, "redirect_uri": redirect_uri},
        )

    def remove_connection(self, conn_id: str) -> None:
        """Remove an Airflow connection, if it is there."""
        assert self._api("DELETE", f"connections/{conn_id}").status_code in (204, 404)

    def runs_of(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a Dag, the oldest first; nobody executes them here."""
        answer = self._api("GET", f"dags/{dag_id}/dagRuns", params={"order_by": "id"})
        assert answer.status_code in (200, 404), answer.text
        return list(answer.json().get("dag_runs", []))

    def forget_runs(self) -> None:
        """Remove every run of the Dags that the pages start."""
        for dag_id in ("xero_extract", "xero_erase"):
            for run in self.runs_of(dag_id):
                self._api("DELETE", f"dags/{dag_id}/dagRuns/{run['dag_run_id']}")

    def label_tasks(self, dag_id: str, labels: list[str]) -> None:
        """Label as many tasks of the Dag's runs as there are labels, as running ones would be."""
        with closing(sqlite3.connect(self.database)) as database, database:
            tasks = database.execute(
                "select id from task_instance where dag_id = ? order by task_id", [dag_id]
            ).fetchall()
            assert len(tasks) >= len(labels)
            for (task_id,), label in zip(tasks, labels, strict=False):
                database.execute(
                    "update task_instance set rendered_map_index = ? where id = ?", [label, task_id]
                )

    def switch_dag(self, dag_id: str, *, is_paused: bool) -> None:
        """Switch a Dag on or off."""
        self._api("PATCH", f"dags/{dag_id}", json={"is_paused": is_paused}).raise_for_status()

    def _api(self, method: str, path: str, **request: Any) -> httpx.Response:
        with self.client() as client:
            headers = {"Authorization": f"Bearer {self.token('admin')}"}
            return client.request(method, f"/api/v2/{path}", headers=headers, **request)


@contextmanager
def served(home: Path, *commands: tuple[str, ...], **settings: str) -> Iterator[Airflow]:
    """An API server whose files are at `home`, after these commands and with these settings."""
    port = free_port()
    server = Airflow(f"http://localhost:{port}", home / "api-server.log", _new_key())
    environment = {**_environment(home, server), **settings}
    # What the Dag processor would do comes last: without it Airflow knows no Dag to start.
    for words in (("db", "migrate"), *commands, ("dags", "reserialize")):
        _run_airflow(environment, *words)
    command = ["api-server", "--host", "127.0.0.1", "--port", str(port)]
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", *command],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_healthy(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _new_key() -> str:
    return Fernet.generate_key().decode()


def _environment(home: Path, server: Airflow) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **inherited,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": server.url,
        "AIRFLOW__API__SECRET_KEY": _new_key(),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": _new_key() * 2,
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__FERNET_KEY": _new_key(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
            f"{user}:{role}" for user, role in USERS.items()
        ),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__XERO__FIRST_DAY": "2026-11-18",
        "PYTHONDONTWRITEBYTECODE": "1",
        "XERO_TOKEN_KEYS": server.token_key,
    }


def _run_airflow(environment: dict[str, str], *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _wait_until_healthy(server: Airflow, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with server.client() as client:
                if client.get("/api/v2/version").is_success:
                    return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"The API server did not start:\n{server.log.read_text()}")
