"""Who may complete a consent, and what is written of one that goes wrong on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet

from airflow_xero.authorisations import require_signed
from airflow_xero.connect import begin, tenants_to_extract
from airflow_xero.errors import (
    ConsentRefusedError,
    UnavailableError,
    XeroSetupError,
)
from airflow_xero.tokens import TokenStore
from tests.warehouse.conftest import Consents, Journey
from tests.warehouse.connections import (
    BEACON,
    KAURI,
    audit,
    count,
    names,
)


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
