"""The control door: arranging what the clients under test will meet."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.sandbox.conftest import App
from xero_sandbox.testing import SandboxServer

DEMO = ["Kauri Coffee Roasters", "Beacon & Sons <Joinery>", "Måne Studio 🌙"]


def test_the_demo_has_three_organisations_and_two_people(xero_sandbox: SandboxServer):
    assert list(xero_sandbox.organisations()) == DEMO
    people = xero_sandbox.control("GET", "users")
    names = {tenant_id: name for name, tenant_id in xero_sandbox.organisations().items()}
    assert {p["email"]: [names[key] for key in p["organisations"]] for p in people} == {
        "ava@example.com": DEMO[:2],
        "kaito@example.com": DEMO[2:],
    }


def test_health_is_ok(xero_sandbox: SandboxServer):
    assert xero_sandbox.control("GET", "/_sandbox/health") == {"status": "ok"}


def test_reset_forgets_everything_that_was_arranged(app: App, tiny: str):
    app.connect()
    app.sandbox.control("POST", "clocks", {"business": "2020-01-01T00:00:00Z"})
    app.sandbox.control("POST", "limits", {"enabled": False, "minute": 1})
    app.sandbox.control("POST", "faults", {"path": "/connections", "times": 0})
    app.sandbox.control("POST", "reset", {})
    assert list(app.sandbox.organisations()) == DEMO
    clocks = app.sandbox.control("GET", "clocks")
    assert datetime.fromisoformat(clocks["business"]).year >= 2026
    limits = app.sandbox.control("GET", "limits")
    assert (limits["enabled"], limits["minute"]) == (True, 60)
    assert app.sandbox.control("GET", "faults") == []
    assert app.sandbox.control("GET", "requests") == []
    assert len(app.connections(app.connect(), authEventId="none")) == 0


def test_another_seed_gives_other_organisations(xero_sandbox: SandboxServer):
    before = xero_sandbox.organisations()
    xero_sandbox.control("POST", "reset", {"seed": 8})
    assert list(xero_sandbox.organisations()) == DEMO
    assert set(before.values()).isdisjoint(xero_sandbox.organisations().values())
    xero_sandbox.control("POST", "reset", {})
    assert xero_sandbox.organisations() == before


def test_clocks_are_set_apart_and_tick_on(xero_sandbox: SandboxServer):
    asked = {"business": "2026-11-20T12:00:00Z", "identity": "2026-12-01T00:00:00+13:00"}
    set_to = xero_sandbox.control("POST", "clocks", asked)
    wanted = (datetime(2026, 11, 20, 12, tzinfo=UTC), datetime(2026, 11, 30, 11, tzinfo=UTC))
    for name, moment in zip(("business", "identity"), wanted, strict=True):
        assert timedelta(0) <= datetime.fromisoformat(set_to[name]) - moment < timedelta(minutes=1)
    later = xero_sandbox.control("POST", "clocks", {"advance_seconds": 86_400})
    for name in ("business", "identity"):
        moved = datetime.fromisoformat(later[name]) - datetime.fromisoformat(set_to[name])
        assert timedelta(days=1) <= moved < timedelta(days=1, minutes=1)


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("clocks", {"business": "yesterday"}, "is not a time such as"),
        ("clocks", {"business": 5}, "business cannot be 5"),
        ("clocks", {"busines": "2026-11-20"}, "unknown field 'busines'"),
        ("clocks", {"advance_seconds": 1e15}, "advance_seconds cannot be"),
        ("clocks", {"advance_seconds": 1e10}, "years 1990 to 2100"),
        ("clocks", {"business": "1850-01-01"}, "years 1990 to 2100"),
        ("organisations", {}, 'needs a "name"'),
        ("organisations", {"name": "X", "days": -1}, "days must be"),
        ("organisations", {"name": "X", "days": "many"}, "days cannot be 'many'"),
        ("organisations", {"name": "X", "traits": {"colour": "red"}}, "unknown traits: colour"),
        ("organisations", {"name": "X", "traits": {"country": "FR"}}, "country 'FR'"),
        ("organisations", {"payloads": "/no/such/folder"}, "folder"),
        ("users", {"email": "nobody"}, 'needs an "email"'),
        ("users", {"email": "a@b.c", "organisations": ["x"]}, "unknown organisations: x"),
        ("limits", {"minute": "few"}, "minute cannot be 'few'"),
        ("faults", {"status": 500}, "needs a path"),
        ("faults", {"path": "/", "kind": "rude"}, "unknown kind 'rude'"),
        ("faults", {"path": "/", "colour": "red"}, "unknown field 'colour'"),
        ("faults", {"path": "/", "times": "often"}, "times of a fault cannot be 'often'"),
        ("documents", {"action": "pay"}, "unknown organisation"),
        ("disconnect", {"tenantId": "x"}, "unknown organisation 'x'"),
        ("revoke", {"email": "x"}, "unknown user 'x'"),
        ("reset", [], "not a JSON object"),
        ("reset", {"seed": True}, "seed cannot be True"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    xero_sandbox: SandboxServer, path, body, sentence
):
    with pytest.raises(ValueError, match="400") as caught:
        xero_sandbox.control("POST", path, body)
    assert sentence in str(caught.value)


def test_a_body_that_is_not_json_is_refused(app: App):
    response = app.http.post("/_sandbox/clocks", content=b"{")
    assert (response.status_code, response.json()) == (400, {"error": "the body is not JSON"})


def test_a_page_of_another_site_cannot_use_the_door(app: App):
    headers = {"Origin": "https://evil.example.com"}
    assert app.http.post("/_sandbox/reset", headers=headers).status_code == 400
    rebound = {"Origin": "http://evil.example.com", "Host": "evil.example.com"}
    assert app.http.post("/_sandbox/reset", headers=rebound).status_code == 400
    own = {"Origin": app.sandbox.url}
    assert app.http.post("/_sandbox/reset", headers=own).status_code == 200


@pytest.mark.parametrize("path", ["/", "/_sandbox/requests", "/_sandbox/health"])
def test_a_name_that_leads_here_from_another_site_reads_nothing(app: App, path: str):
    for host in ("evil.example.com", "evil.example.com:9000", "localhost.example.com", "evil.com."):
        response = app.http.get(path, headers={"Host": host})
        assert response.status_code == 400
        assert response.json()["error"].endswith("does not take requests from other sites")
    for host in ("localhost", "127.0.0.1:9", "[::1]:9", "sandbox.localhost:9000", "sandbox:9000"):
        assert app.http.get(path, headers={"Host": host}).status_code == 200


def test_what_is_left_out_of_a_user_stays(app: App, kauri: str):
    door = app.sandbox.control
    owned = {"email": "ava@example.com", "organisations": [kauri]}
    made = door("POST", "users", owned)
    assert (made["name"], made["organisations"]) == ("Ava Ngata", [kauri])
    named = door("POST", "users", {"email": "AVA@example.com", "name": "Ava Rangi"})
    assert (named["name"], named["organisations"]) == ("Ava Rangi", [kauri])
    assert door("POST", "users", owned | {"organisations": []})["organisations"] == []
    assert door("POST", "users", {"email": "mo@example.com"})["name"] == "Mo"


@pytest.mark.parametrize("name", ["x" * 256, "a\0b", "a\nb", "\x7f", "a\x85b"])
def test_a_name_that_no_organisation_has_is_refused(app: App, name: str):
    made = app.http.post("/_sandbox/organisations", json={"name": name, "days": 0})
    assert made.status_code == 400
    assert "at most 255 characters" in made.json()["error"]


def test_a_name_may_be_long_and_of_every_script(app: App):
    name = ("Whānau 👩‍👩‍👧 เจริญ " * 20)[:255]
    made = app.sandbox.control("POST", "organisations", {"name": name.strip(), "days": 0})
    assert made["name"] == name.strip()


@pytest.mark.parametrize(
    ("traits", "days", "message"),
    [
        ({"invoices_per_day": 1e9}, 1, "invoices_per_day must be at most 2,000"),
        ({"bank_transactions_per_day": 10**400}, 1, "must be at most 2,000"),
        ({"extra_lines": 101}, 1, "extra_lines must be at most 100"),
        ({"customers": 10_001}, 1, "customers must be at most 10,000"),
        ({"size": "huge"}, 3650, "3650 days would be about 1,3"),
        ({"invoices_per_day": 2000, "extra_lines": 100}, 2, "documents and extra lines"),
    ],
)
def test_an_organisation_that_no_machine_could_hold_is_refused(app: App, traits, days, message):
    wanted = {"name": "Vast", "days": days, "traits": traits}
    made = app.http.post("/_sandbox/organisations", json=wanted)
    assert made.status_code == 400
    assert message in made.json()["error"]


def test_a_huge_organisation_of_three_years_is_possible_and_not_of_twenty(app: App):
    door = app.sandbox.control
    door("POST", "organisations", {"name": "Huge", "days": 1080, "traits": {"size": "huge"}})
    plan = next(each for each in app.sandbox.world.plans.values() if each.name == "Huge")
    app.sandbox.world.plans[plan.tenant_id] = replace(
        plan, built_at=app.sandbox.world.business.now()
    )
    before = door("GET", "clocks")
    with pytest.raises(ValueError, match=r"Huge: .* documents and extra lines"):
        door("POST", "clocks", {"advance_seconds": 20 * 365 * 86_400})
    assert door("GET", "clocks")["business"][:16] == before["business"][:16]
    door("POST", "clocks", {"advance_seconds": -86_400})


def test_a_day_limit_lasts_for_hours_unless_said_otherwise(app: App):
    add = lambda **rule: app.sandbox.control("POST", "faults", {"path": "/*"} | rule)  # noqa: E731
    assert add(kind="day_limit")["seconds"] == 41_000
    assert add(kind="day_limit", seconds=5)["seconds"] == 5
    assert add(kind="minute_limit")["seconds"] == 1


def test_an_organisation_is_described_in_figures(xero_sandbox: SandboxServer):
    xero_sandbox.reset(demo=False)
    made = xero_sandbox.control(
        "POST", "organisations", {"name": 'Å <"Ω"> 🌙', "seed": 3, "days": 20}
    )
    assert set(made) == {"tenantId", "name"}
    (described,) = xero_sandbox.control("GET", "organisations")
    assert described["tenantId"] == made["tenantId"]
    assert described["name"] == 'Å <"Ω"> 🌙'
    assert described["figures"]["Invoices"] > 0


def test_the_same_organisation_again_is_no_error_and_another_of_its_name_is(
    xero_sandbox: SandboxServer,
):
    wanted = {"name": "Twin", "seed": 3, "days": 20}
    first = xero_sandbox.control("POST", "organisations", wanted)
    assert xero_sandbox.control("POST", "organisations", wanted) == first
    with pytest.raises(ValueError, match="other days or traits"):
        xero_sandbox.control("POST", "organisations", wanted | {"days": 21})


def test_given_payloads_are_served_as_they_are(app: App, tmp_path: Path):
    organisation = {
        "Name": "Given & Co",
        "OrganisationID": "11111111-2222-4333-8444-555555555555",
        "Custom": [1.50],
    }
    path = tmp_path / "Organisation.json"
    path.write_text(json.dumps({"Organisations": [organisation]}), encoding="utf-8")
    made = app.sandbox.control("POST", "organisations", {"payloads": str(tmp_path)})
    assert made["name"] == "Given & Co"
    owned = {"email": "gia@example.com", "organisations": [made["tenantId"]]}
    app.sandbox.control("POST", "users", owned)
    response = app.read(app.connect("gia@example.com"), "Organisation", made["tenantId"])
    assert response.json()["Organisations"] == [organisation]


def test_a_document_is_changed_through_the_door_and_clients_see_it(app: App, tiny: str):
    contact = {"tenantId": tiny, "action": "create_contact", "name": "Ridgeway"}
    app.sandbox.control("POST", "documents", contact)
    invoice = {"tenantId": tiny, "action": "create_invoice", "contact": "Ridgeway"}
    made = app.sandbox.control("POST", "documents", invoice | {"amount": "115.00"})
    tokens = app.connect()
    (seen,) = app.read(tokens, "Invoices?page=1", tiny).json()["Invoices"]
    assert seen["InvoiceID"] == made["InvoiceID"]
    assert seen["Status"] == "AUTHORISED"
    paid = {"tenantId": tiny, "action": "pay", "id": made["InvoiceID"]}
    app.sandbox.control("POST", "documents", paid)
    (seen,) = app.read(tokens, "Invoices?page=1", tiny).json()["Invoices"]
    assert seen["Status"] == "PAID"


@pytest.mark.parametrize("action", ["", "unheard_of", "pay", "create_invoice"])
def test_an_action_that_does_not_fit_is_refused(app: App, tiny: str, action):
    with pytest.raises(ValueError, match="400"):
        app.sandbox.control("POST", "documents", {"tenantId": tiny, "action": action})


def test_requests_are_logged_without_any_secret(app: App, tiny: str):
    tokens = app.connect()
    app.refresh(tokens["refresh_token"])
    since = "2026-11-20T03:04:05"
    app.read(tokens, "Accounts?page=2&unitdp=4", tiny, **{"If-Modified-Since": since})
    app.read(tokens, "Unheard", tiny)
    log = app.sandbox.control("GET", "requests")
    accounts = log[-2]
    assert (accounts["method"], accounts["path"]) == ("GET", "/api.xro/2.0/Accounts")
    assert (accounts["tenant"], accounts["status"]) == (tiny, 200)
    assert (accounts["query"], accounts["modifiedSince"]) == ("page=2&unitdp=4", since)
    assert accounts["durationMs"] > 0
    assert (log[-1]["status"], log[-1]["number"]) == (404, len(log))
    text = json.dumps(log)
    for secret in (tokens["access_token"], tokens["refresh_token"], app.sandbox.client_secret):
        assert secret not in text
    assert "code" not in text
    assert "_sandbox" not in text


def test_the_log_can_be_read_from_a_number_or_a_moment_and_cleared(app: App):
    app.http.get("/nowhere")
    app.sandbox.control("POST", "clocks", {"advance_seconds": 3600})
    app.http.get("/elsewhere")
    log = app.sandbox.control("GET", "requests")
    assert [each["path"] for each in log] == ["/nowhere", "/elsewhere"]
    door = app.sandbox.control
    moment = datetime.fromisoformat(log[1]["at"]).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for since in (log[0]["number"], moment):
        found = door("GET", f"requests?since={since}")
        assert [each["path"] for each in found] == ["/elsewhere"]
    door("DELETE", "requests")
    assert door("GET", "requests") == []
