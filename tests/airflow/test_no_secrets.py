"""No token, code, verifier, secret or key is ever shown, whatever goes wrong, even at DEBUG."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg.conninfo import conninfo_to_dict

from local_stack.postgres import EmbeddedPostgres
from tests.airflow.conftest import REPOSITORY, TOKEN_KEY
from tests.airflow.listening import Webhook
from tests.airflow.overheard import (
    Eavesdropper,
    basic_credentials,
    copy_metadata,
    files_of,
    leaks,
    metadata_of,
    warehouse_of,
)
from xero_sandbox.identity.registration import AppSettings
from xero_sandbox.testing import SandboxServer

CLIENT_SECRET = "a-secret-of-the-app-5cBq83Jw0nHxkT2v"
WRONG_SECRET = "a-secret-mistyped-by-ada-Zr71LmQx49"


@dataclass(frozen=True)
class Told:
    """What the story left behind."""

    home: Path
    dsn: str = field(repr=False)
    secrets: dict[str, str] = field(repr=False)
    outcome: dict[str, Any]

    @property
    def database(self) -> str:
        """The name of its warehouse."""
        return str(conninfo_to_dict(self.dsn)["dbname"])

    def places(self) -> Iterator[tuple[str, str]]:
        """Every file of the process, and every table of both databases."""
        return chain(
            files_of(self.home),
            metadata_of(self.home / "airflow.db"),
            warehouse_of(self.dsn),
        )


@pytest.fixture(scope="module")
def tell_once(
    airflow_database: None,
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Told]]:
    """Tell the story, `in-short` or `in-full`, once each, by a process of its own."""
    known: dict[str, Told] = {}

    def told(length: str) -> Told:
        if length not in known:
            database = f"no_secrets_{uuid.uuid4().hex}"
            postgres_server.create_database(database, template=warehouse_template)
            home = tmp_path_factory.mktemp("debug")
            known[length] = tell(home, postgres_server.dsn(database), length)
        return known[length]

    yield told
    for each in known.values():
        postgres_server.drop_database(each.database)


@pytest.fixture
def told(tell_once: Callable[[str], Told]) -> Told:
    return tell_once("in-short")


@pytest.fixture
def told_in_full(tell_once: Callable[[str], Told]) -> Told:
    return tell_once("in-full")


def tell(home: Path, dsn: str, length: str) -> Told:
    copy_metadata(Path(os.environ["AIRFLOW_HOME"]) / "airflow.db", home / "airflow.db")
    app = AppSettings(client_secret=CLIENT_SECRET)
    with (
        SandboxServer(app=app) as sandbox,
        Eavesdropper(sandbox.url) as ear,
        Webhook() as webhook,
    ):
        sandbox.control("POST", "limits", {"enabled": False})
        environment = {
            **environment_of(home, dsn, sandbox, identity_url=ear.url),
            "AIRFLOW_CONN_XERO_WEBHOOK": json.dumps({"conn_type": "http", "password": webhook.url}),
            "AIRFLOW__XERO__NOTIFY_WEBHOOK_CONN_ID": "xero_webhook",
        }
        with (home / "output.log").open("wb") as output:
            program = ["-m", "tests.airflow.told_at_debug", str(home / "outcome.json"), length]
            done = subprocess.run(
                [sys.executable, *program],
                env=environment,
                cwd=home,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=550,
            )
        assert done.returncode == 0, (home / "output.log").read_text()[-3000:]
        assert webhook.texts
        secrets = {
            **ear.secrets,
            CLIENT_SECRET: "client secret",
            WRONG_SECRET: "client secret",
            basic_credentials(sandbox.client_id, CLIENT_SECRET): "client secret",
            TOKEN_KEY: "token key",
            os.environ["AIRFLOW__CORE__FERNET_KEY"]: "Fernet key of Airflow",
            str(conninfo_to_dict(dsn)["password"]): "warehouse password",
            webhook.secret: "webhook address",
        }
    return Told(home, dsn, secrets, json.loads((home / "outcome.json").read_text()))


def environment_of(
    home: Path, dsn: str, sandbox: SandboxServer, *, identity_url: str
) -> dict[str, str]:
    parts = conninfo_to_dict(dsn)
    urls = {"api_url": sandbox.url, "login_url": sandbox.url, "identity_url": identity_url}
    xero = {"conn_type": "xero", "login": sandbox.client_id, "extra": urls}
    warehouse = {
        "conn_type": "postgres",
        "host": parts["host"],
        "port": int(str(parts["port"])),
        "login": parts["user"],
        "password": parts["password"],
        "schema": parts["dbname"],
    }
    return {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG",
        "AIRFLOW__XERO__DBT_PROJECT_DIR": str(small_project(home)),
        "AIRFLOW_CONN_XERO_DEFAULT": json.dumps({**xero, "password": CLIENT_SECRET}),
        "AIRFLOW_CONN_XERO_WRONG": json.dumps({**xero, "password": WRONG_SECRET}),
        "AIRFLOW_CONN_XERO_WAREHOUSE": json.dumps(warehouse),
        "PYTHONPATH": str(REPOSITORY),
        "STORY_WAREHOUSE": dsn,
        "STORY_XERO": sandbox.url,
        "XERO_TOKEN_KEYS": TOKEN_KEY,
    }


def small_project(home: Path) -> Path:
    folder = home / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: small\nversion: 0.1.0\nprofile: xero_warehouse\nmodel-paths: [models]\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    )
    (folder / "models" / "published.sql").write_text("select 1 as one")
    shutil.copy(REPOSITORY / "dbt" / "profiles.yml", folder)
    return folder


IN_SHORT = {
    "connect": ["Kauri Coffee Roasters"],
    "wrong code": "ConsentRefusedError",
    "success": "success",
    "test button": True,
    "test button with a wrong secret": False,
    "refused refresh": "failed",
}
IN_FULL = {
    **IN_SHORT,
    "refreshed": "success",
    "failing tenant": "failed",
    "token service stumbles": "success",
    "token service is down": "failed",
    "token service is a proxy": "failed",
    "token service refuses the app": "failed",
    "refresh": "success",
    "pdfs": "success",
    "failing refresh": "failed",
    "backfill": "success",
    "resume": "success",
}
KINDS = (
    *("access_token", "refresh_token", "id_token", "code", "code_verifier"),
    *("client secret", "token key", "Fernet key of Airflow", "warehouse password"),
    "webhook address",
)


def went_as_it_should(told: Told, outcome: dict[str, Any], *, refreshes: int) -> None:
    """The story has its ends, every kind of secret was in play, and the log is one of DEBUG."""
    assert told.outcome == outcome
    assert set(told.secrets.values()) == set(KINDS)
    # One from the consent, one more from every refresh.
    assert list(told.secrets.values()).count("refresh_token") == 1 + refreshes
    said = (told.home / "output.log").read_text()
    assert "[debug" in said
    assert "xero_read" in said


def test_no_secret_is_in_any_file_log_or_table(told):
    went_as_it_should(told, IN_SHORT, refreshes=1)
    assert leaks(told.secrets, told.places()) == []


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_no_secret_is_shown_by_any_trouble_with_tokens(told_in_full):
    went_as_it_should(told_in_full, IN_FULL, refreshes=4)
    assert leaks(told_in_full.secrets, told_in_full.places()) == []


def test_grants_are_ciphertext_of_what_xero_said(told):
    with psycopg.connect(told.dsn) as warehouse:
        [(sealed,)] = warehouse.execute("select tokens from xero_ops.grants").fetchall()
    opened = json.loads(Fernet(TOKEN_KEY).decrypt(bytes(sealed)))
    assert told.secrets[opened["refresh_token"]] == "refresh_token"
    assert told.secrets[opened["access_token"]] == "access_token"


# The search itself finds what is there


def one_of(told: Told, kind: str) -> str:
    return next(value for value, its_kind in told.secrets.items() if its_kind == kind)


@pytest.mark.parametrize("kind", KINDS)
def test_secret_in_a_log_is_found_also_when_only_its_beginning_is_there(told, kind, tmp_path):
    value = one_of(told, kind)
    shown = value.rpartition(".")[2] if kind in ("access_token", "id_token") else value
    (tmp_path / "task.log").write_text(f"… {shown[:36]} …")
    assert leaks(told.secrets, files_of(tmp_path)) == [f"{kind} in task.log"]


def test_secret_in_an_xcom_is_found(told, tmp_path):
    copy = tmp_path / "airflow.db"
    copy_metadata(told.home / "airflow.db", copy)
    with closing(sqlite3.connect(copy)) as database:
        value = json.dumps({"token": one_of(told, "access_token")})
        changed = database.execute("update xcom set value = ? where rowid = 1", (value,)).rowcount
        database.commit()
    assert changed == 1
    assert leaks(told.secrets, metadata_of(copy)) == ["access_token in airflow.xcom"]


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("update xero_ops.extract_runs set state_reason = %s", "xero_ops.extract_runs"),
        ("update xero_ops.grants set state_reason = %s", "xero_ops.grants"),
        ("update xero_ops.grants set tokens = convert_to(%s, 'UTF8')", "xero_ops.grants"),
        (
            "update xero_ops.audit_log set detail = jsonb_build_object('said', %s::text)",
            "xero_ops.audit_log",
        ),
    ],
)
def test_secret_in_the_warehouse_is_found(told, postgres_server, statement, place):
    postgres_server.create_database("planted", template=told.database)
    try:
        with psycopg.connect(postgres_server.dsn("planted")) as warehouse:
            assert warehouse.execute(statement, (one_of(told, "refresh_token"),)).rowcount
        found = leaks(told.secrets, warehouse_of(postgres_server.dsn("planted")))
    finally:
        postgres_server.drop_database("planted")
    assert found == [f"refresh_token in {place}"]
