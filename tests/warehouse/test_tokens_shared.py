"""One grant, several who want it at once: exactly one of them refreshes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from airflow_xero.errors import WarehouseBusyError
from airflow_xero.tokens import TokenStore

TOKEN_PATH = "/connect/token"

# What a worker does; its parameters, secrets among them, come through standard input.
WORKER = """
import json, sys
from datetime import datetime
import psycopg
from airflow_xero.oauth import XeroApp, new_http
from airflow_xero.tokens import TokenStore

given = json.loads(sys.stdin.readline())
with new_http() as http:
    store = TokenStore(
        XeroApp(**given["app"]),
        connect=lambda: psycopg.connect(given["dsn"]),
        keys=given["keys"],
        http=http,
    )
    print("ready", flush=True)
    sys.stdin.readline()
    print(store.fresh(given["grant_id"], now=datetime.fromisoformat(given["now"])).value)
"""


@pytest.fixture
def grant_id(connected, warehouse) -> str:
    (row,) = warehouse.execute("select grant_id::text from xero_ops.grants").fetchall()
    return str(row[0])


@pytest.fixture
def xero(xero_sandbox, grant_id):
    """The sandbox with an empty log, and slow to refresh, so that the others must wait."""
    xero_sandbox.control("DELETE", "requests")
    rule = {"path": TOKEN_PATH, "kind": "slow", "seconds": 0.3, "times": 0}
    xero_sandbox.control("POST", "faults", rule)
    return xero_sandbox


def refreshes(sandbox: Any) -> list[int | None]:
    entries = sandbox.control("GET", "requests")
    return [entry["status"] for entry in entries if entry["path"] == TOKEN_PATH]


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=26)


@pytest.mark.parametrize("is_shared", [True, False], ids=["one store", "a store each"])
def test_threads_that_want_the_same_grant_refresh_it_once(
    is_shared, app, token_store, grant_id, xero, connect, keys, http
):
    barrier = threading.Barrier(4)
    values: list[str] = []

    def want() -> None:
        own = TokenStore(app, connect=connect, keys=keys, http=http)
        store = token_store if is_shared else own
        barrier.wait()
        values.append(store.fresh(grant_id, now=soon()).value)

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refreshes(xero) == [200]
    assert len(values) == 4
    assert len(set(values)) == 1


def test_threads_whose_token_was_refused_together_replace_it_once(token_store, grant_id, xero):
    refused = token_store.fresh(grant_id).value
    values: list[str] = []

    def want() -> None:
        values.append(token_store.fresh(grant_id, rejected=refused).value)

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refreshes(xero) == [200]
    assert len(set(values)) == 1
    assert refused not in values


def test_processes_that_want_the_same_grant_refresh_it_once(
    app, grant_id, xero, warehouse_dsn, keys
):
    given = {
        "app": vars(app),
        "dsn": warehouse_dsn,
        "keys": keys,
        "grant_id": grant_id,
        "now": soon().isoformat(),
    }
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=-1, stdout=-1, stderr=-1, text=True, bufsize=1
        )
        for _ in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdin
            worker.stdin.write(json.dumps(given) + "\n")
            worker.stdin.flush()
        for worker in workers:
            assert worker.stdout
            assert worker.stdout.readline() == "ready\n", worker.communicate()[1]
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        said = [worker.communicate(timeout=30) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()

    assert [worker.returncode for worker in workers] == [0, 0], said
    assert refreshes(xero) == [200]
    assert len({out for out, _ in said}) == 1


def test_grants_of_different_users_do_not_wait_for_each_other(
    consents, grant_id, warehouse, warehouse_dsn, token_store
):
    consents.run("kaito@example.com")
    ids = {
        email: str(grant_id)
        for grant_id, email in warehouse.execute(
            "select grant_id, user_email from xero_ops.grants"
        ).fetchall()
    }
    with psycopg.connect(warehouse_dsn) as holder:
        holder.execute(
            "select from xero_ops.grants where user_email = 'ava@example.com' for update"
        )

        assert token_store.fresh(ids["kaito@example.com"], now=soon()).value


def test_a_grant_that_is_held_for_ever_ends_as_a_busy_warehouse(
    app, grant_id, warehouse_dsn, keys, http
):
    def impatient() -> psycopg.Connection:
        # Shorter than the two minutes that the store grants.
        return psycopg.connect(warehouse_dsn, options="-c statement_timeout=200")

    store = TokenStore(app, connect=impatient, keys=keys, http=http)
    with psycopg.connect(warehouse_dsn) as holder:
        holder.execute("select from xero_ops.grants for update")
        with pytest.raises(WarehouseBusyError, match="Nothing is lost"):
            store.fresh(grant_id, now=soon())


def test_a_warehouse_that_is_gone_is_busy_and_shows_no_password(app, keys, http):
    def nowhere() -> psycopg.Connection:
        return psycopg.connect("host=127.0.0.1 port=9 user=ada password=hunter2 dbname=x")

    with pytest.raises(WarehouseBusyError) as busy:
        TokenStore(app, connect=nowhere, keys=keys, http=http).fresh("g", now=soon())

    assert "hunter2" not in str(busy.value)
