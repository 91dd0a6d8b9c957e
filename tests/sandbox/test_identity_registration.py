"""How the app is registered: its addresses, its name, its PKCE, and how that is changed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.sandbox.conftest import App
from xero_sandbox.testing import SandboxServer, new_browser, walk_consent


def register(app: App, **settings: object) -> dict[str, Any]:
    found: dict[str, Any] = app.sandbox.control("POST", "app", settings)
    return found


def authorize(app: App, **changes: Any) -> httpx.Response:
    return app.http.get(app.authorize_url(**changes))


def test_only_registered_addresses_get_a_code(app: App):
    uri = "https://app.example.com/callback"
    assert authorize(app, redirect_uri=uri).status_code == 500
    register(app, redirect_uris=[uri])
    assert authorize(app, redirect_uri=uri).is_redirect
    for other in (f"{uri}/", f"{uri}?a=b", "http://localhost:8080/", "https://app.example.com"):
        response = authorize(app, redirect_uri=other)
        assert "unauthorized_client : Invalid redirect_uri" in response.text
    register(app, redirect_uris=[])
    assert authorize(app).is_redirect


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:8080/",
        "http://app.example.com/",
        "https://*.example.com/",
        "https://app.example.com/#fragment",
        "https://",
        "localhost:8080",
        "http://[::1",
        " http://localhost/",
        5,
    ],
)
def test_an_address_that_xero_would_not_register_is_refused(app: App, uri: object):
    with pytest.raises(ValueError, match=r"redirect URI|cannot hold"):
        register(app, redirect_uris=[uri])


def test_an_app_has_fifty_addresses_at_most(app: App):
    register(app, redirect_uris=[f"http://localhost/{n}" for n in range(50)])
    with pytest.raises(ValueError, match="at most 50"):
        register(app, redirect_uris=[f"http://localhost/{n}" for n in range(51)])


@pytest.mark.parametrize(
    "challenge", ["x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "+", quote("ä") * 8]
)
def test_a_challenge_is_the_hash_of_a_verifier(app: App, challenge: str):
    response = authorize(app, code_challenge=challenge)
    assert response.status_code == 500
    assert "invalid_request : Invalid code_challenge" in response.text


@pytest.mark.parametrize(("length", "status"), [(42, 400), (43, 200), (128, 200), (129, 400)])
def test_a_verifier_has_43_to_128_characters(app: App, length: int, status: int):
    app.verifier = "v" * length
    assert app.exchange(app.code()).status_code == status


def test_a_reset_forgets_how_the_app_was_changed(app: App):
    register(app, era="granular", tier="starter", name="Other", redirect_uris=["https://a.b/"])
    app.sandbox.reset()
    found = app.sandbox.control("GET", "app")
    assert (found["era"], found["tier"], found["name"]) == ("mixed", "advanced", "Sandbox app")
    assert found["redirect_uris"] == []
    assert "client_secret" not in found


def test_the_name_of_the_app_is_on_the_consent_page_and_in_every_answer(app: App, tiny: str):
    register(app, name="Ledger <b>lift</b>")
    tokens = app.connect()
    answer = app.read(tokens, "Organisation", tiny)
    assert answer.json()["ProviderName"] == "Ledger <b>lift</b>"
    with new_browser() as person:
        walk_consent(person, app.authorize_url(), email="ava@example.com")
        assert "Ledger &lt;b&gt;lift&lt;/b&gt; wants access" in person.get(app.authorize_url()).text


def test_the_settings_of_the_app_outlive_a_restart(tmp_path):
    state = tmp_path / "state.json"
    with SandboxServer(state=state) as first:
        first.control("POST", "app", {"era": "granular", "redirect_uris": ["https://a.b/c"]})
        first.control("POST", "app", {"tier": "starter", "name": "Kept"})
    with SandboxServer(state=state) as second:
        found = second.control("GET", "app")
    assert [found[key] for key in ("era", "redirect_uris", "tier", "name")] == [
        "granular",
        ["https://a.b/c"],
        "starter",
        "Kept",
    ]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"era": "stone age"}, "era of the app cannot be 'stone age': one of broad"),
        ({"tier": "gold"}, "tier cannot be 'gold': one of starter"),
        ({"tier": None}, "tier cannot be None"),
        ({"name": " "}, "name of the app cannot be"),
        ({"redirect_uris": "http://localhost/"}, "redirect_uris of the app cannot be"),
        ({"client_secret": "x"}, "unknown field 'client_secret'"),
        ({"custom_connection": 5}, "unknown organisation 5"),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_change_nothing(app: App, wanted, sentence):
    before = app.sandbox.control("GET", "app")
    with pytest.raises(ValueError, match="400") as caught:
        register(app, **({"era": "granular"} | wanted))
    assert sentence in str(caught.value)
    assert app.sandbox.control("GET", "app") == before
