"""An Airflow of these tests' own: its settings, its metadata database, connections per test.

Set before Airflow is imported, because Airflow reads its environment when it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN_KEY = Fernet.generate_key().decode()

os.environ.update(
    {
        "AIRFLOW__API__SECRET_KEY": "tests",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a-secret-of-the-tests-that-is-long-enough-for-sha-512-tokens-too",
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__XERO__DBT_PROJECT_DIR": str(REPOSITORY / "dbt"),
        "AIRFLOW__XERO__FIRST_DAY": "2026-11-18",
    }
)


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's metadata database (SQLite in AIRFLOW_HOME), migrated."""
    from airflow.utils.db import initdb

    initdb()


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


def postgres_fields(dsn: str) -> dict[str, Any]:
    """The fields of an Airflow connection to the database of a DSN."""
    parts = conninfo_to_dict(dsn)
    return {
        "conn_type": "postgres",
        "host": parts["host"],
        "port": int(str(parts["port"])),
        "login": parts["user"],
        "password": parts.get("password"),
        "schema": parts["dbname"],
    }


@pytest.fixture
def warehouse(warehouse_dsn: str, set_connection: SetConnection) -> Iterator[psycopg.Connection]:
    """A migrated warehouse that `xero_warehouse` points to; each statement commits."""
    set_connection("xero_warehouse", **postgres_fields(warehouse_dsn))
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        yield connection
