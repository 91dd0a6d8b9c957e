"""A registered app, its grants and its warehouse, against the sandbox and a real Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from airflow_xero import connect as consent
from airflow_xero.connect import Connected, Finished
from airflow_xero.oauth import XeroApp, new_http
from airflow_xero.tokens import TokenStore
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.extraction import ConnectedApp
from xero_sandbox.testing import SandboxServer

if TYPE_CHECKING:
    from tests.warehouse.misfortune import World

SCOPES = (
    "offline_access openid profile email accounting.settings.read accounting.contacts.read "
    "accounting.invoices.read accounting.payments.read accounting.banktransactions.read "
    "accounting.reports.trialbalance.read"
)
CALLBACK = "http://localhost:8080/xero/callback"


@pytest.fixture
def app(xero_sandbox: SandboxServer) -> XeroApp:
    """The sandbox's app, as the Airflow connection `xero_default` would describe it."""
    return XeroApp(
        conn_id="xero_default",
        client_id=xero_sandbox.client_id,
        client_secret=xero_sandbox.client_secret,
        redirect_uri=CALLBACK,
        scopes=tuple(SCOPES.split()),
        api_url=xero_sandbox.url,
        identity_url=xero_sandbox.url,
        login_url=xero_sandbox.url,
    )


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """The library's own client; shared, since reading the authorities is slow."""
    with new_http() as client:
        yield client


@pytest.fixture
def keys() -> list[str]:
    """One key, as XERO_TOKEN_KEYS would hold it."""
    return [Fernet.generate_key().decode()]


@pytest.fixture(scope="module")
def shared_warehouse_dsn(
    postgres_server: EmbeddedPostgres, warehouse_template: str
) -> Iterator[str]:
    """The DSN of a warehouse for tests of a module that have a tenant of their own each."""
    name = f"shared_{uuid.uuid4().hex}"
    postgres_server.create_database(name, template=warehouse_template)
    yield postgres_server.dsn(name)
    postgres_server.drop_database(name)


Connect = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def connect(warehouse_dsn: str) -> Iterator[Connect]:
    """Opens connections of their own to the warehouse; all are closed at the end."""
    opened: list[psycopg.Connection[Any]] = []

    def new_connection() -> psycopg.Connection[Any]:
        opened.append(psycopg.connect(warehouse_dsn))
        return opened[-1]

    yield new_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def warehouse(warehouse_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the migrated warehouse; each statement commits."""
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def token_store(app: XeroApp, connect: Connect, keys: list[str], http: httpx.Client) -> TokenStore:
    """The store of the app's grants."""
    return TokenStore(app, connect=connect, keys=keys, http=http)


@dataclass(frozen=True)
class Journey:
    """A consent that came back from Xero and was not finished yet."""

    state: str
    code: str
    browser_cookie: str


class Consents:
    """Walks consents: `begin`, then Xero's pages, then `finish`."""

    def __init__(self, sandbox: SandboxServer, app: XeroApp, **parts: Any) -> None:
        self.sandbox = sandbox
        self.app = app
        self.warehouse: psycopg.Connection[Any] = parts["warehouse"]
        self.keys: list[str] = parts["keys"]
        self.tokens: TokenStore = parts["tokens"]
        self.http: httpx.Client = parts["http"]

    def walk(
        self,
        email: str = "ava@example.com",
        *,
        organisations: list[str] | None = None,
        started_by: str = "ada",
        now: datetime | None = None,
    ) -> Journey:
        """Begin, log in and allow; what Xero sends back."""
        begun = consent.begin(
            self.app,
            warehouse=self.warehouse,
            keys=self.keys,
            started_by=started_by,
            now=now or datetime.now(UTC),
        )
        callback = self.sandbox.consent(begun.url, email, organisations)
        answer = parse_qs(urlsplit(callback).query)
        return Journey(answer["state"][0], answer["code"][0], begun.browser_cookie)

    def finish(self, journey: Journey, *, now: datetime | None = None) -> list[Connected]:
        """Complete what `walk` began; what it connected."""
        return list(self.complete(journey, now=now).connected)

    def complete(self, journey: Journey, *, now: datetime | None = None) -> Finished:
        """Complete what `walk` began."""
        return consent.finish(
            self.app,
            warehouse=self.warehouse,
            tokens=self.tokens,
            http=self.http,
            state=journey.state,
            code=journey.code,
            browser_cookie=journey.browser_cookie,
            now=now or datetime.now(UTC),
        )

    def run(self, email: str = "ava@example.com", **walk: Any) -> list[Connected]:
        """Both; the organisations that were connected."""
        return self.finish(self.walk(email, **walk))


@pytest.fixture
def consents(
    xero_sandbox: SandboxServer,
    app: XeroApp,
    warehouse: psycopg.Connection[Any],
    keys: list[str],
    token_store: TokenStore,
    http: httpx.Client,
) -> Consents:
    """Walks consents of the sandbox's users; nobody has connected anything yet."""
    return Consents(
        xero_sandbox, app, warehouse=warehouse, keys=keys, tokens=token_store, http=http
    )


@pytest.fixture
def connected(consents: Consents) -> list[Connected]:
    """Ava's two organisations, connected."""
    return consents.run()


@pytest.fixture
def grant_id(connected, warehouse) -> str:
    """Ava's grant, just given; its access token lives half an hour."""
    (row,) = warehouse.execute("select grant_id::text from xero_ops.grants").fetchall()
    return str(row[0])


@pytest.fixture(scope="session")
def records_of_every_kind(
    xero_sandbox_server: SandboxServer, postgres_server: EmbeddedPostgres, warehouse_template: str
) -> dict[str, list[Any]]:
    """A few real records of each list of a trading company, by array key."""
    from tests.warehouse import misfortune

    xero_sandbox_server.reset()
    name = "records_of_every_kind"
    postgres_server.create_database(name, template=warehouse_template)
    with ConnectedApp(xero_sandbox_server, postgres_server.dsn(name)) as xero:
        found = misfortune.records_of_every_kind(xero)
    postgres_server.drop_database(name)
    return found


@pytest.fixture
def world(
    xero_sandbox: SandboxServer,
    warehouse_dsn: str,
    records_of_every_kind: dict[str, list[Any]],
    tmp_path: Path,
) -> Iterator[World]:
    """A connected organisation, with which everything that can go wrong does."""
    # Imports Airflow, whose decisions it follows.
    from tests.warehouse.misfortune import World

    with ConnectedApp(xero_sandbox, warehouse_dsn) as xero:
        yield World(xero, tmp_path / "books", records_of_every_kind)
