"""Grants in Postgres: what is refreshed, when it is saved, and what ends a consent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from airflow_xero.errors import (
    ConsentLostError,
    NotConnectedError,
    UnavailableError,
    UnexpectedPayloadError,
    WarehouseBusyError,
    XeroSetupError,
)
from airflow_xero.identity import XeroUser
from airflow_xero.oauth import TokenSet
from airflow_xero.tokens import TokenStore
from tests.warehouse.conftest import Consents
from tests.warehouse.grants import TOKEN_PATH, another, later, refreshes, state_of


@pytest.fixture
def xero(xero_sandbox, grant_id):
    """The sandbox with an empty log, once the grant is there."""
    xero_sandbox.control("DELETE", "requests")
    return xero_sandbox


# --- When a token is refreshed ----------------------------------------------------------------


def test_a_token_with_more_than_five_minutes_left_is_used_as_it_is(token_store, grant_id, xero):
    first = token_store.fresh(grant_id)

    assert token_store.fresh(grant_id, now=later(24)) == first
    assert refreshes(xero) == []


def test_a_token_with_less_than_five_minutes_left_is_refreshed_once(token_store, grant_id, xero):
    first = token_store.fresh(grant_id)

    renewed = token_store.fresh(grant_id, now=later(26))

    assert renewed.value != first.value
    assert renewed.expires_at > first.expires_at
    assert token_store.fresh(grant_id, now=later(26)) == renewed
    assert refreshes(xero) == [200]


def test_a_token_that_xero_refused_is_replaced_although_it_looks_alive(token_store, grant_id, xero):
    refused = token_store.fresh(grant_id)

    renewed = token_store.fresh(grant_id, rejected=refused.value)

    assert renewed.value != refused.value
    assert refreshes(xero) == [200]


def test_a_refused_token_that_someone_else_replaced_is_not_replaced_again(
    token_store, grant_id, xero, connect, http, keys
):
    refused = token_store.fresh(grant_id)
    renewed = another(token_store, connect, http, keys).fresh(grant_id, rejected=refused.value)

    assert token_store.fresh(grant_id, rejected=refused.value) == renewed
    assert refreshes(xero) == [200]


def test_a_saved_consent_is_used_at_once_instead_of_the_one_remembered(
    token_store, grant_id, consents
):
    before = token_store.fresh(grant_id)
    consents.run()

    assert token_store.fresh(grant_id).value != before.value


def test_a_grant_nobody_knows_is_not_connected(token_store, warehouse):
    with pytest.raises(NotConnectedError, match="press Connect to Xero"):
        token_store.fresh("99999999-9999-9999-9999-999999999999")


def test_a_grant_of_another_airflow_connection_is_not_given_out(app, grant_id, connect, http, keys):
    other = TokenStore(replace(app, conn_id="xero_second"), connect=connect, keys=keys, http=http)

    with pytest.raises(NotConnectedError):
        other.fresh(grant_id)


def test_a_revoked_grant_is_not_given_out(token_store, grant_id, warehouse, xero):
    warehouse.execute("update xero_ops.grants set state = 'revoked'")

    with pytest.raises(NotConnectedError):
        token_store.fresh(grant_id)
    assert refreshes(xero) == []


# --- Saved before used ------------------------------------------------------------------------


class Crash(BaseException):
    """The process ends here."""


def test_refresh_token_is_saved_before_it_is_used(token_store, grant_id, xero, connect, http, keys):
    renewed = token_store.fresh(grant_id, now=later(26))

    seen = another(token_store, connect, http, keys).fresh(grant_id, now=later(26))

    assert seen == renewed
    assert refreshes(xero) == [200]


def test_no_token_is_returned_when_it_could_not_be_committed(
    token_store, grant_id, xero, warehouse
):
    before = token_store.fresh(grant_id)
    warehouse.execute(
        "create function refuse() returns trigger language plpgsql"
        " as $$ begin raise sqlstate '53100'; end $$"
    )
    warehouse.execute(
        "create constraint trigger refuse after update on xero_ops.grants"
        " deferrable initially deferred for each row execute function refuse()"
    )

    with pytest.raises(WarehouseBusyError):
        token_store.fresh(grant_id, now=later(26))
    warehouse.execute("drop trigger refuse on xero_ops.grants")

    # Nobody has the token that was lost, and Xero still takes the one before it.
    assert token_store.fresh(grant_id, now=later(26)).value != before.value
    assert refreshes(xero) == [200, 200]


def test_a_crash_between_refresh_and_commit_loses_nothing(
    token_store, grant_id, xero, connect, http, keys
):
    told: list[str] = []

    def crash_on_the_new_tokens(secrets: Sequence[str]) -> None:
        told.extend(secrets)
        if len(told) > 2:
            raise Crash

    crashing = another(token_store, connect, http, keys, on_secret=crash_on_the_new_tokens)
    with pytest.raises(Crash):
        crashing.fresh(grant_id, now=later(26))

    assert token_store.fresh(grant_id, now=later(26)).value not in told
    assert refreshes(xero) == [200, 200]


def test_a_token_is_looked_up_over_an_idle_connection_and_renewed_there(
    token_store, grant_id, connect, http, keys, xero
):
    def refuse_to_open() -> psycopg.Connection[Any]:
        raise Crash

    store = another(token_store, refuse_to_open, http, keys)
    with connect() as connection:
        token = store.fresh(grant_id, now=later(26), over=connection)
    assert store.fresh(grant_id, now=later(26)) == token
    assert another(token_store, connect, http, keys).fresh(grant_id, now=later(26)) == token
    assert refreshes(xero) == [200]


def test_no_token_is_renewed_within_the_transaction_of_somebody_else(
    token_store, grant_id, connect, xero
):
    with connect() as connection:
        connection.execute("select 1")
        with pytest.raises(ValueError, match="inside a transaction"):
            token_store.fresh(grant_id, now=later(26), over=connection)
    assert refreshes(xero) == []


def test_the_next_try_works_when_the_answer_was_lost_after_the_rotation(
    token_store, grant_id, xero, warehouse
):
    xero.control("POST", "faults", {"kind": "refresh_answer_lost"})

    with pytest.raises(UnavailableError):
        token_store.fresh(grant_id, now=later(26))

    assert state_of(warehouse, grant_id) == ("active", None)
    assert token_store.fresh(grant_id, now=later(26)).value
    assert refreshes(xero) == [None, 200]


def test_the_previous_refresh_token_is_the_way_back_for_thirty_minutes(
    token_store, grant_id, xero, warehouse
):
    token_store.fresh(grant_id, now=later(26))
    xero.control("POST", "faults", {"kind": "refused_refresh"})

    assert token_store.fresh(grant_id, now=later(26 + 27)).value
    assert refreshes(xero) == [200, 400, 200]
    assert state_of(warehouse, grant_id) == ("active", None)


def test_after_thirty_minutes_there_is_no_way_back(token_store, grant_id, xero, warehouse):
    token_store.fresh(grant_id, now=later(26))
    xero.control("POST", "faults", {"kind": "refused_refresh"})

    with pytest.raises(ConsentLostError):
        token_store.fresh(grant_id, now=later(26 + 31))
    assert refreshes(xero) == [200, 400]


@pytest.mark.parametrize("kind", ["drop", "offline", "not_json"])
def test_a_passing_fault_of_xero_costs_no_consent(kind, token_store, grant_id, xero, warehouse):
    xero.control("POST", "faults", {"path": TOKEN_PATH, "kind": kind})

    with pytest.raises((UnavailableError, UnexpectedPayloadError), match=r"Xero|reached"):
        token_store.fresh(grant_id, now=later(26))

    assert state_of(warehouse, grant_id) == ("active", None)
    assert token_store.fresh(grant_id, now=later(26)).value


def test_wrong_credentials_of_the_app_cost_no_consent(
    app, token_store, grant_id, connect, http, keys, warehouse
):
    wrong = TokenStore(replace(app, client_secret="wrong"), connect=connect, keys=keys, http=http)

    with pytest.raises(XeroSetupError, match="client id and client secret"):
        wrong.fresh(grant_id, now=later(26))

    assert state_of(warehouse, grant_id) == ("active", None)


# --- A consent that is lost ---------------------------------------------------------------------


def test_a_refused_refresh_is_committed_before_it_is_raised_and_never_asked_again(
    token_store, grant_id, xero, warehouse
):
    xero.control("POST", "revoke", {"email": "ava@example.com"})

    for _ in range(2):
        with pytest.raises(ConsentLostError, match="press Connect to Xero again") as lost:
            token_store.fresh(grant_id, now=later(26))

    assert state_of(warehouse, grant_id) == ("needs_reconnect", lost.value.message)
    assert refreshes(xero) == [400]


def test_connecting_again_makes_a_lost_grant_active(
    token_store, grant_id, xero, warehouse, consents: Consents
):
    xero.control("POST", "revoke", {"email": "ava@example.com"})
    with pytest.raises(ConsentLostError):
        token_store.fresh(grant_id, now=later(26))

    consents.run(started_by="bob")

    assert state_of(warehouse, grant_id) == ("active", None)
    assert token_store.fresh(grant_id).value
    rows = warehouse.execute("select grant_id::text, connected_by from xero_ops.grants").fetchall()
    assert rows == [(grant_id, "bob")]


def test_a_later_consent_without_name_keeps_the_name_known(token_store, grant_id, warehouse):
    (user_id,) = warehouse.execute("select xero_user_id::text from xero_ops.grants").fetchone()
    tokens = TokenSet("access", "refresh", None, later(30), ("openid",))

    assert token_store.save(XeroUser(user_id), tokens, connected_by="ada") == grant_id

    rows = warehouse.execute("select user_name, user_email, scopes from xero_ops.grants")
    assert rows.fetchall() == [("Ava Ngata", "ava@example.com", ["openid"])]
