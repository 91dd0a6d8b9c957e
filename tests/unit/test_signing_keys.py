"""Xero's signing keys are asked for rarely: who asks too often is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from airflow_xero import oauth
from airflow_xero.errors import UnavailableError, UnexpectedPayloadError
from airflow_xero.identity import SigningKeys, identify

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
JWKS = "/.well-known/openid-configuration/jwks"


def times_asked(xero_sandbox) -> int:
    asked = xero_sandbox.control("GET", "requests")
    return sum(one["path"] == JWKS for one in asked)


@pytest.mark.parametrize(("minutes", "asked"), [([0, 1, 59], 1), ([0, 61], 2), ([0, -1], 2)])
def test_known_keys_are_asked_for_once_an_hour(app, tokens, http, xero_sandbox, minutes, asked):
    keys = SigningKeys()

    for minute in minutes:
        identify(app, tokens, http=http, keys=keys, now=NOW + timedelta(minutes=minute))

    assert times_asked(xero_sandbox) == asked


@pytest.mark.parametrize(("seconds", "asked"), [([0, 1, 59], 1), ([0, 61], 2)])
def test_an_unknown_key_is_asked_for_once_a_minute(app, http, xero_sandbox, seconds, asked):
    keys = SigningKeys()

    for second in seconds:
        with pytest.raises(StopIteration):
            keys.named(app, "no-such-key", http=http, now=NOW + timedelta(seconds=second))

    assert times_asked(xero_sandbox) == asked


def test_keys_that_could_not_be_asked_for_are_asked_for_again(app, tokens, http, xero_sandbox):
    keys = SigningKeys()
    xero_sandbox.control("POST", "faults", {"path": JWKS, "kind": "offline"})
    with pytest.raises(UnavailableError):
        identify(app, tokens, http=http, keys=keys, now=NOW)

    assert identify(app, tokens, http=http, keys=keys, now=NOW).user.email == "ava@example.com"


def test_an_id_token_with_the_nonce_of_another_consent_is_refused(app, http, consent_with_nonce):
    tokens = consent_with_nonce("mine")

    assert identify(app, tokens, http=http, nonce="mine").user.email == "ava@example.com"
    with pytest.raises(UnexpectedPayloadError, match="another consent"):
        identify(app, tokens, http=http, nonce="another's")


def test_an_id_token_without_a_nonce_is_known_by_its_code_alone(app, tokens, http):
    found = identify(app, tokens, http=http, nonce="asked, and not repeated")

    assert found.user.email == "ava@example.com"


@pytest.fixture
def consent_with_nonce(app, http, xero_sandbox):
    from urllib.parse import parse_qs, urlsplit

    from tests.unit.conftest import VERIFIER

    def walk(nonce: str) -> oauth.TokenSet:
        challenge = oauth.code_challenge_of(VERIFIER)
        url = oauth.authorize_url(app, state="s", code_challenge=challenge, nonce=nonce)
        callback = xero_sandbox.consent(url, "ava@example.com")
        (code,) = parse_qs(urlsplit(callback).query)["code"]
        return oauth.exchange_code(app, code, code_verifier=VERIFIER, http=http, now=NOW)

    return walk
