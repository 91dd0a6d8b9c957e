"""How long tokens live, how they are replaced, and what a bad one is answered with."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sandbox.conftest import App, bearer
from xero_sandbox.testing import SandboxServer

HALF_AN_HOUR = 30 * 60
DAY = 86_400


def later(sandbox: SandboxServer, seconds: float) -> None:
    sandbox.control("POST", "clocks", {"advance_seconds": seconds})


def works(app: App, tokens: dict[str, Any]) -> bool:
    return app.http.get("/connections", headers=bearer(tokens)).status_code == 200


def test_a_refresh_gives_a_new_set_and_the_new_one_works(app: App):
    first = app.connect()
    second = app.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert works(app, second)
    assert app.refresh(second["refresh_token"]).status_code == 200


def test_the_previous_refresh_token_works_for_thirty_minutes_then_never_again(app: App):
    first = app.connect()
    app.refresh(first["refresh_token"])
    later(app.sandbox, HALF_AN_HOUR - 5)
    retried = app.refresh(first["refresh_token"])
    assert retried.status_code == 200
    assert works(app, retried.json())
    assert app.refresh(retried.json()["refresh_token"]).status_code == 200
    later(app.sandbox, 6)
    dead = app.refresh(first["refresh_token"])
    assert (dead.status_code, dead.json()) == (400, {"error": "invalid_grant"})


def test_a_refresh_token_dies_unused_after_sixty_days_and_lives_on_when_used(app: App):
    token = app.connect()["refresh_token"]
    later(app.sandbox, 59 * DAY)
    second = app.refresh(token)
    assert second.status_code == 200
    later(app.sandbox, 59 * DAY)
    third = app.refresh(second.json()["refresh_token"])
    assert third.status_code == 200
    later(app.sandbox, 60 * DAY)
    assert app.refresh(third.json()["refresh_token"]).json() == {"error": "invalid_grant"}


def test_an_access_token_lives_thirty_minutes_by_the_identity_clock(app: App, tiny: str):
    tokens = app.connect()
    later(app.sandbox, HALF_AN_HOUR - 5)
    assert app.read(tokens, "Organisation", tiny).status_code == 200
    later(app.sandbox, 6)
    response = app.read(tokens, "Organisation", tiny)
    body = response.json()
    assert response.status_code == 401
    assert set(body) == {"Type", "Title", "Status", "Detail", "Instance", "Extensions"}
    assert (body["Title"], body["Status"]) == ("Unauthorized", 401)
    assert body["Detail"].startswith("TokenExpired: token expired at ")
    datetime.strptime(body["Detail"][-19:], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    assert body["Instance"] == response.headers["Xero-Correlation-Id"]
    assert response.headers["WWW-Authenticate"] == "Bearer error=invalid_token"


def test_the_business_clock_does_not_age_tokens(app: App, tiny: str):
    tokens = app.connect()
    future = datetime.now(UTC) + timedelta(days=400)
    app.sandbox.control("POST", "clocks", {"business": future.isoformat()})
    assert app.read(tokens, "Organisation", tiny).status_code == 200


def test_a_revoked_token_takes_every_connection_of_its_user_along(app: App):
    tokens, other = app.connect(), app.connect("kaito@example.com")
    gone = app.http.post(
        "/connect/revocation", data={"token": tokens["refresh_token"]}, auth=app.credentials
    )
    assert (gone.status_code, gone.content) == (200, b"")
    assert app.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert app.connections(tokens) == []
    assert len(app.connections(other)) == 1
    assert app.refresh(other["refresh_token"]).status_code == 200


def test_revoking_an_unknown_token_is_no_error_but_credentials_are_checked(app: App):
    unknown = {"token": "nobody knows it"}
    assert app.http.post("/connect/revocation", data=unknown, auth=app.credentials).is_success
    wrong = app.http.post("/connect/revocation", data=unknown, auth=("sandbox-client", "wrong"))
    assert wrong.json() == {"error": "invalid_client"}


def test_the_control_door_revokes_and_disconnects(app: App, tiny: str):
    tokens = app.connect()
    assert app.sandbox.control("POST", "disconnect", {"tenantId": tiny}) == {"ended": 1}
    assert app.read(tokens, "Organisation", tiny).status_code == 403
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    app.sandbox.control("POST", "revoke", {"email": "ava@example.com"})
    assert app.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}


def foreign_token() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {
        "iss": "https://identity.xero.com",
        "aud": "https://identity.xero.com/resources",
        "exp": int(time.time()) + 1000,
        "jti": "X",
    }
    return jwt.encode(claims, key, algorithm="RS256")


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "AuthenticationUnsuccessful"),
        ("Bearer", "AuthenticationUnsuccessful"),
        ("Bearer garbage", "AuthenticationUnsuccessful"),
        ("Bearer a.b.c", "AuthenticationUnsuccessful"),
        ("Basic eDp5", "AuthenticationUnsuccessful"),
        (f"Bearer {foreign_token()}", "TokenInvalidSignature"),
        (
            f"Bearer {jwt.encode({'exp': 9999999999}, '', algorithm='none')}",
            "AuthenticationUnsuccessful",
        ),
    ],
    ids=["none", "empty", "garbage", "dots", "basic", "foreign", "unsigned"],
)
def test_a_token_that_is_not_ours_is_a_401(app: App, header, detail):
    headers = {"Accept": "application/json"} | ({} if header is None else {"Authorization": header})
    for path in ("/api.xro/2.0/Invoices", "/connections", "/connect/userinfo"):
        response = app.http.get(path, headers=headers)
        assert response.status_code == 401
        assert response.json()["Detail"] == detail
        assert response.headers["WWW-Authenticate"] == "Bearer error=invalid_token"


def test_an_id_token_is_no_access_token(app: App):
    tokens = app.connect()
    response = app.http.get(
        "/connections", headers={"Authorization": f"Bearer {tokens['id_token']}"}
    )
    assert response.status_code == 401


def test_a_token_of_before_a_reset_is_refused(app: App):
    tokens = app.connect()
    app.sandbox.reset()
    assert not works(app, tokens)
    assert app.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}


def test_a_missing_scope_is_a_401_with_its_own_words(app: App, tiny: str):
    tokens = app.connect(scopes="accounting.settings.read")
    response = app.read(tokens, "Invoices", tiny)
    assert response.status_code == 401
    assert response.json()["Detail"] == "AuthorizationUnsuccessful"
    assert response.headers["WWW-Authenticate"] == "Bearer error=insufficient_scope"
    assert app.read(tokens, "Organisation", tiny).status_code == 200


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("accounting.invoices.read", "Invoices"),
        ("accounting.invoices", "CreditNotes"),
        ("accounting.transactions.read", "Payments"),
        ("accounting.transactions", "BankTransactions"),
        ("accounting.reports.read", "Reports/TrialBalance"),
        ("accounting.reports.trialbalance.read", "Reports/TrialBalance"),
    ],
)
def test_granular_and_broad_scopes_are_both_accepted(app: App, tiny: str, scope, path):
    tokens = app.connect(scopes=scope)
    assert app.read(tokens, path, tiny).status_code == 200
    assert app.read(tokens, "Contacts", tiny).status_code == 401


@pytest.mark.parametrize("tenant", [None, "", "nonsense", "2d1c9a9e-0000-4000-8000-000000000000"])
def test_a_missing_or_wrong_tenant_is_a_403(app: App, tenant):
    response = app.read(app.connect(), "Invoices", tenant)
    assert response.status_code == 403
    body = response.json()
    assert (body["Title"], body["Detail"]) == ("Forbidden", "AuthenticationUnsuccessful")


def test_a_tenant_of_another_user_is_a_403(app: App, kauri: str):
    app.connect()
    assert app.read(app.connect("kaito@example.com"), "Invoices", kauri).status_code == 403


def test_one_token_reaches_what_its_user_connected_later(app: App, xero_sandbox: SandboxServer):
    kauri, beacon = list(xero_sandbox.organisations().values())[:2]
    tokens = app.connect(organisations=[kauri])
    assert app.read(tokens, "Nothing", beacon).status_code == 404
    assert app.read(tokens, "Organisation", beacon).status_code == 403
    app.connect(organisations=[beacon])
    assert app.read(tokens, "Organisation", beacon).status_code == 200


def test_a_custom_connection_stands_for_one_organisation_without_a_user(app: App, tiny: str):
    app.sandbox.reset(demo=False)
    made = app.sandbox.control("POST", "organisations", {"name": "Only", "days": 0})
    form = {"grant_type": "client_credentials", "scope": "accounting.settings.read"}
    tokens = app.http.post("/connect/token", data=form, auth=app.credentials).json()
    assert set(tokens) == {"access_token", "expires_in", "token_type", "scope"}
    assert [each["tenantId"] for each in app.connections(tokens)] == [made["tenantId"]]
    assert app.read(tokens, "Organisation").status_code == 200
    assert app.read(tokens, "Organisation", tiny).status_code == 403
    assert app.read(tokens, "Invoices").status_code == 401


@pytest.mark.parametrize("scope", ["openid", "accounting.everything", "offline_access"])
def test_client_credentials_with_a_scope_the_app_lacks_are_refused(app: App, scope):
    form = {"grant_type": "client_credentials", "scope": scope}
    response = app.http.post("/connect/token", data=form, auth=app.credentials)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_scope"
