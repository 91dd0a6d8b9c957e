"""Disconnecting: at Xero first, then here; revoked only where it was the user's last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_xero.audit import Actor
from airflow_xero.disconnect import Disconnected, disconnect
from airflow_xero.errors import ConsentLostError, NotConnectedError, UnavailableError
from airflow_xero.standing import tenants_to_extract
from tests.warehouse.connections import AVA, BEACON, KAITO, KAURI, audit, grant_of, names
from tests.warehouse.grants import state_of

GRACE = Actor("grace", "192.0.2.7")


@pytest.fixture
def end(app, warehouse, token_store, http, xero_sandbox):
    """Disconnect an organisation by its name."""

    def run(name: str) -> Disconnected:
        return disconnect(
            app,
            xero_sandbox.organisations()[name],
            warehouse=warehouse,
            tokens=token_store,
            http=http,
            actor=GRACE,
            now=datetime.now(UTC),
        )

    return run


def asked(sandbox) -> list[tuple[str, str]]:
    """What changed something at Xero since the log was cleared."""
    return [
        (
            entry["method"],
            entry["path"].split("/")[-1] if "revoc" in entry["path"] else "connection",
        )
        for entry in sandbox.control("GET", "requests")
        if entry["method"] == "DELETE" or "revocation" in entry["path"]
    ]


def live_at_xero(sandbox, http, store, grant_id) -> int:
    token = store.fresh(grant_id).value
    listed = http.get(f"{sandbox.url}/connections", headers={"Authorization": f"Bearer {token}"})
    return len(listed.json())


def test_one_of_two_is_ended_at_xero_and_the_consent_lives_on_for_the_other(
    connected, end, xero_sandbox, warehouse, token_store, http
):
    xero_sandbox.control("DELETE", "requests")
    warehouse.execute("delete from xero_ops.audit_log")

    assert end(KAURI) == Disconnected(connections=1, left_at_xero=0, revoked=0)

    assert asked(xero_sandbox) == [("DELETE", "connection")]
    assert live_at_xero(xero_sandbox, http, token_store, grant_of(warehouse)) == 1
    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON]
    assert state_of(warehouse, grant_of(warehouse)) == ("active", None)
    assert audit(warehouse) == [
        (
            "grace",
            "disconnect",
            "disconnected",
            KAURI,
            {"connections": 1, "left_at_xero": 0, "revoked": 0},
        )
    ]
    assert warehouse.execute("select host(address) from xero_ops.audit_log").fetchall() == [
        ("192.0.2.7",)
    ]


def test_the_users_last_is_ended_first_and_then_the_consent_is_revoked_and_its_tokens_go(
    connected, end, xero_sandbox, warehouse
):
    end(KAURI)
    xero_sandbox.control("DELETE", "requests")

    assert end(BEACON) == Disconnected(connections=1, left_at_xero=0, revoked=1)

    assert asked(xero_sandbox) == [("DELETE", "connection"), ("POST", "revocation")]
    assert tenants_to_extract(warehouse, "xero_default") == []
    grant = warehouse.execute("select state, tokens from xero_ops.grants").fetchall()
    assert grant == [("revoked", b"")]


def test_an_organisation_of_two_users_is_ended_for_both_and_each_keeps_the_others(
    consents, end, xero_sandbox, warehouse
):
    kauri = xero_sandbox.organisations()[KAURI]
    both = {"email": KAITO, "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    consents.run(AVA)
    consents.run(KAITO)

    assert end(KAURI) == Disconnected(connections=2, left_at_xero=0, revoked=1)

    assert state_of(warehouse, grant_of(warehouse, AVA)) == ("active", None)
    assert state_of(warehouse, grant_of(warehouse, KAITO))[0] == "revoked"


def test_a_consent_stays_when_the_user_connected_something_that_is_not_known_here_yet(
    consents, end, xero_sandbox, warehouse
):
    ids = xero_sandbox.organisations()
    consents.run(organisations=[ids[KAURI]])
    # Allowed at Xero a moment ago; the browser is on its way back.
    journey = consents.walk(organisations=[ids[BEACON]])

    assert end(KAURI).revoked == 0

    assert names(consents.finish(journey)) == [BEACON]
    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON]


def test_nothing_changes_here_while_xero_does_not_answer(connected, end, xero_sandbox, warehouse):
    xero_sandbox.control("POST", "faults", {"path": "/connections", "kind": "offline", "times": 0})
    rule = {"path": "/connections/*", "method": "DELETE", "kind": "offline", "times": 0}
    xero_sandbox.control("POST", "faults", rule)

    with pytest.raises(UnavailableError):
        end(KAURI)

    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI]
    assert [entry[:3] for entry in audit(warehouse)][-1] == (
        "grace",
        "disconnect",
        "failed: UnavailableError",
    )


def test_a_lost_consent_is_ended_by_the_apps_own_token(
    connected, end, xero_sandbox, warehouse, token_store
):
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect', state_reason = 'lost'")
    xero_sandbox.control("DELETE", "requests")

    assert end(KAURI) == Disconnected(connections=1, left_at_xero=0, revoked=0)

    assert asked(xero_sandbox) == [("DELETE", "connection")]
    assert warehouse.execute(
        "select tenant_name from xero_ops.connections inner join xero_ops.tenants using (tenant_id)"
        " where disconnected_at is not null"
    ).fetchall() == [(KAURI,)]


def test_a_lost_consent_of_an_app_without_a_token_of_its_own_is_ended_here_and_said_so(
    connected, end, xero_sandbox, warehouse
):
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect', state_reason = 'lost'")
    rule = {"path": "/connect/token", "kind": "status", "status": 400, "times": 0}
    xero_sandbox.control("POST", "faults", rule)

    assert end(KAURI) == Disconnected(connections=1, left_at_xero=1, revoked=0)

    assert tenants_to_extract(warehouse, "xero_default") == []


def test_a_consent_that_the_user_took_back_is_found_out_and_ended_here(
    connected, end, xero_sandbox, warehouse, token_store
):
    xero_sandbox.control("POST", "revoke", {"email": AVA})
    with pytest.raises(ConsentLostError):
        token_store.fresh(grant_of(warehouse), now=datetime.now(UTC) + timedelta(hours=1))

    assert end(KAURI).connections == 1


def test_disconnecting_twice_says_that_it_is_done(connected, end, xero_sandbox):
    end(KAURI)

    with pytest.raises(NotConnectedError):
        end(KAURI)


def test_connecting_again_brings_it_back_with_a_new_consent(consents, end, warehouse):
    consents.run()
    end(KAURI)
    end(BEACON)

    consents.run()

    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI]
    assert state_of(warehouse, grant_of(warehouse)) == ("active", None)
