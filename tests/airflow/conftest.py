"""An Airflow of these tests' own: its settings, its metadata database, connections per test.

Set before Airflow is imported, because Airflow reads its environment when it is.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

from airflow_xero.connect import Connected
from xero_sandbox.testing import SandboxServer

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN_KEY = Fernet.generate_key().decode()

os.environ.update(
    {
        "AIRFLOW__API__SECRET_KEY": "tests",
        "AIRFLOW__API_AUTH__JWT_SECRET": "tests" * 16,
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__XERO__BACKFILL_CALLS": "24",
        "AIRFLOW__XERO__DBT_PROJECT_DIR": str(REPOSITORY / "dbt"),
        "AIRFLOW__XERO__FIRST_DAY": "2026-11-18",
    }
)


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's metadata database (SQLite in AIRFLOW_HOME), migrated."""
    from airflow.utils.db import initdb

    with warnings.catch_warnings():
        # Of the provider fab's own migrations, where it is installed.
        warnings.filterwarnings("ignore", "No path_separator found", DeprecationWarning)
        initdb()


@pytest.fixture(scope="module")
def known_dags(airflow_database: None) -> None:
    """Airflow knows the Dags, as its Dag processor would have told it."""
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session

    name, folder = "dags-folder", REPOSITORY / "dags"
    with create_session() as session:
        if session.get(DagBundleModel, name) is None:
            session.add(DagBundleModel(name=name))
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name=name)
    assert bag.import_errors == {}
    sync_bag_to_db(bag, name, bundle_version=None)


@pytest.fixture
def starting_dags(known_dags: None) -> Iterator[None]:
    """Afterwards no run is left, and every Dag is switched on."""
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, update

    yield
    with create_session() as session:
        session.execute(delete(DagRun))
        session.execute(update(DagModel).values(is_paused=False, is_stale=False))


def queued_runs() -> list[tuple[Any, ...]]:
    """Every queued run, the oldest first: its Dag, state, configuration and who started it."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        # Runs of other tests, which are over, may be there as well.
        queued = select(DagRun).where(DagRun.state == "queued").order_by(DagRun.id)
        runs = session.scalars(queued).all()
        return [(run.dag_id, run.state, run.conf, run.triggering_user_name) for run in runs]


@pytest.fixture(autouse=True)
def _token_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XERO_TOKEN_KEYS", TOKEN_KEY)


SetConnection = Callable[..., None]


@pytest.fixture
def set_connection(monkeypatch: pytest.MonkeyPatch) -> SetConnection:
    """Define an Airflow connection for this test: id, then the fields of Airflow's JSON form."""

    def define(conn_id: str, **fields: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))

    return define


SetWarehouse = Callable[[str], None]


@pytest.fixture
def set_warehouse(set_connection: SetConnection) -> SetWarehouse:
    """Point the connection `xero_warehouse` at the database of a DSN."""

    def define(dsn: str) -> None:
        parts = conninfo_to_dict(dsn)
        set_connection(
            "xero_warehouse",
            conn_type="postgres",
            host=parts["host"],
            port=int(str(parts["port"])),
            login=parts["user"],
            password=parts.get("password"),
            schema=parts["dbname"],
        )

    return define


@pytest.fixture
def warehouse(warehouse_dsn: str, set_warehouse: SetWarehouse) -> Iterator[psycopg.Connection]:
    """A migrated warehouse that `xero_warehouse` points to; each statement commits."""
    set_warehouse(warehouse_dsn)
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def xero(
    xero_sandbox: SandboxServer, warehouse: psycopg.Connection, set_connection: SetConnection
) -> SandboxServer:
    """The sandbox, with the Xero connection pointing to it and a migrated warehouse."""
    set_connection("xero_default", **xero_fields(xero_sandbox))
    return xero_sandbox


def xero_fields(sandbox: SandboxServer, **extra: str) -> dict[str, Any]:
    """The fields of an Airflow connection to the sandbox's app."""
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), sandbox.url)
    return {
        "conn_type": "xero",
        "login": sandbox.client_id,
        "password": sandbox.client_secret,
        "extra": {**urls, "redirect_uri": "http://localhost:8080/xero/callback", **extra},
    }


ConnectOrganisations = Callable[..., list[Connected]]


@pytest.fixture
def connect_organisations(xero: SandboxServer) -> ConnectOrganisations:
    """Let a Xero user consent, as the Connect page does; the organisations that were connected."""

    def run(email: str = "ava@example.com", conn_id: str = "xero_default") -> list[Connected]:
        from airflow_xero import connect
        from airflow_xero.hook import XeroHook

        now = datetime.now(UTC)
        with XeroHook(conn_id) as hook, hook.warehouse() as warehouse:
            begun = connect.begin(
                hook.app(), warehouse=warehouse, keys=[TOKEN_KEY], started_by="ada", now=now
            )
            answer = parse_qs(urlsplit(xero.consent(begun.url, email)).query)
            finished = connect.finish(
                hook.app(),
                warehouse=warehouse,
                tokens=hook.token_store(),
                http=hook.http(),
                state=answer["state"][0],
                code=answer["code"][0],
                browser_cookie=begun.browser_cookie,
                now=now,
            )
        return list(finished.connected)

    return run


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    """A dbt project without models that is built in a second; its profile is the real one's."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: small\nversion: 0.1.0\nprofile: xero_warehouse\nmodel-paths: [models]\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    )
    shutil.copy(REPOSITORY / "dbt" / "profiles.yml", folder)
    return folder
