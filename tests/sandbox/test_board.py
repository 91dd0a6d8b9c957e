"""The board at `/`: everything a person wants to see, escaped, and quick with many of each."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from tests.sandbox.conftest import App

ACCOUNTS = "/api.xro/2.0/Accounts"


def board(app: App, query: str = "") -> str:
    response = app.http.get(f"/{query}")
    assert response.status_code == 200
    return response.text


def section(page: str, title: str) -> str:
    found = re.search(rf"<h2>{title}.*?</section>", page, re.DOTALL)
    assert found is not None, title
    return found[0]


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_everything_is_shown_escaped_and_nothing_is_built(app: App):
    name = '<script>alert("x")</script> & Söhne 🌙'
    made = app.sandbox.control("POST", "organisations", {"name": name, "days": 0})
    user = {"email": "mia@example.com", "name": "<u>Mia</u>", "organisations": [made["tenantId"]]}
    app.sandbox.control("POST", "users", user)
    rule = {"path": "/<i>", "kind": "drop", "query": {"<s>": "</table>"}, "tenant": "<em>"}
    app.sandbox.control("POST", "faults", rule)
    app.sandbox.control("POST", "app", {"name": "<b>App</b>"})
    app.http.get("/<b>bold</b>")
    page = board(app)
    for text in ("<script>", "<i>", "<b>", "<u>", "<s>", "<em>"):
        assert text not in page
    for text in ("Söhne 🌙", "Kauri Coffee Roasters", "ava@example.com", "/&lt;i&gt;", "&lt;u&gt;"):
        assert text in page
    assert not app.sandbox.world.is_built(made["tenantId"])


def test_no_script_runs_and_no_other_site_may_frame_it(app: App):
    headers = app.http.get("/").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_the_style_is_served_and_no_other_file(app: App):
    style = app.http.get("/_sandbox/static/sandbox.css")
    assert style.headers["Content-Type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text
    for path in ("../app.py", "%2e%2e/app.py", "nothing.css"):
        assert app.http.get(f"/_sandbox/static/{path}").status_code == 404


def test_the_clocks_the_app_and_the_limits_are_shown(app: App):
    clocks = {"business": "2026-02-28T10:00:00Z", "identity": "2027-01-31T00:00:00Z"}
    app.sandbox.control("POST", "clocks", clocks)
    app.sandbox.control("POST", "app", {"tier": "starter", "era": "granular"})
    text = words(board(app))
    assert re.search(r"Business clock 10:00:\d\d Saturday 28 February 2026", text)
    assert re.search(r"Identity clock 00:00:\d\d Sunday 31 January 2027", text)
    assert "Limits on 10,000 of 10,000 app calls left this minute" in text
    assert "tier starter, granular scopes, 5 more connections" in text
    app.sandbox.control("POST", "limits", {"enabled": False, "tier": "enterprise"})
    text = words(board(app))
    assert "Limits off" in text
    assert "no cap of connections" in text


def test_organisations_show_what_is_left_to_them(app: App, tiny: str):
    tokens = app.connect()
    for _ in range(50):
        app.read(tokens, "Organisation", tiny)
    rows = section(board(app), "Organisations")
    assert "Organisations 4" in words(rows)
    assert f"Tiny {tiny} in use 1 10 of 60 4,950 of 5,000" in words(rows)
    assert 'class="number low">10' in rows
    assert "not touched yet 0 60 of 60" in words(rows)


def test_faults_say_what_they_wait_for(app: App, tiny: str):
    rule = {
        "path": ACCOUNTS,
        "kind": "offline",
        "tenant": tiny,
        "query": {"page": "2"},
        "call": 3,
        "times": 0,
        "probability": 0.25,
    }
    app.sandbox.control("POST", "faults", rule)
    app.sandbox.control("POST", "faults", {"path": "/connections", "status": 502, "times": 2})
    text = words(section(board(app), "Faults in force"))
    assert f"offline {ACCOUNTS} Tiny page=2, from call 3, chance 0.25 no end" in text
    assert "status 502 /connections any always 2" in text


def test_requests_are_shown_newest_first_with_their_fault(app: App, tiny: str):
    tokens = app.connect()
    app.sandbox.control("POST", "faults", {"path": ACCOUNTS, "kind": "drop"})
    with pytest.raises(httpx.HTTPError):
        app.read(tokens, "Accounts", tiny)
    app.read(tokens, "Organisation", tiny)
    text = words(section(board(app), "Last requests"))
    organisation, accounts = (
        text.index("GET /api.xro/2.0/Organisation Tiny 200"),
        text.index(f"GET {ACCOUNTS} Tiny no answer drop"),
    )
    assert organisation < accounts


def test_tokens_are_shown_by_their_state_and_never_themselves(app: App):
    first = app.connect()
    second = app.refresh(first["refresh_token"]).json()
    page = board(app)
    rows = words(section(page, "Refresh tokens"))
    assert "Refresh tokens 2" in rows
    assert rows.index("current, until") < rows.index("replaced, works until")
    for secret in (first["refresh_token"], second["refresh_token"], app.sandbox.client_secret):
        assert secret not in page
    app.sandbox.control("POST", "clocks", {"advance_seconds": 61 * 86_400})
    assert words(section(board(app), "Refresh tokens")).count("over dead") == 2


def test_a_thousand_organisations_are_shown_page_by_page_at_once(app: App):
    made = [
        app.sandbox.world.add_company(f"Many {n}", seed=n, days=30, traits={}).tenant_id
        for n in range(1000)
    ]
    user = {"email": "mia@example.com", "name": "Mia", "organisations": made}
    app.sandbox.control("POST", "users", user)
    app.connect("mia@example.com")
    began = time.perf_counter()
    page = board(app)
    assert time.perf_counter() - began < 0.5
    assert "Organisations 1,003" in words(page)
    assert "Page 1 of 51 Next →" in words(page)
    assert "Many 0, Many 1, Many 2 and 997 more" in words(page)
    assert page.count("not touched yet") == 20
    last = words(board(app, "?page=51"))
    assert "Many 999" in last
    assert "← Back Page 51 of 51" in last


@pytest.mark.parametrize("query", ["?page=0", "?page=-1", "?page=abc", "?page=٣", "?refresh=x"])
def test_a_page_that_does_not_exist_is_the_first(app: App, query: str):
    assert "Kauri Coffee Roasters" in board(app, query)


def test_the_board_refreshes_itself_where_asked(app: App):
    assert "http-equiv" not in board(app)
    assert '<meta http-equiv="refresh" content="5">' in board(app, "?refresh=5")
    assert "http-equiv" not in board(app, "?refresh=0")
    assert "http-equiv" not in board(app, "?refresh=99999")
