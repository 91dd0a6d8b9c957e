"""`airflow xero public` as its own process: the invited connect, and nothing else is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from airflow_xero import cli_connecting, invitations
from airflow_xero.audit import Actor
from airflow_xero.hook import XeroHook
from local_stack.ports import free_port
from tests.airflow.conftest import TOKEN_KEY, queued_runs, xero_fields

pytestmark = pytest.mark.usefixtures("airflow_database")

OURS = {"X-Xero-Page": "1", "Sec-Fetch-Site": "same-origin"}
TENANTS = "select tenant_id::text from xero_ops.tenants"
_START_SECONDS = 120


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "public.log"


@pytest.fixture
def public_url(xero: Any, set_connection: Any, log: Path) -> Iterator[str]:
    """The command, serving; its address is that of the redirect URI."""
    with served(xero, set_connection, log) as url:
        yield url


@contextmanager
def served(
    xero: Any, set_connection: Any, log: Path, *, vault: Path | None = None, **settings: str
) -> Iterator[str]:
    port = free_port()
    url = f"http://localhost:{port}"
    set_connection("xero_default", **xero_fields(xero, redirect_uri=f"{url}/xero/callback"))
    if vault:
        settings |= kept_in(vault)
    command = [sys.executable, "-m", "airflow", "xero", "public", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_served(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def kept_in(vault: Path) -> dict[str, str]:
    """The connections in the file of a secrets backend; in the environment they are worthless."""
    names = ("AIRFLOW_CONN_XERO_DEFAULT", "AIRFLOW_CONN_XERO_WAREHOUSE")
    kept = {
        name.removeprefix("AIRFLOW_CONN_").lower(): json.loads(os.environ[name]) for name in names
    }
    vault.write_text(json.dumps(kept))
    return {
        **dict.fromkeys(names, json.dumps({"conn_type": "xero", "login": "-", "password": "-"})),
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(vault)}),
    }


def _wait_until_served(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/xero/invitation", verify=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"The command did not serve:\n{log.read_text()}")


def link_of_an_invitation() -> str:
    with XeroHook() as hook, hook.warehouse() as connection:
        return invitations.invite(
            connection,
            hook.app(),
            keys=[TOKEN_KEY],
            actor=Actor("ada"),
            now=datetime.now(UTC),
        ).url


def test_the_invited_connect_through_it_and_find_nothing_else(
    starting_dags, public_url, xero, warehouse, log
):
    link = link_of_an_invitation()
    assert link.startswith(f"{public_url}/xero/invitation#")
    body = {"token": urlsplit(link).fragment}

    with httpx.Client(base_url=public_url, verify=False, timeout=60) as client:
        looked = client.post("/xero/invitation/look", json=body, headers=OURS)
        begun = client.post("/xero/invitation/begin", json=body, headers=OURS)
        callback = xero.consent(begun.json()["url"])
        thanks = client.get(callback)
        closed = [
            client.get(path).status_code
            for path in ("/", "/xero/", "/xero/connect", "/xero/api/organisations", "/api/v2/dags")
        ]
        elsewhere = client.get("/xero/invitation", headers={"Host": "evil.example"})

    assert looked.json()["invited_by"] == "ada"
    assert "Kauri Coffee Roasters" in thanks.text
    assert "<a " not in thanks.text
    assert (closed, elsewhere.status_code) == ([404] * 5, 421)
    assert "server" not in thanks.headers
    stored = warehouse.execute(
        "select actor, action, outcome, host(address) from xero_ops.audit_log order by entry_id"
    ).fetchall()
    assert stored == [
        ("ada", "invite", "invited", None),
        *[("ada (by invitation)", "connect", "connected", "127.0.0.1")] * 2,
    ]
    tenants = sorted(one for (one,) in warehouse.execute(TENANTS).fetchall())
    assert len(tenants) == 2
    # They are read at once, and nobody is said to have started it.
    assert queued_runs() == [("xero_extract", "queued", {"tenants": tenants}, None)]
    said = log.read_text()
    assert "path='/xero/callback' status=200 address=127.0.0.1" in said
    query = dict(httpx.URL(callback).params)
    secrets = (*body["token"].split("."), query["code"], query["state"], TOKEN_KEY)
    assert [secret for secret in secrets if secret in said] == []


def test_with_a_secrets_backend_and_no_database_of_airflows_the_invited_connect(
    starting_dags, xero, set_connection, warehouse, log, tmp_path
):
    nowhere = "postgresql+psycopg2://nobody:secret@127.0.0.1:9/nowhere"
    settings = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": nowhere}
    vault = tmp_path / "vault.json"
    with served(xero, set_connection, log, vault=vault, **settings) as url:
        body = {"token": urlsplit(link_of_an_invitation()).fragment}
        with httpx.Client(base_url=url, verify=False, timeout=60) as client:
            begun = client.post("/xero/invitation/begin", json=body, headers=OURS)
            thanks = client.get(xero.consent(begun.json()["url"]))

    assert (thanks.status_code, "Kauri Coffee Roasters" in thanks.text) == (200, True)
    assert len(warehouse.execute(TENANTS).fetchall()) == 2
    # The next night reads them.
    assert queued_runs() == []
    said = log.read_text()
    assert "extraction not started organisations=2 reason=Airflow's own database" in said
    assert "secret@" not in said


@pytest.mark.usefixtures("starting_dags")
def test_a_custom_connection_is_connected_at_the_command_line(xero, set_connection, capsys):
    set_connection("xero_default", **xero_fields(xero, app_kind="custom"))

    cli_connecting.connect(Namespace(conn_id=None))

    said = capsys.readouterr().out
    assert said.startswith("Connected ")
    assert "The Dag xero_extract reads it at once." in said
    assert [run[:2] for run in queued_runs()] == [("xero_extract", "queued")]


def test_an_app_for_people_names_the_field(xero, set_connection):
    with pytest.raises(SystemExit, match="choose custom as its kind"):
        cli_connecting.connect(Namespace(conn_id=None))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("app_kind", "native", "choose one of web, custom"), ("tier", "gold", "one of starter, core")],
)
def test_a_field_with_an_unknown_value_names_the_known(xero, set_connection, field, value, said):
    set_connection("xero_default", **xero_fields(xero, **{field: value}))

    with pytest.raises(SystemExit, match=said):
        cli_connecting.connect(Namespace(conn_id=None))
