"""The whole consent over HTTP: Airflow's real API server, the sandbox's real pages."""

from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest


@dataclass
class Visit:
    """A browser that began a consent: its client and where Xero wants to see it."""

    client: httpx.Client
    authorize_url: str


@pytest.fixture
def begin(airflow):
    """Press Connect to Xero in a fresh browser, logged in as a user (an admin by default)."""
    clients = []

    def press(user: str = "admin", client: httpx.Client | None = None) -> Visit:
        if client is None:
            client = airflow.client(user)
            clients.append(client)
        response = client.get("/xero/connect", headers={"Sec-Fetch-Site": "same-origin"})
        assert response.status_code == 303, response.text
        return Visit(client, response.headers["location"])

    yield press
    for client in clients:
        client.close()


def organisations_of(airflow: Any, user: str = "admin") -> dict[str, dict[str, Any]]:
    with airflow.client(user) as client:
        found = client.get("/xero/api/organisations").raise_for_status().json()
    return {one["name"]: one for one in found["organisations"]}


def state_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def count(warehouse: Any, table: str) -> int:
    return int(warehouse.execute(f"select count(*) from xero_ops.{table}").fetchone()[0])


def test_a_consent_connects_the_chosen_organisations(airflow, xero_sandbox, begin):
    visit = begin("operator")

    response = visit.client.get(xero_sandbox.consent(visit.authorize_url, "ava@example.com"))

    assert response.status_code == 303
    assert response.headers["location"] == "/plugin/xero?connected=2"
    organisations = organisations_of(airflow)
    assert set(organisations) == {"Beacon & Sons <Joinery>", "Kauri Coffee Roasters"}
    one = organisations["Kauri Coffee Roasters"]
    assert one.pop("tenant_id") == xero_sandbox.organisations()["Kauri Coffee Roasters"]
    assert one.pop("connected_at") is not None
    assert one == {
        "name": "Kauri Coffee Roasters",
        "state": "new",
        "reason": None,
        "resume_at": None,
        "connected_by": "operator",
        "last_complete_day": None,
        "last_extracted_at": None,
    }


def test_two_xero_users_connect_theirs_side_by_side(airflow, xero_sandbox, begin):
    for email in ("ava@example.com", "kaito@example.com"):
        visit = begin()
        visit.client.get(xero_sandbox.consent(visit.authorize_url, email))

    assert set(organisations_of(airflow)) == set(xero_sandbox.organisations())


def test_two_tabs_of_one_browser_may_both_finish(airflow, xero_sandbox, begin):
    first = begin()
    second = begin(client=first.client)

    for visit, email in ((first, "ava@example.com"), (second, "kaito@example.com")):
        response = visit.client.get(xero_sandbox.consent(visit.authorize_url, email))
        assert response.status_code == 303

    assert len(organisations_of(airflow)) == 3


def test_the_cookie_is_bound_and_hidden_and_gone_afterwards(airflow, xero_sandbox):
    with airflow.client("admin") as client:
        begun = client.get("/xero/connect")
        (cookie,) = SimpleCookie(begun.headers["set-cookie"]).values()
        done = client.get(xero_sandbox.consent(begun.headers["location"]))

    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/xero", "lax", True)
    assert cookie["max-age"] == "600"
    assert not cookie["secure"]  # localhost without https
    assert cookie.value not in begun.headers["location"]
    assert f'{cookie.key}=""' in done.headers["set-cookie"]


def test_the_cookie_is_secure_when_xero_returns_to_https(airflow, xero_sandbox):
    airflow.set_xero(xero_sandbox, redirect_uri="https://airflow.example/xero/callback")

    with airflow.client("admin") as client:
        begun = client.get("/xero/connect")

    assert "secure" in begun.headers["set-cookie"].lower()


def test_a_callback_cannot_be_replayed(airflow, xero_sandbox, begin):
    visit = begin()
    cookies = dict(visit.client.cookies)
    callback = xero_sandbox.consent(visit.authorize_url)
    visit.client.get(callback)
    visit.client.cookies.update(cookies)

    response = visit.client.get(callback)

    assert response.status_code == 409
    assert "was used already: press Connect to Xero again" in response.text


def test_a_callback_in_another_browser_is_refused(xero_sandbox, begin, warehouse):
    victim, attacker = begin(), begin()

    response = victim.client.get(xero_sandbox.consent(attacker.authorize_url))

    assert response.status_code == 409
    assert "begun in another browser" in response.text
    assert (count(warehouse, "grants"), count(warehouse, "connections")) == (0, 0)


def test_a_callback_without_any_cookie_is_refused(airflow, xero_sandbox, begin, warehouse):
    visit = begin()

    with airflow.client() as stranger:
        response = stranger.get(xero_sandbox.consent(visit.authorize_url))

    assert response.status_code == 409
    assert count(warehouse, "grants") == 0


def test_a_consent_of_more_than_ten_minutes_is_refused(xero_sandbox, begin, warehouse):
    visit = begin()
    warehouse.execute(
        "update xero_ops.authorisations set started_at = started_at - interval '11 minutes'"
    )

    response = visit.client.get(xero_sandbox.consent(visit.authorize_url))

    assert response.status_code == 409
    assert "longer than ten minutes" in response.text
    assert count(warehouse, "grants") == 0


def test_an_unknown_state_is_refused(airflow):
    with airflow.client("admin") as client:
        response = client.get("/xero/callback", params={"state": "<b>", "code": "<script>"})

    assert response.status_code == 409
    assert "<script>" not in response.text


def test_a_code_of_another_consent_is_refused(xero_sandbox, begin, warehouse):
    mine, other = begin(), begin()
    stolen = parse_qs(urlsplit(xero_sandbox.consent(other.authorize_url)).query)["code"][0]

    response = mine.client.get(
        "/xero/callback", params={"state": state_in(mine.authorize_url), "code": stolen}
    )

    assert response.status_code == 409
    assert count(warehouse, "grants") == 0


def test_a_person_who_says_no_reads_that_nothing_happened(xero_sandbox, begin, warehouse):
    visit = begin()

    response = visit.client.get(xero_sandbox.consent(visit.authorize_url, allow=False))

    assert response.status_code == 200
    assert "Nothing was connected" in response.text
    assert count(warehouse, "grants") == 0


def test_a_wrong_client_secret_is_explained(airflow, xero_sandbox, begin):
    visit = begin()
    airflow.set_xero(xero_sandbox, password="not-the-secret")

    response = visit.client.get(xero_sandbox.consent(visit.authorize_url))

    assert response.status_code == 409
    assert "secret" in response.text
    assert "not-the-secret" not in response.text


def test_xero_being_down_is_a_try_later(xero_sandbox, begin):
    visit = begin()
    callback = xero_sandbox.consent(visit.authorize_url)
    fault = {"path": "/connect/token", "status": 503, "times": 10}
    xero_sandbox.control("POST", "faults", fault)

    response = visit.client.get(callback)

    assert response.status_code == 503
    assert "Xero cannot answer now" in response.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_start_from_another_site_begins_nothing(airflow, warehouse, site):
    with airflow.client("admin") as client:
        response = client.get("/xero/connect", headers={"Sec-Fetch-Site": site})

    assert response.status_code == 303
    assert response.headers["location"] == "/plugin/xero"
    assert "set-cookie" not in response.headers
    assert count(warehouse, "authorisations") == 0


def test_no_secret_reaches_the_log_or_the_answer(airflow, xero_sandbox, warehouse):
    with airflow.client("admin") as client:
        begun = client.get("/xero/connect")
        (cookie,) = SimpleCookie(begun.headers["set-cookie"]).values()
        callback = xero_sandbox.consent(begun.headers["location"])
        done = client.get(callback)

    code = parse_qs(urlsplit(callback).query)["code"][0]
    state = state_in(callback)
    tokens = bytes(warehouse.execute("select tokens from xero_ops.grants").fetchone()[0])
    seen = airflow.log.read_text() + str(done.headers) + done.text
    secrets = (code, state, cookie.value, tokens.decode(), xero_sandbox.client_secret)
    assert "path=/xero/callback" in seen
    assert [secret for secret in secrets if secret in seen] == []
