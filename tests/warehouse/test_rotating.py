"""Keys are rotated while everything runs: no consent is lost, none is left under the old key."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from cryptography.fernet import Fernet

from airflow_xero.errors import XeroBusyError, XeroSetupError
from airflow_xero.retry import XeroRetryPolicy
from airflow_xero.sealing import cipher_of
from airflow_xero.tokens import TokenStore
from tests.warehouse.connections import AVA, BEACON, KAITO, grant_of, names
from tests.warehouse.grants import another, later


@pytest.fixture
def new_key() -> str:
    return Fernet.generate_key().decode()


def sealed(warehouse: psycopg.Connection) -> list[bytes]:
    rows = warehouse.execute("select tokens from xero_ops.grants order by grant_id").fetchall()
    return [bytes(row[0]) for row in rows]


def test_a_second_rotation_finds_nothing_to_do_and_writes_nothing(
    connected, token_store, connect, http, keys, new_key, warehouse
):
    assert another(token_store, connect, http, [new_key, *keys]).rotate_keys() == 1
    before = sealed(warehouse)

    assert another(token_store, connect, http, [new_key, *keys]).rotate_keys() == 0

    assert sealed(warehouse) == before


def test_tasks_that_refresh_meanwhile_lose_no_consent(
    app, consents, connect, http, keys, new_key, warehouse, xero_sandbox
):
    """Four workers refresh two grants at every call while the keys are rotated to and fro."""
    consents.run(AVA)
    consents.run(KAITO)
    grants = [grant_of(warehouse, email) for email in (AVA, KAITO)]
    orders = [[new_key, *keys], [*keys, new_key]]
    ended, failures, refreshed = threading.Event(), list[BaseException](), list[str]()

    def work(place: int) -> None:
        moment = datetime.now(UTC)
        store = TokenStore(app, connect=connect, keys=orders[place % 2], http=http)
        try:
            while not ended.is_set():
                moment += timedelta(hours=1)
                refreshed.append(store.fresh(grants[place % 2], now=moment).value)
        except Exception as error:  # noqa: BLE001 -- a thread must not hide what it met
            failures.append(error)

    workers = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for worker in workers:
        worker.start()
    for turn in range(12):
        TokenStore(app, connect=connect, keys=orders[turn % 2], http=http).rotate_keys()
    ended.set()
    for worker in workers:
        worker.join()
    final = TokenStore(app, connect=connect, keys=[new_key, *keys], http=http)
    final.rotate_keys()

    assert failures == []
    assert len(refreshed) >= 8
    only_new = TokenStore(app, connect=connect, keys=[new_key], http=http)
    for grant_id in grants:
        assert only_new.fresh(grant_id, now=datetime.now(UTC) + timedelta(days=9)).value
    assert {row[0] for row in warehouse.execute("select state from xero_ops.grants")} == {"active"}


def test_a_task_that_only_has_the_old_key_is_tried_again_rather_than_failed(
    connected, token_store, connect, http, keys, new_key, warehouse
):
    grant_id = grant_of(warehouse)
    running = another(token_store, connect, http, keys)
    assert running.fresh(grant_id).value
    another(token_store, connect, http, [new_key, *keys]).rotate_keys()

    with pytest.raises(XeroBusyError, match="rotated while this process ran") as rotated:
        running.fresh(grant_id, now=later(26))

    assert XeroRetryPolicy().evaluate(rotated.value, 1, 3).action.name == "RETRY"
    # The next try is a new process, with the environment of its worker.
    assert another(token_store, connect, http, [new_key]).fresh(grant_id, now=later(26)).value


def test_a_refresh_under_way_holds_up_its_own_grant_alone(
    app, consents, connect, http, keys, new_key, warehouse
):
    consents.run(AVA)
    consents.run(KAITO)
    ava, kaito = (grant_of(warehouse, email) for email in (AVA, KAITO))
    rotating = threading.Thread(
        target=TokenStore(app, connect=connect, keys=[new_key, *keys], http=http).rotate_keys
    )
    first, second = sorted((ava, kaito))
    with connect() as worker:
        worker.execute("select 1 from xero_ops.grants where grant_id = %s for update", (second,))
        rotating.start()
        store = TokenStore(app, connect=connect, keys=[new_key, *keys], http=http)

        # The one before it was rotated already, and is nobody's meanwhile.
        assert store.fresh(first, now=later(26)).value
        assert rotating.is_alive()
    rotating.join(10)

    assert TokenStore(app, connect=connect, keys=[new_key], http=http).fresh(second).value


def test_a_consent_under_way_survives_the_rotation(
    consents, token_store, connect, http, keys, new_key, xero_sandbox, warehouse
):
    journey = consents.walk(organisations=[xero_sandbox.organisations()[BEACON]])
    another(token_store, connect, http, [new_key, *keys]).rotate_keys()

    consents.tokens = another(token_store, connect, http, [new_key])
    assert names(consents.finish(journey)) == [BEACON]


def test_one_grant_that_no_key_opens_does_not_keep_the_others_from_being_rotated(
    consents, token_store, connect, http, keys, new_key, warehouse
):
    consents.run(AVA)
    consents.run(KAITO)
    lost = cipher_of([Fernet.generate_key().decode()]).encrypt(b"{}")
    warehouse.execute("update xero_ops.grants set tokens = %s where user_email = %s", (lost, AVA))

    with pytest.raises(XeroSetupError, match="No key in XERO_TOKEN_KEYS"):
        another(token_store, connect, http, [new_key, *keys]).rotate_keys()

    assert another(token_store, connect, http, [new_key]).fresh(grant_of(warehouse, KAITO)).value


def test_a_revoked_grant_has_nothing_to_rotate(
    connected, token_store, connect, http, keys, new_key, warehouse
):
    warehouse.execute("update xero_ops.grants set state = 'revoked', tokens = ''")

    assert another(token_store, connect, http, [new_key, *keys]).rotate_keys() == 0
