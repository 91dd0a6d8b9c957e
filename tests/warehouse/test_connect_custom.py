"""Custom Connections, which no user consents to; and the cap of an app's tier."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_xero.audit import Actor
from airflow_xero.connect import Cap, cap, reconcile, tenants_to_extract
from airflow_xero.connect_custom import connect_custom
from airflow_xero.errors import XeroSetupError
from airflow_xero.standing import status
from airflow_xero.tokens import TokenStore
from tests.warehouse.connections import KAURI, audit, count, names

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACTOR = Actor("root at the command line")


@pytest.fixture
def custom(app, xero_sandbox):
    kauri = xero_sandbox.organisations()[KAURI]
    xero_sandbox.control("POST", "app", {"custom_connection": kauri})
    return replace(app, is_custom=True)


@pytest.fixture
def custom_tokens(custom, connect, keys, http):
    return TokenStore(custom, connect=connect, keys=keys, http=http)


@pytest.fixture
def run(custom, custom_tokens, warehouse, http):
    def connect_it(app=custom, now=NOW):
        return connect_custom(
            app, warehouse=warehouse, tokens=custom_tokens, http=http, actor=ACTOR, now=now
        )

    return connect_it


def test_its_one_organisation_is_connected_and_can_be_extracted(run, warehouse):
    assert names(run()) == [KAURI]
    assert names(run()) == [KAURI]

    assert names(tenants_to_extract(warehouse, "xero_default")) == [KAURI]
    assert (count(warehouse, "grants"), count(warehouse, "connections")) == (1, 1)
    assert audit(warehouse) == [(ACTOR.name, "connect", "connected", KAURI, {})] * 2


def test_no_end_is_foretold_of_a_consent_that_nobody_gave(run, warehouse):
    run()

    (found,) = status(warehouse, "xero_default")
    assert (found.state, found.refreshed_at) == ("never_extracted", None)


def test_its_token_is_renewed_with_the_apps_credentials_alone(
    run, warehouse, custom, custom_tokens, http
):
    run()
    (tenant,) = tenants_to_extract(warehouse, "xero_default")
    first = custom_tokens.fresh(tenant.grant_id, now=NOW)

    second = custom_tokens.fresh(tenant.grant_id, now=NOW + timedelta(days=90))

    assert second.value != first.value
    answer = http.get(
        f"{custom.api_url}/api.xro/2.0/Accounts",
        headers={"Authorization": f"Bearer {second.value}", "Accept": "application/json"},
    )
    assert answer.is_success
    reconcile(
        custom, tenant.grant_id, warehouse=warehouse, tokens=custom_tokens, http=http, now=NOW
    )
    assert names(tenants_to_extract(warehouse, "xero_default")) == [KAURI]


def test_a_wrong_secret_and_a_scope_too_many_are_explained(run, custom, warehouse):
    with pytest.raises(XeroSetupError, match="client secret"):
        run(replace(custom, client_secret="wrong"))
    with pytest.raises(XeroSetupError, match="correct the scopes"):
        run(replace(custom, scopes=("no.such.scope",)))

    assert [entry[2].partition(":")[0] for entry in audit(warehouse)] == ["refused", "refused"]


def test_one_that_reaches_no_organisation_says_who_must_authorise(run, xero_sandbox, warehouse):
    nothing = {"path": "/connections", "kind": "status", "status": 200, "body": "[]"}
    xero_sandbox.control("POST", "faults", nothing)

    with pytest.raises(XeroSetupError, match="its owner must authorise it"):
        run()

    assert count(warehouse, "grants") == 0


def test_an_app_for_people_is_not_connected_by_its_credentials(run, app):
    with pytest.raises(XeroSetupError, match="choose custom as its kind"):
        run(app)


@pytest.mark.parametrize(
    ("tier", "allowed"),
    [("", None), ("starter", 5), ("core", 50), ("enterprise", None)],
)
def test_the_cap_counts_every_users_connections_that_xero_counts(
    app, consents, warehouse, tier, allowed
):
    consents.run()
    consents.run("kaito@example.com")
    one = "connection_id = (select min(connection_id::text)::uuid from xero_ops.connections)"
    warehouse.execute(f"update xero_ops.connections set disconnected_at = now() where {one}")

    # What is closed here alone counts at Xero until it is ended there.
    assert cap(warehouse, replace(app, tier=tier)) == Cap(3, allowed)
    warehouse.execute(f"update xero_ops.connections set ended_at_xero = now() where {one}")
    assert cap(warehouse, replace(app, tier=tier)) == Cap(2, allowed)


@pytest.mark.parametrize(
    ("used", "allowed", "is_reached"), [(4, 5, False), (5, 5, True), (6, 5, True), (9, None, False)]
)
def test_a_cap_is_reached_when_nothing_is_left(used, allowed, is_reached):
    assert Cap(used, allowed).is_reached == is_reached
