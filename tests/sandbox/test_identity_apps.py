"""What the app may ask for: the era of its scopes, its price tier, and its own credentials."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import App, bearer
from xero_sandbox.testing import Form, new_browser, walk_consent

BROAD = "accounting.transactions.read"
GRANULAR = "accounting.invoices.read"
JOURNALS = "accounting.journals.read"


def register(app: App, **settings: object) -> dict[str, Any]:
    found: dict[str, Any] = app.sandbox.control("POST", "app", settings)
    return found


def authorize(app: App, **changes: Any) -> httpx.Response:
    return app.http.get(app.authorize_url(**changes))


def is_refused(response: httpx.Response) -> bool:
    if response.status_code == 500:
        assert "invalid_scope : Invalid scope for client" in response.text
        return True
    assert response.is_redirect, response.text
    return False


def own_token(app: App, scope: str | None = None) -> httpx.Response:
    form = {"grant_type": "client_credentials"} | ({} if scope is None else {"scope": scope})
    return app.http.post("/connect/token", data=form, auth=app.credentials)


def make_organisations(app: App, count: int, email: str = "mia@example.com") -> list[str]:
    made = [
        app.sandbox.control("POST", "organisations", {"name": f"Mia {n}", "days": 0})["tenantId"]
        for n in range(count)
    ]
    app.sandbox.control("POST", "users", {"email": email, "organisations": made})
    return made


@pytest.mark.parametrize(
    ("era", "scope", "refused"),
    [
        ("mixed", BROAD, False),
        ("mixed", GRANULAR, False),
        ("mixed", f"{BROAD} {GRANULAR}", False),
        ("broad", BROAD, False),
        ("broad", "accounting.reports.read", False),
        ("broad", "accounting.contacts.read accounting.settings", False),
        ("broad", GRANULAR, True),
        ("broad", "accounting.reports.trialbalance.read", True),
        ("broad", "accounting.reports.tenninetynine.read", False),
        ("granular", GRANULAR, False),
        ("granular", "accounting.reports.trialbalance.read", False),
        ("granular", BROAD, True),
        ("granular", "accounting.transactions", True),
        ("granular", "accounting.reports.read", True),
        ("granular", "accounting.classicexpenses.read", True),
        ("granular", "accounting.contacts.read accounting.settings", False),
        # One scope that the app may not have makes Xero refuse them all.
        ("granular", f"openid {GRANULAR} {BROAD}", True),
        ("mixed", "app.connections", True),
    ],
)
def test_an_era_allows_its_own_scopes_and_refuses_the_whole_request_for_one_other(
    app: App, era: str, scope: str, refused: bool
):
    register(app, era=era)
    assert is_refused(authorize(app, scope=scope)) is refused


def test_a_granular_app_is_refused_the_broad_scope_for_its_own_token_too(app: App):
    register(app, era="granular")
    response = own_token(app, "accounting.transactions")
    assert (response.status_code, response.json()) == (
        400,
        {
            "error": "invalid_scope",
            "error_description": "Client credentials scope validation failed",
        },
    )


def test_tokens_of_before_a_new_era_keep_their_scopes(app: App, tiny: str):
    tokens = app.connect(scopes=f"offline_access {BROAD}")
    register(app, era="granular")
    assert app.read(tokens, "Invoices", tiny).status_code == 200
    assert app.refresh(tokens["refresh_token"]).json()["scope"] == f"offline_access {BROAD}"


@pytest.mark.parametrize(
    ("tier", "day", "has_journals"),
    [
        ("starter", 1000, False),
        ("core", 5000, False),
        ("plus", 5000, False),
        ("advanced", 5000, True),
        ("enterprise", 5000, True),
    ],
)
def test_a_tier_brings_its_day_limit_and_the_journals_or_not(
    app: App, tier: str, day: int, has_journals: bool
):
    assert register(app, tier=tier)["tier"] == tier
    assert app.sandbox.control("GET", "limits")["day"] == day
    assert is_refused(authorize(app, scope=JOURNALS)) is not has_journals


def test_a_new_custom_connection_never_gets_the_journals(app: App):
    assert own_token(app, JOURNALS).status_code == 200
    register(app, era="granular")
    assert own_token(app, JOURNALS).json()["error"] == "invalid_scope"
    assert JOURNALS not in own_token(app).json()["scope"].split()


@pytest.mark.parametrize(
    ("tier", "asked", "is_bulk"),
    [
        ("advanced", None, True),
        ("advanced", "bulk_connect:false", False),
        ("advanced", "something:else bulk_connect:false", False),
        ("core", None, False),
        ("core", "bulk_connect:true", False),
    ],
)
def test_several_organisations_at_once_are_for_the_advanced_tier(
    app: App, tier: str, asked: str | None, is_bulk: bool
):
    register(app, tier=tier)
    with new_browser() as person:
        url = app.authorize_url(acr_values=asked)
        person.post(f"{app.sandbox.url}/identity/login", data={"as": "ava@example.com"})
        page = person.get(url)
        assert ('type="checkbox"' in page.text) is is_bulk
        both = Form.of(page).fields | {
            "tenant_id": list(app.sandbox.organisations().values())[:2],
            "decision": "allow",
        }
        answer = person.post(f"{app.sandbox.url}/identity/consent", data=both)
    assert answer.is_redirect is is_bulk


def test_an_app_is_full_at_the_number_of_connections_of_its_tier(app: App):
    made = make_organisations(app, 6)
    register(app, tier="starter")
    for tenant_id in made[:5]:
        app.connect("mia@example.com", [tenant_id])
    with pytest.raises(ValueError, match="did not end"):
        app.connect("mia@example.com", made[5:])
    tokens = app.connect("mia@example.com", made[:1])
    assert {each["tenantId"] for each in app.connections(tokens)} == set(made[:5])
    assert register(app)["connections_left"] == 0


def test_a_full_app_says_so_to_the_person_and_makes_room_by_disconnecting(app: App):
    made = make_organisations(app, 6)
    tokens = app.connect("mia@example.com", made[:5])
    register(app, tier="starter")
    with new_browser() as person:
        walk_consent(person, app.authorize_url(), email="mia@example.com", organisations=made[:1])
        page = person.get(app.authorize_url())
        answer = Form.of(page).fields | {"decision": "allow", "tenant_id": made[5]}
        full = person.post(f"{app.sandbox.url}/identity/consent", data=answer)
        assert full.status_code == 200
        assert "reached the number of connections" in full.text
        (first, *_) = app.connections(tokens)
        app.http.delete(f"/connections/{first['id']}", headers=bearer(tokens))
        again = Form.of(full).fields | {"decision": "allow", "tenant_id": made[5]}
        assert person.post(f"{app.sandbox.url}/identity/consent", data=again).is_redirect


def test_a_custom_connection_without_a_scope_gets_all_it_may_have(app: App):
    scopes = own_token(app).json()["scope"].split()
    assert {"accounting.settings", GRANULAR, BROAD, JOURNALS} <= set(scopes)
    assert not {"openid", "offline_access", "app.connections"} & set(scopes)


def test_a_custom_connection_opens_the_organisation_that_was_chosen(app: App, tiny: str):
    only = next(iter(app.sandbox.organisations().values()))
    assert [each["tenantId"] for each in app.connections(own_token(app).json())] == [only]
    register(app, custom_connection=tiny)
    tokens = own_token(app).json()
    assert [each["tenantId"] for each in app.connections(tokens)] == [tiny]
    for asked in (None, tiny):
        assert app.read(tokens, "Organisation", asked).status_code == 200
    assert app.read(tokens, "Organisation", only).status_code == 403
    register(app, custom_connection=None)
    assert app.read(tokens, "Organisation", only).status_code == 200
    with pytest.raises(ValueError, match="unknown organisation"):
        register(app, custom_connection="nobody's")


def test_the_app_itself_lists_and_deletes_the_connections_of_everybody(app: App, tiny: str):
    app.connect("ava@example.com")
    app.connect("kaito@example.com")
    tokens = own_token(app, "app.connections").json()
    assert (tokens["scope"], "refresh_token" in tokens) == ("app.connections", False)
    found = app.connections(tokens)
    assert len({each["tenantId"] for each in found}) == 2
    gone = app.http.delete(f"/connections/{found[0]['id']}", headers=bearer(tokens))
    assert gone.status_code == 204
    assert app.connections(tokens) == found[1:]
    again = app.http.delete(f"/connections/{found[0]['id']}", headers=bearer(tokens))
    assert again.status_code == 404
    # It reaches no organisation.
    assert app.read(tokens, "Organisation", tiny).status_code == 401


def test_the_scope_of_the_app_itself_goes_with_no_other(app: App):
    response = own_token(app, f"app.connections {GRANULAR}")
    assert response.json()["error"] == "invalid_scope"


def test_an_app_without_a_secret_has_no_token_of_its_own(app: App):
    form = {"grant_type": "client_credentials", "client_id": app.sandbox.client_id}
    assert app.http.post("/connect/token", data=form).json() == {"error": "invalid_client"}
