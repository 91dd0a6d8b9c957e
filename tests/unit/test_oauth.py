"""OAuth with the sandbox: the consent address, tokens, connections, and every refusal."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from airflow_xero import __version__, app_connections, oauth
from airflow_xero.errors import (
    BadRequestError,
    ConsentLostError,
    ConsentRefusedError,
    UnavailableError,
    UnexpectedPayloadError,
    XeroSetupError,
)
from airflow_xero.identity import identify
from airflow_xero.oauth import TokenSet, XeroApp
from tests.unit.conftest import VERIFIER
from xero_sandbox.testing import SandboxServer

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOKEN_PATH = "/connect/token"
AN_ID = "0f3fb2f0-6c6f-4d2b-8c39-3d3a4f0d6a51"


def fault(sandbox, path: str = TOKEN_PATH, **rule: object) -> None:
    sandbox.control("POST", "faults", {"path": path, **rule})


# --- The app and the consent address --------------------------------------------------------


def test_the_consent_address_asks_for_everything_xero_documents(app):
    url = urlsplit(oauth.authorize_url(app, state="a state&", code_challenge="chal-lenge"))

    assert f"{url.scheme}://{url.netloc}" == app.login_url
    assert url.path == "/identity/connect/authorize"
    assert parse_qs(url.query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": [app.client_id],
        "redirect_uri": [app.redirect_uri],
        "scope": [" ".join(app.scopes)],
        "state": ["a state&"],
        "code_challenge": ["chal-lenge"],
        "code_challenge_method": ["S256"],
    }
    assert app.client_secret not in url.query


def test_the_challenge_is_that_of_the_example_in_rfc_7636():
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert oauth.code_challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("field", ["api_url", "identity_url", "login_url", "redirect_uri"])
@pytest.mark.parametrize(
    "url",
    [
        "http://xero.example.com",
        "http://localhost.example.com",
        "http://notlocalhost",
        "http://localhost@example.com",
        "http://192.168.1.5:8080",
        "ftp://localhost",
        "localhost:8080",
        "//localhost",
        "",
    ],
)
def test_a_base_url_without_encryption_is_refused_and_its_field_named(app, field, url):
    with pytest.raises(XeroSetupError, match=f"{field} of the Airflow connection xero_default"):
        replace(app, **{field: url})


@pytest.mark.parametrize(
    "url",
    [
        "https://api.xero.com",
        "http://localhost",
        "http://localhost:8080",
        "http://LOCALHOST:8080",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://sandbox.localhost:8080",
    ],
)
def test_https_and_this_machine_are_accepted_as_base_urls(app, url):
    assert replace(app, api_url=f"{url}/").api_url == url


def test_no_secret_is_in_the_repr_of_app_or_tokens(app, tokens):
    shown = f"{app!r} {tokens!r} {app} {tokens}"

    for secret in (app.client_secret, tokens.access_token, tokens.refresh_token, tokens.id_token):
        assert secret
        assert secret not in shown


def test_the_client_waits_for_a_time_only_follows_no_redirect_and_says_its_name(http):
    assert None not in http.timeout.as_dict().values()
    assert not http.follow_redirects
    assert http.headers["User-Agent"] == f"airflow-provider-xero/{__version__}"


# --- Codes ----------------------------------------------------------------------------------


def test_a_code_becomes_tokens_that_end_thirty_minutes_from_now(app, consent, http):
    tokens = oauth.exchange_code(app, consent(app), code_verifier=VERIFIER, http=http, now=NOW)

    assert tokens.expires_at == NOW + timedelta(minutes=30)
    assert set(tokens.scopes) == set(app.scopes)


def test_a_code_works_once(app, consent, http):
    code = consent(app)
    oauth.exchange_code(app, code, code_verifier=VERIFIER, http=http, now=NOW)

    with pytest.raises(XeroSetupError, match="press Connect to Xero again") as refused:
        oauth.exchange_code(app, code, code_verifier=VERIFIER, http=http, now=NOW)
    assert type(refused.value) is ConsentRefusedError
    assert code not in str(refused.value)


def test_a_code_with_another_verifier_is_refused(app, consent, http):
    with pytest.raises(XeroSetupError):
        oauth.exchange_code(app, consent(app), code_verifier="x" * 50, http=http, now=NOW)


def test_a_code_older_than_five_minutes_is_refused(app, consent, http, xero_sandbox):
    code = consent(app)
    xero_sandbox.control("POST", "clocks", {"advance_seconds": 301})

    with pytest.raises(XeroSetupError, match="five minutes"):
        oauth.exchange_code(app, code, code_verifier=VERIFIER, http=http, now=NOW)


def test_a_consent_without_offline_access_says_which_scope_to_add(app, consent, http):
    narrow = replace(app, scopes=tuple(s for s in app.scopes if s != "offline_access"))

    with pytest.raises(XeroSetupError, match="add offline_access to the scopes"):
        oauth.exchange_code(narrow, consent(narrow), code_verifier=VERIFIER, http=http, now=NOW)


# --- Refreshing -----------------------------------------------------------------------------


def test_a_refresh_gives_other_tokens(app, tokens, http):
    renewed = oauth.refresh(app, tokens.refresh_token, http=http, now=NOW)

    assert renewed.refresh_token != tokens.refresh_token
    assert renewed.expires_at == NOW + timedelta(minutes=30)


@pytest.mark.parametrize("wrong", [{"client_id": "other"}, {"client_secret": "0ther-secret"}])
def test_wrong_credentials_name_the_connection_to_correct(app, tokens, http, wrong):
    with pytest.raises(XeroSetupError, match="client id and client secret of the") as refused:
        oauth.refresh(replace(app, **wrong), tokens.refresh_token, http=http, now=NOW)
    assert type(refused.value) is XeroSetupError
    assert "0ther-secret" not in str(refused.value)


def test_a_revoked_consent_is_lost(app, tokens, http):
    oauth.revoke(app, tokens.refresh_token, http=http)

    with pytest.raises(ConsentLostError, match="must press Connect to Xero again"):
        oauth.refresh(app, tokens.refresh_token, http=http, now=NOW)


def test_revoking_with_wrong_credentials_is_refused(app, tokens, http):
    with pytest.raises(XeroSetupError):
        oauth.revoke(replace(app, client_secret="wrong"), tokens.refresh_token, http=http)


INVALID_SCOPE = {"status": 400, "body": '{"error": "invalid_scope"}'}
UNKNOWN_ERROR = {"status": 400, "body": '{"error": "something_new"}'}
HALF_AN_ANSWER = {"status": 200, "body": '{"access_token": "a", "refresh_token": "b"}'}
NO_NUMBER = {
    "status": 200,
    "body": '{"access_token": "a", "refresh_token": "b", "expires_in": "soon"}',
}


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"kind": "refused_refresh"}, ConsentLostError),
        (INVALID_SCOPE, XeroSetupError),
        (UNKNOWN_ERROR, BadRequestError),
        ({"status": 500}, UnavailableError),
        ({"kind": "offline"}, UnavailableError),
        ({"kind": "drop"}, UnavailableError),
        ({"kind": "refresh_answer_lost"}, UnavailableError),
        ({"kind": "truncated"}, UnavailableError),
        ({"kind": "not_json"}, UnexpectedPayloadError),
        ({"status": 200, "body": "[]"}, UnexpectedPayloadError),
        (HALF_AN_ANSWER, UnexpectedPayloadError),
        (NO_NUMBER, UnexpectedPayloadError),
    ],
    ids=str,
)
def test_every_answer_to_a_refresh_means_one_error_without_a_secret(
    app, tokens, http, xero_sandbox, rule, kind, caplog
):
    caplog.set_level(logging.DEBUG)
    fault(xero_sandbox, **rule)

    with pytest.raises(kind) as raised:
        oauth.refresh(app, tokens.refresh_token, http=http, now=NOW)

    assert type(raised.value) is kind
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + caplog.text
    carried = pickle.dumps(raised.value)
    for secret in (tokens.refresh_token, app.client_secret):
        assert secret not in shown
        assert secret.encode() not in carried
    assert raised.value.__cause__ is None


def test_a_refresh_is_never_repeated(app, tokens, http, xero_sandbox):
    xero_sandbox.control("DELETE", "requests")
    fault(xero_sandbox, status=503)

    with pytest.raises(UnavailableError):
        oauth.refresh(app, tokens.refresh_token, http=http, now=NOW)

    assert [entry["path"] for entry in xero_sandbox.control("GET", "requests")] == [TOKEN_PATH]


def test_a_host_that_does_not_answer_is_named_and_no_more(app, http):
    nowhere = replace(app, identity_url="http://localhost:9/a-path?and=query")

    with pytest.raises(UnavailableError, match=r"^localhost:9 could not be reached") as raised:
        oauth.refresh(nowhere, "a-refresh-token", http=http, now=NOW)

    assert "a-path" not in str(raised.value)


# --- Connections ----------------------------------------------------------------------------


def test_the_connections_are_those_of_the_user_and_of_one_consent_if_asked(
    app, consent, http, xero_sandbox
):
    kauri, beacon = list(xero_sandbox.organisations().values())[:2]
    for tenant_id in (kauri, beacon):
        code = consent(app, [tenant_id])
    tokens = oauth.exchange_code(app, code, code_verifier=VERIFIER, http=http, now=NOW)
    event = identify(app, tokens, http=http).auth_event_id

    listed = app_connections.connections(app, tokens.access_token, http=http)
    newest = app_connections.connections(app, tokens.access_token, http=http, auth_event_id=event)

    assert {entry.tenant_id for entry in listed} == {kauri, beacon}
    assert [(entry.tenant_id, entry.auth_event_id) for entry in newest] == [(beacon, event)]
    assert {entry.tenant_type for entry in listed} == {"ORGANISATION"}


def test_a_connection_without_a_name_gets_its_id(app, http, xero_sandbox):
    fault(xero_sandbox, "/connections", status=200, body=json.dumps([practice()]))

    (entry,) = app_connections.connections(app, "any", http=http)

    assert (entry.tenant_name, entry.auth_event_id) == (AN_ID, None)


def practice(**changed: Any) -> dict[str, Any]:
    """A connection as Xero lists it."""
    listed = {"id": AN_ID, "tenantId": AN_ID, "tenantType": "PRACTICE", "authEventId": None}
    return {**listed, **changed}


def test_what_postgres_cannot_store_of_a_name_is_replaced(app, http, xero_sandbox):
    body = json.dumps([practice(tenantName="a\0b \ud83c c \U0001f319")])
    fault(xero_sandbox, "/connections", status=200, body=body)

    (entry,) = app_connections.connections(app, "any", http=http)

    assert entry.tenant_name == "a\ufffdb \ufffd c \U0001f319"


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"kind": "token_expired"}, ConsentLostError),
        ({"kind": "offline"}, UnavailableError),
        ({"kind": "drop"}, UnavailableError),
        ({"kind": "not_json"}, UnexpectedPayloadError),
        ({"status": 200, "body": "{}"}, UnexpectedPayloadError),
        ({"status": 200, "body": '[{"id": 1}]'}, UnexpectedPayloadError),
        ({"status": 200, "body": "[1]"}, UnexpectedPayloadError),
        ({"status": 200, "body": json.dumps([practice(id="c-1")])}, UnexpectedPayloadError),
        ({"status": 200, "body": json.dumps([practice(tenantId=1)])}, UnexpectedPayloadError),
        ({"status": 200, "body": json.dumps([practice(authEventId="e")])}, UnexpectedPayloadError),
    ],
    ids=str,
)
def test_every_other_answer_to_connections_means_one_error(
    app, tokens, http, xero_sandbox, rule, kind
):
    fault(xero_sandbox, "/connections", **rule)

    with pytest.raises(kind) as raised:
        app_connections.connections(app, tokens.access_token, http=http)

    assert type(raised.value) is kind
    assert tokens.access_token not in "".join(traceback.format_exception(raised.value))


# --- Who consented --------------------------------------------------------------------------


def test_the_user_is_read_from_the_signed_id_token(app, tokens, http, xero_sandbox):
    user = identify(app, tokens, http=http).user

    (ava,) = [u for u in xero_sandbox.control("GET", "users") if u["email"] == "ava@example.com"]
    assert (user.xero_user_id, user.name, user.email) == (
        ava["userId"],
        "Ava Ngata",
        "ava@example.com",
    )


def test_a_consent_without_openid_says_which_scopes_to_add(app, tokens, http):
    with pytest.raises(XeroSetupError, match="add `openid profile email` to the scopes"):
        identify(app, replace(tokens, id_token=None), http=http)


def forged(id_token: str) -> str:
    head, _, signature = id_token.split(".")
    return f"{head}.e30.{signature}"


def test_a_forged_id_token_is_refused(app, tokens, http):
    with pytest.raises(UnexpectedPayloadError, match="cannot be verified"):
        identify(app, replace(tokens, id_token=forged(tokens.id_token)), http=http)


def of_another(sandbox: SandboxServer, tokens: TokenSet, **claims: Any) -> TokenSet:
    """The same consent with other claims in its id_token, signed by Xero all the same."""
    said = jwt.decode(str(tokens.id_token), options={"verify_signature": False})
    return replace(tokens, id_token=sandbox.world.signer.sign({**said, **claims}))


@pytest.mark.parametrize("user_id", [None, "", "ava", 7, ["a"], f"{AN_ID}'; --"], ids=repr)
def test_a_user_without_an_id_that_is_one_is_refused(app, tokens, http, xero_sandbox, user_id):
    with pytest.raises(UnexpectedPayloadError, match="lacks xero_userid"):
        identify(app, of_another(xero_sandbox, tokens, xero_userid=user_id), http=http)


def test_what_postgres_cannot_store_of_a_user_is_replaced(app, tokens, http, xero_sandbox):
    said = {"given_name": "A\0va", "family_name": "\ud83c", "email": "a\0@example.com"}
    named = identify(app, of_another(xero_sandbox, tokens, **said), http=http).user
    other = of_another(xero_sandbox, tokens, given_name=1, family_name=[], name={}, email=True)
    nameless = identify(app, other, http=http).user

    assert (named.name, named.email) == ("A\ufffdva \ufffd", "a\ufffd@example.com")
    assert (nameless.name, nameless.email) == (None, None)


@pytest.mark.parametrize("id_token", ["", "no-token", "a.b.c"])
def test_what_is_no_id_token_is_refused(app, tokens, http, id_token):
    with pytest.raises(UnexpectedPayloadError, match="cannot be verified"):
        identify(app, replace(tokens, id_token=id_token), http=http)


def test_an_id_token_for_another_app_is_refused(app: XeroApp, tokens, http):
    with pytest.raises(UnexpectedPayloadError, match="InvalidAudienceError"):
        identify(replace(app, client_id="another"), tokens, http=http)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"kind": "drop"}, UnavailableError),
        ({"status": 500}, UnavailableError),
        ({"kind": "not_json"}, UnexpectedPayloadError),
        ({"status": 200, "body": "{}"}, UnexpectedPayloadError),
        ({"status": 200, "body": '{"keys": []}'}, UnexpectedPayloadError),
    ],
    ids=str,
)
def test_signing_keys_that_cannot_be_read_stop_the_consent(
    app, tokens, http, xero_sandbox, rule, kind
):
    fault(xero_sandbox, "/.well-known/openid-configuration/jwks", **rule)

    with pytest.raises(kind):
        identify(app, tokens, http=http)


def test_the_clock_of_a_worker_that_is_wrong_does_not_stop_the_consent(
    app, consent, http, xero_sandbox
):
    xero_sandbox.control("POST", "clocks", {"identity": "2031-01-01T00:00:00Z"})

    tokens = oauth.exchange_code(
        app, consent(app), code_verifier=VERIFIER, http=http, now=datetime.now(UTC)
    )

    assert identify(app, tokens, http=http).user.email == "ava@example.com"
