"""Grants in Postgres: the keys that encrypt them, and what is never shown."""

from __future__ import annotations

import base64
import logging
import re
import traceback
from dataclasses import replace

import psycopg
import pytest
from cryptography.fernet import Fernet

from airflow_xero.errors import ConsentLostError, XeroSetupError
from airflow_xero.identity import XeroUser
from airflow_xero.oauth import TokenSet
from airflow_xero.tokens import AccessToken, TokenStore, cipher_of
from tests.warehouse.grants import another, later, state_of


@pytest.fixture
def xero(xero_sandbox, grant_id):
    """The sandbox with an empty log, once the grant is there."""
    xero_sandbox.control("DELETE", "requests")
    return xero_sandbox


# --- Keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [[], [""], ["not-a-key"], [Fernet.generate_key().decode()[:-2]]])
def test_a_missing_or_malformed_key_names_the_variable_and_quotes_nothing(keys):
    with pytest.raises(XeroSetupError, match="XERO_TOKEN_KEYS") as refused:
        cipher_of(keys)

    shown = "".join(traceback.format_exception(refused.value))
    assert not any(key and key in shown for key in keys)


def test_a_key_with_spaces_around_it_is_accepted(keys):
    sealed = cipher_of(keys).encrypt(b"secret")

    assert cipher_of([f" {keys[0]} \n"]).decrypt(sealed) == b"secret"


def test_another_key_than_the_one_that_encrypted_names_the_variable(
    token_store, grant_id, connect, http, warehouse
):
    foreign = another(token_store, connect, http, [Fernet.generate_key().decode()])

    for question in (lambda: foreign.fresh(grant_id), foreign.rotate_keys):
        with pytest.raises(XeroSetupError, match="XERO_TOKEN_KEYS"):
            question()

    assert state_of(warehouse, grant_id) == ("active", None)


def test_rotating_keys_encrypts_every_grant_anew_of_other_connections_too(
    app, token_store, grant_id, connect, http, keys, warehouse
):
    tokens = TokenSet("access-2", "refresh-2", None, later(30), ())
    second = TokenStore(replace(app, conn_id="xero_second"), connect=connect, keys=keys, http=http)
    user = XeroUser("11111111-1111-1111-1111-111111111111")
    second_id = second.save(user, tokens, connected_by="ada")
    value = token_store.fresh(grant_id).value
    new_key = Fernet.generate_key().decode()

    assert another(token_store, connect, http, [new_key, *keys]).rotate_keys() == 2

    only_new = another(token_store, connect, http, [new_key])
    assert only_new.fresh(grant_id).value == value
    second_new = TokenStore(second._app, connect=connect, keys=[new_key], http=http)
    assert second_new.fresh(second_id).value == "access-2"
    with pytest.raises(XeroSetupError):
        another(token_store, connect, http, keys).fresh(grant_id)


def test_the_way_back_survives_a_rotation_of_keys(token_store, grant_id, xero, connect, http, keys):
    token_store.fresh(grant_id, now=later(26))
    new_key = Fernet.generate_key().decode()
    another(token_store, connect, http, [new_key, *keys]).rotate_keys()
    xero.control("POST", "faults", {"kind": "refused_refresh"})

    assert another(token_store, connect, http, [new_key]).fresh(grant_id, now=later(53)).value


# --- Secrets ------------------------------------------------------------------------------------


def everything_in(connection: psycopg.Connection) -> bytes:
    """All rows of xero_ops as text, and every bytea as its bytes, decoded where it is base64."""
    tables = connection.execute(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables"
        " where table_schema = 'xero_ops'"
    ).fetchall()
    assert ("xero_ops.grants",) in tables
    found = b""
    for (table,) in tables:
        for row in connection.execute(f"select * from {table}").fetchall():
            for value in row:
                raw = bytes(value) if isinstance(value, bytes | memoryview) else b""
                found += str(row).encode() + raw
                if re.fullmatch(rb"[\w=-]+", raw):
                    found += base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    return found


def test_no_token_state_cookie_or_verifier_can_be_read_in_postgres(
    app, consents, warehouse, connect, http, keys
):
    secrets: list[str] = []
    consents.tokens = another(consents.tokens, connect, http, keys, on_secret=secrets.extend)
    finished = consents.walk()
    consents.finish(finished)
    under_way = consents.walk()
    (row,) = warehouse.execute("select grant_id::text from xero_ops.grants").fetchall()
    consents.tokens.fresh(row[0], now=later(26))
    (sealed,) = warehouse.execute("select code_verifier from xero_ops.authorisations").fetchone()
    secrets += [
        cipher_of(keys).decrypt(sealed).decode(),
        *(finished.state, finished.code, finished.browser_cookie),
        *(under_way.state, under_way.browser_cookie),
        *(app.client_secret, keys[0]),
    ]

    stored = everything_in(warehouse)

    assert len(set(secrets)) == 4 + 8
    assert not [secret for secret in secrets if secret.encode() in stored]


def test_every_token_is_told_for_masking_and_none_is_shown(
    app, token_store, grant_id, xero, connect, http, keys, caplog
):
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    store = another(token_store, connect, http, keys, on_secret=told.extend)
    tokens = [store.fresh(grant_id), store.fresh(grant_id, now=later(26))]
    xero.control("POST", "revoke", {"email": "ava@example.com"})
    with pytest.raises(ConsentLostError) as lost:
        store.fresh(grant_id, now=later(60))

    assert {token.value for token in tokens} < set(told)
    shown = f"{tokens!r} {tokens[0]} {store!r} {store} {vars(store)!r} {caplog.text}"
    shown += "".join(traceback.format_exception(lost.value))
    secrets = {*told, *keys, app.client_secret}
    assert not [secret for secret in secrets if secret in shown]


def test_an_access_token_has_no_repr():
    assert "s3cret" not in repr(AccessToken("g", "s3cret", later(30)))
