"""Bad input at the identity service: an answer of Xero's, never a failure of ours."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.conftest import CALLBACK, App, bearer

odd = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["\0", "\r\nX: y", "ä" * 50, "%", "http://localhost/é?a=b", "x" * 5000]),
)
quietly = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_whatever_a_token_request_holds_it_is_refused_as_oauth_does(app: App):
    names = ["grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"]
    kinds = st.sampled_from(["authorization_code", "refresh_token", "client_credentials"])

    @quietly
    @given(kinds, st.dictionaries(st.sampled_from([*names, "client_id", "client_secret"]), odd))
    def every(kind, form):
        form = {"grant_type": kind} | form
        sent = {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}
        response = app.http.post("/connect/token", data=sent, auth=app.credentials)
        assert response.status_code in (200, 400), response.text
        if response.status_code == 400:
            assert response.json()["error"].startswith(("invalid_", "unsupported_"))

    every()


def test_whatever_a_request_to_authorize_holds_it_is_a_page_or_a_redirect(app: App):
    names = ["response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values"]

    @quietly
    @given(st.dictionaries(st.sampled_from([*names, "code_challenge"]), odd))
    def every(changes):
        sent = {name: value.encode("utf-8", "replace").decode() for name, value in changes.items()}
        response = app.http.get(app.authorize_url(**sent))
        assert response.status_code in (302, 500)
        assert response.status_code == 302 or "Error code: 500" in response.text

    every()


@pytest.mark.parametrize(
    "state", ["", "a b+c&d=é", "x" * 2000, '"><script>', "\r\nSet-Cookie: a=b"]
)
def test_the_state_comes_back_as_it_was(app: App, state: str):
    callback = app.sandbox.consent(app.authorize_url(state=state), allow=False)
    assert (
        callback
        == f"{CALLBACK}?error=access_denied&state={quote(state, safe='').replace('%20', '+')}"
    )


def test_a_callback_with_a_query_of_its_own_keeps_it(app: App):
    uri = f"{CALLBACK}?from=xero"
    callback = app.sandbox.consent(app.authorize_url(redirect_uri=uri), allow=False)
    assert callback.startswith(f"{uri}&error=access_denied")


@pytest.mark.parametrize("token", ["ä", "a" * 10_000, ".", "..", "a.b", "eyJhbGciOiJub25lIn0.e30."])
def test_a_token_that_is_none_is_a_401(app: App, token: str):
    header = f"Bearer {token}".encode()
    for path in ("/connections", "/connect/userinfo", "/api.xro/2.0/Invoices"):
        response = app.http.get(path, headers={b"Authorization": header})
        assert response.status_code == 401
        assert response.json()["Detail"] == "AuthenticationUnsuccessful"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/connect/token", 405),
        ("PUT", "/connections", 405),
        ("POST", "/.well-known/openid-configuration", 405),
        ("GET", "/connect/unheard", 404),
        ("GET", "/identity/connect/authorize/", 404),
        ("DELETE", "/connections/", 404),
    ],
)
def test_an_unknown_path_or_method_is_said_so(app: App, method: str, path: str, status: int):
    response = app.http.request(method, path, headers=bearer(app.connect()))
    assert response.status_code == status


def test_credentials_may_be_encoded_as_the_standard_says(app: App):
    form = {"grant_type": "client_credentials"}
    client_id, secret = (part.replace("-", "%2D") for part in app.credentials)
    for auth in (app.credentials, (client_id, secret)):
        assert app.http.post("/connect/token", data=form, auth=auth).status_code == 200


def test_a_form_may_name_its_characters(app: App):
    content_type = "application/x-www-form-urlencoded; charset=utf-8"
    response = app.http.post(
        "/connect/token",
        content=b"grant_type=client_credentials",
        headers={"Content-Type": content_type},
        auth=app.credentials,
    )
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
