"""Consents from begin to finish: who may complete one, what is stored, what is audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from airflow_xero import connect as consent
from airflow_xero.app_connections import Connection
from airflow_xero.connect import Connected, status, tenants_to_extract
from airflow_xero.errors import (
    ConsentLostError,
    ConsentRefusedError,
)
from airflow_xero.reaching import Reached, require_some, sorted_out
from tests.warehouse.conftest import Consents
from tests.warehouse.connections import (
    AVA,
    BEACON,
    KAITO,
    KAURI,
    STUDIO,
    audit,
    count,
    grant_of,
    names,
)


def test_a_consent_stores_its_organisations_with_their_names_as_they_are(consents, warehouse):
    assert names(consents.run(AVA)) == [BEACON, KAURI]
    assert names(consents.run(KAITO)) == [STUDIO]

    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI, STUDIO]


def test_what_is_connected_is_known_under_its_own_airflow_connection_only(connected, warehouse):
    assert tenants_to_extract(warehouse, "xero_second") == []
    assert status(warehouse, "xero_second") == []


def test_a_consent_is_audited_per_organisation_under_the_airflow_user(consents, warehouse):
    consents.run(started_by="grace")

    assert sorted(audit(warehouse)) == [
        ("grace", "connect", "connected", BEACON, {}),
        ("grace", "connect", "connected", KAURI, {}),
    ]


def test_a_consent_of_one_organisation_reaches_that_one_only(consents, xero_sandbox, warehouse):
    kauri = xero_sandbox.organisations()[KAURI]

    connected = consents.run(organisations=[kauri])

    assert connected == [Connected(kauri, KAURI)]
    assert names(tenants_to_extract(warehouse, "xero_default")) == [KAURI]


def test_a_second_consent_names_its_own_organisation_and_keeps_the_first(
    consents, xero_sandbox, warehouse
):
    ids = xero_sandbox.organisations()
    consents.run(organisations=[ids[KAURI]])

    assert names(consents.run(organisations=[ids[BEACON]])) == [BEACON]
    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI]
    assert count(warehouse, "grants") == 1


def test_a_consent_leaves_alone_what_its_user_connected_elsewhere_and_names_it(
    consents, xero_sandbox, warehouse
):
    ids = xero_sandbox.organisations()
    # Allowed at Xero for another program of the same app: nothing here ever heard of it.
    consents.walk(organisations=[ids[BEACON]])

    finished = consents.complete(consents.walk(organisations=[ids[KAURI]]))

    assert (names(finished.connected), finished.not_connected) == ([KAURI], [BEACON])
    assert names(tenants_to_extract(warehouse, "xero_default")) == [KAURI]
    assert (count(warehouse, "tenants"), count(warehouse, "connections")) == (1, 1)
    assert [entry[3] for entry in audit(warehouse)] == [KAURI]


def test_what_was_left_alone_is_connected_once_it_is_chosen(consents, xero_sandbox, warehouse):
    ids = xero_sandbox.organisations()
    consents.walk(organisations=[ids[BEACON]])
    consents.run(organisations=[ids[KAURI]])

    finished = consents.complete(consents.walk(organisations=[ids[BEACON]]))

    assert (names(finished.connected), finished.not_connected) == ([BEACON], [])
    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI]


def test_of_two_windows_that_choose_the_same_the_later_connects_it(consents: Consents, warehouse):
    earlier, later = consents.walk(), consents.walk()

    with pytest.raises(ConsentRefusedError, match="in another window meanwhile, go on there"):
        consents.finish(earlier)
    assert (count(warehouse, "connections"), count(warehouse, "grants")) == (0, 0)
    assert names(consents.finish(later)) == [BEACON, KAURI]


def test_a_window_that_was_overtaken_says_what_is_connected(consents: Consents, warehouse):
    earlier, later = consents.walk(), consents.walk()
    consents.finish(later)
    warehouse.execute("delete from xero_ops.audit_log")

    assert names(consents.finish(earlier)) == [BEACON, KAURI]
    assert count(warehouse, "connections") == 2
    # It connected nothing, but the tokens that are kept are its own.
    assert sorted(audit(warehouse)) == [
        ("ada", "connect", "renewed", BEACON, {}),
        ("ada", "connect", "renewed", KAURI, {}),
    ]


def test_without_an_event_of_xeros_nothing_counts_as_chosen(connected, consents, warehouse):
    listed = [
        Connection(connection_id, "e", tenant_id, "ORGANISATION", "One")
        for connection_id, tenant_id in [
            *warehouse.execute(
                "select connection_id::text, tenant_id::text from xero_ops.connections limit 1"
            ).fetchall(),
            (str(uuid4()), str(uuid4())),
        ]
    ]

    reached = sorted_out(warehouse, listed, conn_id="xero_default", auth_event_id=None)

    assert (reached.chosen, reached.kept, reached.others) == ([], listed[:1], listed[1:])
    assert sorted_out(warehouse, listed, conn_id="other", auth_event_id=None).others == listed
    with pytest.raises(ConsentRefusedError, match="under Connected apps"):
        require_some(Reached([], [], listed[1:]))


def test_a_connection_stays_with_who_made_it_when_its_user_connects_another(
    consents, xero_sandbox, warehouse
):
    ids = xero_sandbox.organisations()
    consents.run(organisations=[ids[KAURI]], started_by="ana")

    consents.run(organisations=[ids[BEACON]], started_by="ben")

    told = {one.tenant_name: one.connected_by for one in status(warehouse, "xero_default")}
    assert told == {KAURI: "ana", BEACON: "ben"}
    assert {one.user_name for one in status(warehouse, "xero_default")} == {"Ava Ngata"}


def test_a_second_consent_brings_the_new_name_and_keeps_the_first_day(
    consents, xero_sandbox, warehouse
):
    consents.run()
    before = warehouse.execute("select min(first_connected_at) from xero_ops.tenants").fetchone()
    kauri = xero_sandbox.organisations()[KAURI]
    # Nobody can rename an organisation through the control door.
    plans = xero_sandbox.world.plans
    plans[kauri] = replace(plans[kauri], name="Tōtara 'Coffee'; drop table")

    consents.run()

    assert names(tenants_to_extract(warehouse, "xero_default")) == [
        BEACON,
        "Tōtara 'Coffee'; drop table",
    ]
    after = warehouse.execute("select min(first_connected_at) from xero_ops.tenants").fetchone()
    assert after == before
    assert count(warehouse, "tenants") == count(warehouse, "connections") == 2


def test_two_users_with_the_same_organisation_make_one_extraction_of_it(
    consents, xero_sandbox, warehouse
):
    ids = xero_sandbox.organisations()
    both = {"email": KAITO, "name": "Kaito Mori", "organisations": [ids[KAURI], ids[STUDIO]]}
    xero_sandbox.control("POST", "users", both)
    consents.run(AVA)
    consents.run(KAITO)

    assert names(tenants_to_extract(warehouse, "xero_default")) == [BEACON, KAURI, STUDIO]
    assert (count(warehouse, "tenants"), count(warehouse, "connections")) == (3, 4)
    assert len(status(warehouse, "xero_default")) == 3


def test_the_other_user_takes_over_when_the_first_consent_is_lost(
    consents, xero_sandbox, warehouse, token_store
):
    ids = xero_sandbox.organisations()
    both = {"email": KAITO, "name": "Kaito Mori", "organisations": [ids[KAURI]]}
    xero_sandbox.control("POST", "users", both)
    consents.run(KAITO)
    consents.run(AVA)
    xero_sandbox.control("POST", "revoke", {"email": AVA})
    with pytest.raises(ConsentLostError):
        token_store.fresh(grant_of(warehouse), now=datetime.now(UTC) + timedelta(hours=1))

    (tenant,) = tenants_to_extract(warehouse, "xero_default")

    assert (tenant.tenant_name, tenant.grant_id) == (KAURI, grant_of(warehouse, KAITO))
    assert names(consent.skipped_tenants(warehouse, "xero_default")) == [BEACON]
