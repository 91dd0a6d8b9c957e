"""Login, consent, codes and connections, as the real Xero does them."""

from __future__ import annotations

from urllib.parse import urljoin

import httpx
import jwt
import pytest

from tests.sandbox.conftest import CALLBACK, SCOPES, App, bearer
from xero_sandbox.testing import Form, SandboxServer, new_browser, walk_consent


def test_a_person_who_allows_access_is_sent_back_with_a_code_and_the_state(app: App):
    callback = httpx.URL(app.sandbox.consent(app.authorize_url()))
    assert str(callback.copy_with(query=None)) == CALLBACK
    assert set(callback.params) == {"code", "scope", "session_state", "state"}
    assert callback.params["state"] == "state-of-the-app"
    assert callback.params["scope"] == SCOPES


def test_a_person_who_cancels_is_sent_back_with_access_denied(app: App):
    callback = httpx.URL(app.sandbox.consent(app.authorize_url(), allow=False))
    assert dict(callback.params) == {"error": "access_denied", "state": "state-of-the-app"}
    assert app.sandbox.control("GET", "requests")[-1]["status"] == 303


def test_the_chosen_organisations_and_no_others_are_connected(app: App, kauri: str):
    tokens = app.connect(organisations=[kauri])
    found = app.connections(tokens)
    assert [(each["tenantId"], each["tenantName"]) for each in found] == [
        (kauri, "Kauri Coffee Roasters")
    ]
    assert set(found[0]) == {
        "id",
        "authEventId",
        "tenantId",
        "tenantType",
        "tenantName",
        "createdDateUtc",
        "updatedDateUtc",
    }
    assert found[0]["tenantType"] == "ORGANISATION"
    assert found[0]["createdDateUtc"] == found[0]["updatedDateUtc"]
    assert len(found[0]["createdDateUtc"]) == len("2019-07-09T23:40:30.1833130")


def test_a_second_pass_in_the_same_browser_does_not_ask_for_a_login(app: App):
    with new_browser() as person:
        walk_consent(person, app.authorize_url(), email="ava@example.com")
        again = person.get(app.authorize_url())
    assert again.status_code == 200
    assert "consent_id" in Form.of(again).fields


def test_another_login_can_be_used_instead(app: App):
    with new_browser() as person:
        walk_consent(person, app.authorize_url(), email="ava@example.com")
        left = person.get(
            f"{app.sandbox.url}/identity/logout",
            params={"return_url": app.authorize_url().removeprefix(app.sandbox.url)},
        )
        assert left.is_redirect
        assert person.get(app.authorize_url()).headers["Location"].startswith("/identity/login")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"client_id": "somebody-else"}, "unauthorized_client : Unknown client"),
        ({"redirect_uri": "https://evil.example.com/"}, "Invalid redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1:8080/"}, "Invalid redirect_uri"),
        ({"redirect_uri": "http://localhost.evil.com/"}, "Invalid redirect_uri"),
        ({"redirect_uri": "http://[::1/"}, "Invalid redirect_uri"),
        ({"redirect_uri": None}, "Invalid redirect_uri"),
        ({"scope": "openid accounting.everything"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_what_the_app_does_wrong_is_shown_as_a_page_and_never_redirected(app: App, changes, text):
    response = app.http.get(app.authorize_url(**changes))
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert text in response.text


def test_a_wrong_password_asks_again_and_starts_no_session(app: App):
    login = app.http.get(app.authorize_url(), follow_redirects=True)
    form = Form.of(login)
    response = app.http.post(
        form.action, data=form.fields | {"email": "ava@example.com", "password": "guess"}
    )
    assert response.status_code == 200
    assert "password is not right" in response.text
    assert "Set-Cookie" not in response.headers


def test_a_demo_person_logs_in_with_one_button(app: App):
    login = app.http.get(app.authorize_url(), follow_redirects=True)
    form = Form.of(login)
    response = app.http.post(form.action, data=form.fields | {"as": "kaito@example.com"})
    assert response.status_code == 303
    assert "Kaito" in app.http.get(urljoin(app.sandbox.url, response.headers["Location"])).text


def test_login_leads_nowhere_but_to_the_page_that_asked_for_it(app: App):
    form = {"return_url": "https://evil.example.com/", "as": "ava@example.com"}
    assert app.http.post("/identity/login", data=form).headers["Location"] == "/"


def test_the_consent_page_names_scopes_in_plain_words_and_escapes_names(app: App):
    name = '<script>alert("x")</script> & Söhne 🌙'
    made = app.sandbox.control("POST", "organisations", {"name": name, "days": 0})
    mia = {"email": "mia@example.com", "name": "<b>Mia</b>", "organisations": [made["tenantId"]]}
    app.sandbox.control("POST", "users", mia)
    with new_browser() as person:
        walk_consent(person, app.authorize_url(), email="mia@example.com")
        page = person.get(app.authorize_url()).text
    assert "<script>" not in page
    assert "<b>Mia" not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne 🌙" in page
    assert "View your contacts and contact groups" in page
    tokens = app.connect("mia@example.com")
    assert [each["tenantName"] for each in app.connections(tokens)] == [name]


def test_consent_without_an_organisation_asks_again(app: App):
    with new_browser() as person:
        walk_consent(person, app.authorize_url(), email="ava@example.com")
        page = person.get(app.authorize_url())
        answer = Form.of(page).fields | {"decision": "allow"}
        response = person.post(urljoin(app.sandbox.url, "/identity/consent"), data=answer)
    assert response.status_code == 200
    assert "Choose an organisation first" in response.text


def test_consent_cannot_be_given_from_another_browser(app: App, kauri: str):
    with new_browser() as person, new_browser() as thief:
        walk_consent(person, app.authorize_url(), email="ava@example.com")
        walk_consent(thief, app.authorize_url(), email="ava@example.com")
        answer = Form.of(person.get(app.authorize_url())).fields
        answer |= {"decision": "allow", "tenant_id": kauri}
        response = thief.post(f"{app.sandbox.url}/identity/consent", data=answer)
    assert response.status_code == 500
    assert "start again" in response.text


def test_nobody_connects_an_organisation_of_somebody_else(app: App, kauri: str):
    with pytest.raises(ValueError, match="did not end"):
        app.sandbox.consent(app.authorize_url(), "kaito@example.com", [kauri])


def test_one_organisation_at_a_time_where_the_app_asks_for_it(app: App):
    url = app.authorize_url(acr_values="bulk_connect:false")
    with new_browser() as person:
        walk_consent(person, app.authorize_url(), email="ava@example.com")
        assert 'type="radio"' in person.get(url).text


def test_userinfo_tells_who_the_token_belongs_to(app: App):
    who = app.http.get("/connect/userinfo", headers=bearer(app.connect())).json()
    assert (who["email"], who["name"]) == ("ava@example.com", "Ava Ngata")


def test_scopes_add_up_over_consents(app: App):
    app.connect(scopes="offline_access accounting.settings.read")
    tokens = app.connect(scopes="accounting.contacts.read")
    assert tokens["scope"] == "offline_access accounting.settings.read accounting.contacts.read"


def test_connections_of_one_pass_are_found_by_their_event(app: App, xero_sandbox: SandboxServer):
    kauri, beacon = list(xero_sandbox.organisations().values())[:2]
    app.connect(organisations=[kauri])
    tokens = app.connect(organisations=[beacon])
    event = jwt.decode(tokens["access_token"], options={"verify_signature": False})[
        "authentication_event_id"
    ]
    assert {each["tenantId"] for each in app.connections(tokens)} == {kauri, beacon}
    found = app.connections(tokens, authEventId=event)
    assert [each["tenantId"] for each in found] == [beacon]
    assert app.connections(tokens, authEventId="another") == []


def test_a_deleted_connection_is_gone_until_it_is_made_again(app: App, tiny: str):
    tokens = app.connect()
    (before,) = app.connections(tokens)
    gone = app.http.delete(f"/connections/{before['id']}", headers=bearer(tokens))
    assert (gone.status_code, gone.content) == (204, b"")
    assert app.connections(tokens) == []
    assert app.read(tokens, "Organisation", tiny).status_code == 403
    again = app.http.delete(f"/connections/{before['id']}", headers=bearer(tokens))
    assert again.status_code == 404
    (after,) = app.connections(app.connect())
    assert after["id"] == before["id"]
    assert after["createdDateUtc"] == before["createdDateUtc"] < after["updatedDateUtc"]
    assert app.read(tokens, "Organisation", tiny).status_code == 200


def test_nobody_deletes_a_connection_of_somebody_else(app: App):
    (connection,) = app.connections(app.connect("kaito@example.com"))
    tokens = app.connect()
    gone = app.http.delete(f"/connections/{connection['id']}", headers=bearer(tokens))
    assert gone.status_code == 404


def test_connections_answers_to_the_spelling_of_the_sdk(app: App):
    tokens = app.connect()
    response = app.http.get("/Connections", headers=bearer(tokens))
    assert response.json() == app.connections(tokens)


def test_a_user_who_loses_an_organisation_loses_its_connection(app: App, tiny: str):
    tokens = app.connect()
    app.sandbox.control("POST", "users", {"email": "ava@example.com", "organisations": []})
    assert app.connections(tokens) == []
    assert app.read(tokens, "Organisation", tiny).status_code == 403
