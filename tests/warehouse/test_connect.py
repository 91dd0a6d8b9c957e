"""Consents from begin to finish: who may complete one, what is stored, what is audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet

from airflow_xero import connect as consent
from airflow_xero.app_connections import Connection
from airflow_xero.authorisations import require_signed
from airflow_xero.connect import Connected, begin, status, tenants_to_extract
from airflow_xero.errors import (
    ConsentLostError,
    ConsentRefusedError,
    UnavailableError,
    XeroSetupError,
)
from airflow_xero.reaching import Reached, require_some, sorted_out
from airflow_xero.tokens import TokenStore
from tests.warehouse.conftest import Consents, Journey
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

    assert names(consents.finish(earlier)) == [BEACON, KAURI]
    assert count(warehouse, "connections") == 2


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


def test_a_state_is_known_for_ours_before_anybody_asks_the_database(app, warehouse, keys):
    now = datetime.now(UTC)
    begun = begin(app, warehouse=warehouse, keys=keys, started_by="ada", now=now)
    secret, _, signature = begun.state.partition(".")

    require_signed(
        begun.state, conn_id="xero_default", keys=[Fernet.generate_key().decode(), *keys]
    )
    for guess in ("", ".", secret, f"{secret}.", f"x.{signature}", f"{secret}.ü"):
        with pytest.raises(ConsentRefusedError, match="unknown or was used already"):
            require_signed(guess, conn_id="xero_default", keys=keys)
    with pytest.raises(ConsentRefusedError):
        require_signed(begun.state, conn_id="xero_second", keys=keys)


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
    # A state is signed, besides.
    assert sorted(len(secret) for secret in secrets) == [43] * 4 + [43 + 1 + 22] * 2
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
