"""Consents from begin to finish: who may complete one, what is stored, what is audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet

from airflow_xero import connect as consent
from airflow_xero.connect import Connected, begin, reconcile, status, tenants_to_extract
from airflow_xero.errors import (
    ConsentLostError,
    UnavailableError,
    XeroSetupError,
)
from airflow_xero.tokens import TokenStore
from tests.warehouse.conftest import Consents, Journey

KAURI = "Kauri Coffee Roasters"
BEACON = "Beacon & Sons <Joinery>"
STUDIO = "Måne Studio 🌙"
AVA, KAITO = "ava@example.com", "kaito@example.com"


def names(organisations: list[Any]) -> list[str]:
    return [organisation.tenant_name for organisation in organisations]


def audit(warehouse: psycopg.Connection) -> list[tuple[Any, ...]]:
    return warehouse.execute(
        "select actor, action, outcome, tenant_name, detail"
        " from xero_ops.audit_log left join xero_ops.tenants using (tenant_id) order by entry_id"
    ).fetchall()


def count(warehouse: psycopg.Connection, table: str) -> int:
    (row,) = warehouse.execute(f"select count(*) from xero_ops.{table}").fetchall()
    return int(row[0])


def grant_of(warehouse: psycopg.Connection, email: str = AVA) -> str:
    (row,) = warehouse.execute(
        "select grant_id::text from xero_ops.grants where user_email = %s", (email,)
    ).fetchall()
    return str(row[0])


# --- What a consent stores ----------------------------------------------------------------------


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


# --- Who may complete a consent ------------------------------------------------------------------


def test_a_state_works_once(consents: Consents, warehouse):
    journey = consents.walk()
    consents.finish(journey)

    with pytest.raises(XeroSetupError, match="unknown or was used already"):
        consents.finish(journey)


def test_a_state_that_nobody_began_is_refused(consents: Consents, warehouse):
    with pytest.raises(XeroSetupError, match="press Connect to Xero again"):
        consents.finish(Journey("made-up", "code", "cookie"))

    assert count(warehouse, "grants") == 0


@pytest.mark.parametrize("cookie", ["", "another browser's", "ünïcode"])
def test_a_foreign_browser_is_refused_and_spends_the_state(cookie, consents: Consents, warehouse):
    journey = consents.walk()

    with pytest.raises(XeroSetupError, match="another browser"):
        consents.finish(replace(journey, browser_cookie=cookie))
    with pytest.raises(XeroSetupError, match="unknown"):
        consents.finish(journey)

    assert count(warehouse, "grants") == 0


def test_the_cookie_of_another_consent_of_the_same_user_is_refused(consents: Consents):
    first, second = consents.walk(), consents.walk()

    with pytest.raises(XeroSetupError, match="another browser"):
        consents.finish(replace(first, browser_cookie=second.browser_cookie))

    assert names(consents.finish(second)) == [BEACON, KAURI]


def test_the_state_of_another_airflow_connection_is_refused_and_not_spent(consents: Consents, app):
    journey = consents.walk()
    consents.app = replace(app, conn_id="xero_second")
    with pytest.raises(XeroSetupError, match="unknown"):
        consents.finish(journey)

    consents.app = app
    assert names(consents.finish(journey)) == [BEACON, KAURI]


@pytest.mark.parametrize(("minutes", "is_late"), [(9.9, False), (10, False), (10.1, True)])
def test_a_consent_may_take_ten_minutes(minutes, is_late, consents: Consents, warehouse):
    begun_at = datetime.now(UTC)
    journey = consents.walk(now=begun_at)
    now = begun_at + timedelta(minutes=minutes)

    if is_late:
        with pytest.raises(XeroSetupError, match="longer than ten minutes"):
            consents.finish(journey, now=now)
    else:
        consents.finish(journey, now=now)

    assert count(warehouse, "grants") == (0 if is_late else 1)


def test_consents_that_nobody_finished_are_cleared_by_the_next(app, warehouse, keys):
    first = datetime.now(UTC)
    for minutes in (0, 5, 12):
        now = first + timedelta(minutes=minutes)
        begin(app, warehouse=warehouse, keys=keys, started_by="ada", now=now)

    assert count(warehouse, "authorisations") == 2


def test_every_consent_has_a_state_challenge_and_cookie_of_its_own_and_shows_none(
    app, warehouse, keys
):
    now = datetime.now(UTC)
    begun = [
        begin(app, warehouse=warehouse, keys=keys, started_by="ada", now=now) for _ in range(2)
    ]

    asked = [parse_qs(urlsplit(one.url).query) for one in begun]
    secrets = {
        *(query["state"][0] for query in asked),
        *(query["code_challenge"][0] for query in asked),
        *(one.browser_cookie for one in begun),
    }
    assert len(secrets) == 6
    assert {len(secret) for secret in secrets} == {43}
    assert repr(begun[0]) == "Begun()"


def test_a_connection_inside_a_transaction_is_refused(app, warehouse_dsn, keys):
    with psycopg.connect(warehouse_dsn) as busy:
        busy.execute("select 1")
        with pytest.raises(ValueError, match="inside a transaction"):
            begin(app, warehouse=busy, keys=keys, started_by="ada", now=datetime.now(UTC))


def test_a_consent_is_not_begun_without_keys(app, warehouse):
    with pytest.raises(XeroSetupError, match="XERO_TOKEN_KEYS"):
        begin(app, warehouse=warehouse, keys=[], started_by="ada", now=datetime.now(UTC))

    assert count(warehouse, "authorisations") == 0


# --- What goes wrong on the way -------------------------------------------------------------------


def test_keys_that_changed_under_way_are_named(consents: Consents, app, connect, http, warehouse):
    journey = consents.walk()
    new_keys = [Fernet.generate_key().decode()]
    consents.tokens = TokenStore(app, connect=connect, keys=new_keys, http=http)

    with pytest.raises(XeroSetupError, match="XERO_TOKEN_KEYS changed"):
        consents.finish(journey)


def test_a_refusal_is_audited_with_its_reason_and_without_a_secret(consents: Consents, warehouse):
    journey = consents.walk(started_by="grace")

    with pytest.raises(XeroSetupError) as refused:
        consents.finish(replace(journey, code="a-wrong-code"))

    entries = audit(warehouse)
    assert entries == [("grace", "connect", f"refused: {refused.value.message}", None, {})]
    shown = str(entries) + str(refused.value)
    assert not [secret for secret in vars(journey).values() if secret in shown]
    assert "a-wrong-code" not in shown


@pytest.mark.parametrize("path", ["/connect/token", "/connections", "/.well-known/*"])
def test_a_fault_of_xero_under_way_is_audited_and_extracts_nothing(
    path, consents: Consents, xero_sandbox, warehouse
):
    journey = consents.walk()
    xero_sandbox.control("POST", "faults", {"path": path, "kind": "offline"})

    with pytest.raises(UnavailableError):
        consents.finish(journey)

    ((actor, _, outcome, _, _),) = audit(warehouse)
    assert (actor, outcome[:9]) == ("ada", "refused: ")
    assert tenants_to_extract(warehouse, "xero_default") == []


# --- Disconnected at Xero -------------------------------------------------------------------------


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
        BEACON: "new",
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
    assert after.state == "new"
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
