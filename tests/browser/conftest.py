"""A real Airflow API server, whose warehouse and Xero are new for every test, and a Chromium.

One server a session. Its two Airflow connections are written anew through Airflow's own REST
API, so that each test has a database and a Xero of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
import psycopg
import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from airflow_xero.sealing import cipher_of, unsealed
from tests.browser.consenting import Visit
from tests.browser.inviting import OURS, Invite
from tests.browser.server import CHROMIUM, SWITCHES, USERS, Airflow, served
from xero_sandbox.testing import SandboxServer

# A loaded machine needs longer than Playwright's five seconds to draw Airflow.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """`airflow api-server` with the plugin, and nothing else of Airflow."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "passwords.json").write_text(json.dumps({user: user for user in USERS}))
    with served(home) as server:
        yield server


@pytest.fixture
def airflow(
    api_server: Airflow, warehouse_dsn: str, xero_sandbox: SandboxServer
) -> Iterator[Airflow]:
    """The server with a fresh warehouse, and the sandbox as its Xero.

    Whatever a test does: no token of Xero's, also one that was replaced since, may stand in any
    file of Airflow's: its own database, its logs.
    """
    api_server.set_warehouse(warehouse_dsn)
    api_server.set_xero(xero_sandbox)
    api_server.forget_runs()
    yield api_server
    known = tokens_in(warehouse_dsn, api_server.token_key)
    assert leaks(api_server.log.parent, known, xero_sandbox) == []


_TOKEN = re.compile(rb"(?<![\w-])[\w-]{43}(?![\w-])")
_JWT = re.compile(rb"eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+")


def leaks(home: Path, known: list[str], sandbox: SandboxServer) -> list[str]:
    """The files below `home` that hold one of these tokens, or any that this Xero ever gave.

    Xero keeps its refresh tokens as hashes; its access tokens name the consent.
    """
    given = set(sandbox.world.grants.refresh_tokens)
    found = []
    for path in sorted(one for one in home.rglob("*") if one.is_file()):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            # A journal of the database's, which is gone once it is written.
            continue
        hashes = {hashlib.sha256(word).hexdigest() for word in set(_TOKEN.findall(content))}
        claims = [base64.urlsafe_b64decode(part + b"==") for part in _JWT.findall(content)]
        if (
            any(token.encode() in content for token in known)
            or hashes & given
            or any(b"authentication_event_id" in one for one in claims)
        ):
            found.append(str(path.relative_to(home)))
    return found


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
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
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


@pytest.fixture
def begin(airflow: Airflow) -> Iterator[Callable[..., Visit]]:
    """Press Connect to Xero in a fresh browser, logged in as a user (an admin by default)."""
    clients = []

    def press(user: str = "admin", client: httpx.Client | None = None) -> Visit:
        if client is None:
            client = airflow.client(user)
            clients.append(client)
        response = client.get("/xero/connect", headers={"Sec-Fetch-Site": "same-origin"})
        assert response.status_code == 303, response.text
        return Visit(client, response.headers["location"])

    yield press
    for client in clients:
        client.close()


@pytest.fixture
def invite(airflow: Airflow) -> Invite:
    """Let a user of Airflow make an invitation; the answer with its link."""

    def make(user: str = "operator", **wished: Any) -> dict[str, Any]:
        with airflow.client(user) as client:
            answer = client.post("/xero/api/invitations", json=wished, headers=OURS)
        return dict(answer.raise_for_status().json())

    return make
