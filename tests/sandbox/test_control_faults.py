"""Faults: each kind as a client meets it, and to whom it happens."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.sandbox.conftest import App

ACCOUNTS = "/api.xro/2.0/Accounts"


def arrange(app: App, path: str = ACCOUNTS, **rule: object) -> None:
    app.sandbox.control("POST", "faults", {"path": path, **rule})


@pytest.fixture
def reader(app: App, tiny: str):
    tokens = app.connect()
    return lambda path="Accounts": app.read(tokens, path, tiny)


def test_a_status_with_body_and_headers_happens_once(app: App, reader):
    arrange(app, status=503, body="The Organisation is offline", headers={"Retry-After": "300"})
    response = reader()
    assert (response.status_code, response.text) == (503, "The Organisation is offline")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Retry-After"] == "300"
    assert "Xero-Correlation-Id" in response.headers
    assert reader().status_code == 200
    assert app.sandbox.control("GET", "faults") == []


def test_a_fault_may_choose_its_own_content_type(app: App, reader):
    arrange(app, status=400, body="{}", headers={"Content-Type": "application/json"})
    assert reader().headers["Content-Type"] == "application/json"


def test_a_fault_happens_as_often_as_asked_or_until_cleared(app: App, reader):
    arrange(app, status=500, times=2)
    assert [reader().status_code for _ in range(3)] == [500, 500, 200]
    arrange(app, status=500, times=0)
    assert {reader().status_code for _ in range(5)} == {500}
    app.sandbox.control("DELETE", "faults")
    assert reader().status_code == 200


def test_a_fault_waits_for_the_call_it_is_meant_for(app: App, reader):
    arrange(app, status=500, call=3)
    assert [reader().status_code for _ in range(4)] == [200, 200, 500, 200]


def test_a_fault_hits_its_path_query_method_and_tenant_only(app: App, reader, tiny: str):
    arrange(app, "/api.xro/2.0/*", status=501, query={"page": "2"}, tenant=tiny, method="GET")
    assert reader("Accounts?page=1").status_code == 200
    arrange(app, "/api.xro/2.0/Accounts", status=502, tenant="another")
    assert reader("Accounts").status_code == 200
    assert reader("Contacts?page=2").status_code == 501
    assert reader("Contacts?page=2").status_code == 200


def test_a_fault_by_chance_is_the_same_for_the_same_seed(app: App, reader):
    seen = []
    for _ in range(2):
        app.sandbox.control("DELETE", "faults")
        arrange(app, status=500, probability=0.5, seed=11, times=0)
        seen.append([reader().status_code for _ in range(12)])
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 500}


def test_a_page_that_is_not_json(app: App, reader):
    arrange(app, kind="not_json")
    response = reader()
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.text.startswith("<!doctype html>")


def test_an_answer_that_stops_in_the_middle(app: App, reader):
    arrange(app, kind="truncated")
    with pytest.raises(httpx.RemoteProtocolError):
        reader()
    assert reader().status_code == 200


def test_a_connection_that_closes_before_the_answer(app: App, reader):
    arrange(app, kind="drop")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        reader()
    dropped = app.sandbox.control("GET", "requests")[-1]
    assert (dropped["status"], dropped["fault"]) == (None, "drop")
    assert reader().status_code == 200


def test_a_slow_answer_is_the_right_answer_late(app: App, reader):
    quick = reader().json()["Accounts"]
    arrange(app, kind="slow", seconds=0.3)
    began = time.perf_counter()
    assert reader().json()["Accounts"] == quick
    assert time.perf_counter() - began >= 0.3


@pytest.mark.parametrize(
    ("kind", "status", "detail"),
    [
        ("token_expired", 401, "TokenExpired"),
        ("scope_missing", 401, "AuthorizationUnsuccessful"),
        ("forbidden", 403, "AuthenticationUnsuccessful"),
        ("offline", 503, "The Organisation is offline"),
    ],
)
def test_a_refusal_looks_like_the_real_one(app: App, reader, kind, status, detail):
    arrange(app, kind=kind)
    response = reader()
    assert response.status_code == status
    assert detail in response.text


@pytest.mark.parametrize(
    ("kind", "problem", "wait"),
    [
        ("minute_limit", "minute", "40"),
        ("day_limit", "day", "40"),
        ("concurrent_limit", "concurrent", None),
        ("app_minute_limit", "appminute", None),
    ],
)
def test_each_kind_of_429_has_the_headers_of_its_kind(app: App, reader, kind, problem, wait):
    arrange(app, kind=kind, seconds=40)
    response = reader()
    assert response.status_code == 429
    assert response.headers["X-Rate-Limit-Problem"] == problem
    assert response.headers.get("Retry-After") == wait


def test_a_refresh_whose_answer_is_lost_has_rotated_and_can_be_tried_again(app: App):
    tokens = app.connect()
    app.sandbox.control("POST", "faults", {"kind": "refresh_answer_lost"})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        app.refresh(tokens["refresh_token"])
    retried = app.refresh(tokens["refresh_token"])
    assert retried.status_code == 200
    app.sandbox.control("POST", "clocks", {"advance_seconds": 1900})
    assert app.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}
    assert app.refresh(retried.json()["refresh_token"]).status_code == 200


def test_a_refused_refresh_leaves_codes_alone(app: App):
    app.sandbox.control("POST", "faults", {"kind": "refused_refresh", "times": 0})
    tokens = app.connect()
    assert app.refresh(tokens["refresh_token"]).json() == {"error": "invalid_grant"}


def test_the_pages_of_login_and_consent_can_fail_too(app: App):
    arrange(app, "/identity/connect/authorize", kind="offline")
    assert app.http.get(app.authorize_url()).status_code == 503
    assert app.http.get(app.authorize_url()).status_code == 302


def test_the_identity_service_and_connections_can_fail_too(app: App):
    tokens = app.connect()
    arrange(app, "/connections", status=503, body="offline")
    arrange(app, "/connect/token", status=502)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert app.http.get("/connections", headers=headers).status_code == 503
    assert app.refresh(tokens["refresh_token"]).status_code == 502
    assert app.refresh(tokens["refresh_token"]).status_code == 200
