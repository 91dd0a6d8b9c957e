"""Codes for tokens: once, in time, by the right app; and what a token holds."""

from __future__ import annotations

import jwt
import pytest

from tests.sandbox.conftest import CALLBACK, SCOPES, App


def test_a_code_works_once(app: App):
    code = app.code()
    assert app.exchange(code).status_code == 200
    again = app.exchange(code)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


def test_a_code_lives_five_minutes(app: App):
    young, old = app.code(), app.code()
    app.sandbox.control("POST", "clocks", {"advance_seconds": 290})
    assert app.exchange(young).status_code == 200
    app.sandbox.control("POST", "clocks", {"advance_seconds": 11})
    assert app.exchange(old).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://localhost:8080/other"},
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
        {"redirect_uri": None},
    ],
)
def test_a_code_fits_only_its_own_redirect_and_verifier(app: App, changes):
    response = app.exchange(app.code(), **changes)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize("code", ["nonsense", ""])
def test_an_unknown_code_is_an_invalid_grant(app: App, code):
    response = app.exchange(code)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_grant"})


def test_credentials_are_taken_from_the_body_too(app: App):
    form = {
        "grant_type": "authorization_code",
        "code": app.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": app.verifier,
        "client_id": app.sandbox.client_id,
        "client_secret": app.sandbox.client_secret,
    }
    assert app.http.post("/connect/token", data=form).status_code == 200


def test_an_app_without_a_secret_needs_pkce(app: App):
    public = {
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "client_id": app.sandbox.client_id,
    }
    with_pkce = public | {"code": app.code(), "code_verifier": app.verifier}
    tokens = app.http.post("/connect/token", data=with_pkce).json()
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": app.sandbox.client_id,
    }
    assert app.http.post("/connect/token", data=refresh).status_code == 200
    plain = public | {"code": app.code(code_challenge=None, code_challenge_method=None)}
    assert app.http.post("/connect/token", data=plain).json() == {"error": "invalid_client"}


def test_a_refresh_token_of_an_app_with_a_secret_needs_the_secret(app: App):
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": app.connect()["refresh_token"],
        "client_id": app.sandbox.client_id,
    }
    assert app.http.post("/connect/token", data=refresh).json() == {"error": "invalid_client"}


@pytest.mark.parametrize(
    "auth", [("sandbox-client", "wrong"), ("wrong", "sandbox-secret"), ("sandbox-client", "ä")]
)
def test_wrong_credentials_are_an_invalid_client(app: App, auth):
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    response = app.http.post("/connect/token", data=form, auth=auth)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_client"})


@pytest.mark.parametrize("header", ["Basic !!!", "Basic /w==", "Basic", "Digest x"])
def test_unreadable_credentials_are_an_invalid_client(app: App, header):
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    response = app.http.post("/connect/token", data=form, headers={"Authorization": header})
    assert (response.status_code, response.json()) == (400, {"error": "invalid_client"})


def test_a_token_request_must_be_a_form(app: App):
    body = {"grant_type": "refresh_token", "refresh_token": "x"}
    for response in (
        app.http.post("/connect/token", json=body, auth=app.credentials),
        app.http.post("/connect/token", data={"a": "b"}, auth=app.credentials),
        app.http.post("/connect/token", auth=app.credentials),
    ):
        assert (response.status_code, response.json()) == (400, {"error": "unsupported_grant_type"})


def test_the_token_answer_has_the_keys_of_the_real_one(app: App):
    tokens = app.connect()
    assert set(tokens) == {
        "id_token",
        "access_token",
        "expires_in",
        "token_type",
        "refresh_token",
        "scope",
    }
    assert (tokens["expires_in"], tokens["token_type"]) == (1800, "Bearer")
    assert tokens["scope"] == SCOPES
    assert set(app.refresh(tokens["refresh_token"]).json()) == set(tokens)


def test_without_offline_access_and_openid_there_is_an_access_token_only(app: App):
    tokens = app.connect(scopes="accounting.settings.read")
    assert set(tokens) == {"access_token", "expires_in", "token_type", "scope"}


def test_tokens_are_signed_by_the_published_key_and_carry_xeros_claims(app: App, kauri: str):
    tokens = app.connect(organisations=[kauri])
    discovery = app.http.get("/.well-known/openid-configuration").json()
    assert discovery["issuer"] == "https://identity.xero.com"
    assert discovery["token_endpoint"] == f"{app.sandbox.url}/connect/token"
    keys = jwt.PyJWKSet.from_dict(app.http.get(discovery["jwks_uri"]).json())
    header = jwt.get_unverified_header(tokens["access_token"])
    assert header["alg"] == "RS256"
    claims = jwt.decode(
        tokens["access_token"],
        keys[header["kid"]],
        algorithms=["RS256"],
        audience="https://identity.xero.com/resources",
        issuer=discovery["issuer"],
    )
    assert set(claims) == {
        "nbf",
        "exp",
        "iss",
        "aud",
        "client_id",
        "sub",
        "auth_time",
        "xero_userid",
        "global_session_id",
        "sid",
        "jti",
        "authentication_event_id",
        "scope",
        "amr",
    }
    assert claims["exp"] - claims["nbf"] == 1800
    assert claims["scope"] == SCOPES.split()
    (connection,) = app.connections(tokens)
    assert connection["authEventId"] == claims["authentication_event_id"]
    who = jwt.decode(
        tokens["id_token"],
        keys[header["kid"]],
        algorithms=["RS256"],
        audience=app.sandbox.client_id,
        issuer=discovery["issuer"],
    )
    assert (who["email"], who["given_name"], who["family_name"]) == (
        "ava@example.com",
        "Ava",
        "Ngata",
    )
    assert who["xero_userid"] == claims["xero_userid"]
    assert who["exp"] - who["nbf"] == 300
