"""Organisations disconnected at Xero: who finds out, what is left out, what brings them back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_xero.connect import reconcile, status, tenants_to_extract
from airflow_xero.errors import UnavailableError
from tests.warehouse.connections import AVA, BEACON, KAITO, KAURI, audit, grant_of, names


@pytest.fixture
def check(app, warehouse, token_store, http):
    """Ask Xero what a user's grant still reaches."""

    def run(email: str = AVA) -> None:
        reconcile(
            app,
            grant_of(warehouse, email),
            warehouse=warehouse,
            tokens=token_store,
            http=http,
            now=datetime.now(UTC),
        )

    return run


def test_reconcile_leaves_out_an_organisation_that_was_disconnected_at_xero(
    connected, check, xero_sandbox, warehouse
):
    xero_sandbox.control("POST", "disconnect", {"tenantId": xero_sandbox.organisations()[KAURI]})
    warehouse.execute("delete from xero_ops.audit_log")

    check()
    check()

    assert {one.tenant_name: one.state for one in status(warehouse, "xero_default")} == {
        BEACON: "never_extracted",
        KAURI: "disconnected",
    }
    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON]
    assert audit(warehouse) == [("xero_daily", "connect", "disconnected at Xero", KAURI, {})]


def test_reconcile_changes_nothing_while_xero_lists_everything(connected, check, warehouse):
    before = (audit(warehouse), status(warehouse, "xero_default"))

    check()

    assert (audit(warehouse), status(warehouse, "xero_default")) == before


def test_reconcile_spares_what_the_user_connected_after_xero_was_asked(
    connected, xero_sandbox, app, token_store, http, warehouse
):
    xero_sandbox.control("POST", "disconnect", {"tenantId": xero_sandbox.organisations()[KAURI]})
    asked_at = datetime.now(UTC) - timedelta(hours=1)

    reconcile(
        app,
        grant_of(warehouse, AVA),
        warehouse=warehouse,
        tokens=token_store,
        http=http,
        now=asked_at,
    )

    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI]


def test_reconcile_changes_nothing_when_xero_cannot_answer(
    connected, check, xero_sandbox, warehouse
):
    xero_sandbox.control("POST", "faults", {"path": "/connections", "kind": "offline"})

    with pytest.raises(UnavailableError):
        check()

    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI]


def test_reconcile_leaves_the_other_users_connection_alone(
    consents, check, xero_sandbox, warehouse
):
    kauri = xero_sandbox.organisations()[KAURI]
    both = {"email": KAITO, "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    consents.run(AVA)
    consents.run(KAITO)
    # Ava lost the organisation within Xero, Kaito did not.
    ava = {"email": AVA, "name": "Ava Ngata", "organisations": []}
    xero_sandbox.control("POST", "users", ava)

    check(AVA)

    (tenant,) = tenants_to_extract(warehouse, "xero_default")
    assert (tenant.tenant_name, tenant.grant_id) == (KAURI, grant_of(warehouse, KAITO))


def test_connecting_again_brings_a_disconnected_organisation_back(
    consents, check, xero_sandbox, warehouse
):
    consents.run()
    (before,) = [one for one in status(warehouse, "xero_default") if one.tenant_name == KAURI]
    xero_sandbox.control("POST", "disconnect", {"tenantId": before.tenant_id})
    check()

    consents.run()

    (after,) = [one for one in status(warehouse, "xero_default") if one.tenant_name == KAURI]
    assert after.state == "never_extracted"
    assert after.connected_at > before.connected_at
    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI]


def test_a_consent_brings_the_users_lost_organisations_up_to_date_too(
    consents, xero_sandbox, warehouse
):
    ids = xero_sandbox.organisations()
    consents.run()
    xero_sandbox.control("POST", "disconnect", {"tenantId": ids[KAURI]})

    consents.run(organisations=[ids[BEACON]], started_by="grace")

    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON]
    assert ("grace", "connect", "disconnected at Xero", KAURI, {}) in audit(warehouse)
