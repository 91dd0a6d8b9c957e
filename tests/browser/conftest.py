"""A real Airflow API server, whose warehouse and Xero are new for every test, and a Chromium.

One server a session. Its two Airflow connections are written anew through Airflow's own REST
API, so that each test has a database and a Xero of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from psycopg.conninfo import conninfo_to_dict

from airflow_xero.sealing import cipher_of, unsealed
from local_stack.ports import free_port
from xero_sandbox.testing import SandboxServer

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""

_START_SECONDS = 240

# A loaded machine needs longer than Playwright's five seconds to draw Airflow.
expect.set_options(timeout=20_000)

# One user for each of Airflow's roles; the password is the name.
ROLES = {"admin": "admin", "operator": "op", "user": "user", "viewer": "viewer"}


@dataclass(frozen=True)
class Airflow:
    """The API server as a test sees it: its address, its users, its connections and runs."""

    url: str
    log: Path
    token_key: str = field(repr=False)
    tokens: dict[str, str] = field(repr=False, default_factory=dict)

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
            login=sandbox.client_id,
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

    def switch_dag(self, dag_id: str, *, is_paused: bool) -> None:
        """Switch a Dag on or off."""
        self._api("PATCH", f"dags/{dag_id}", json={"is_paused": is_paused}).raise_for_status()

    def _api(self, method: str, path: str, **request: Any) -> httpx.Response:
        with self.client() as client:
            headers = {"Authorization": f"Bearer {self.token('admin')}"}
            return client.request(method, f"/api/v2/{path}", headers=headers, **request)


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """`airflow api-server` with the plugin, and nothing else of Airflow."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "passwords.json").write_text(json.dumps({user: user for user in ROLES}))
    with served(home) as server:
        yield server


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
            f"{user}:{role}" for user, role in ROLES.items()
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


@pytest.fixture
def airflow(
    api_server: Airflow, warehouse_dsn: str, xero_sandbox: SandboxServer
) -> Iterator[Airflow]:
    """The server with a fresh warehouse, and the sandbox as its Xero.

    Whatever a test does: no token that it left in the warehouse may stand in the server's log.
    """
    api_server.set_warehouse(warehouse_dsn)
    api_server.set_xero(xero_sandbox)
    api_server.forget_runs()
    yield api_server
    log = api_server.log.read_text()
    leaked = [token for token in tokens_in(warehouse_dsn, api_server.token_key) if token in log]
    assert leaked == []


def tokens_in(dsn: str, key: str) -> list[str]:
    """Every token of every grant, as Xero would take it."""
    with psycopg.connect(dsn) as connection:
        sealed = connection.execute("select tokens from xero_ops.grants where tokens <> ''")
        grants = [unsealed(bytes(tokens), cipher_of([key])) for (tokens,) in sealed.fetchall()]
    found = [(one.access_token, one.refresh_token, one.previous) for one in grants]
    return [token for tokens in found for token in tokens if token]


@pytest.fixture
def warehouse(airflow: Airflow, warehouse_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """The server's warehouse; each statement commits."""
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        yield connection


# Not for the session: Playwright keeps an event loop running, which other tests start themselves.
@pytest.fixture(scope="module")
def browsing() -> Iterator[BrowserContext]:
    """Debian's Chromium, headless; one context, because its cache holds Airflow's large script."""
    if not CHROMIUM:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        context = browser.new_context()
        context.set_default_timeout(20_000)
        yield context
        browser.close()


OpenPage = Callable[..., Page]
Colours = Literal["light", "dark"]


@pytest.fixture
def open_page(airflow: Airflow, browsing: BrowserContext) -> Iterator[OpenPage]:
    """The page Xero in a browser without cookies, logged in as the user; no script may fail."""
    browsing.clear_cookies()
    failures: list[str] = []

    def open_as(
        user: str | None = "admin", *, width: int = 1280, colours: Colours = "light"
    ) -> Page:
        if user:
            browsing.add_cookies(
                [{"name": "_token", "value": airflow.token(user), "url": airflow.url}]
            )
        page = browsing.new_page()
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=colours)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(f"{airflow.url}/plugin/xero")
        return page

    yield open_as
    for page in browsing.pages:
        page.close()
    assert failures == []


Keep = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def keep_screenshot(tmp_path_factory: pytest.TempPathFactory) -> Keep:
    """Keep what a page looks like: in PAGE_SCREENSHOTS, or among the files of this session."""
    given = os.environ.get("PAGE_SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return keep
