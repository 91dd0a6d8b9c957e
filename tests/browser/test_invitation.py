"""Somebody without a login is invited: from the link to the thank-you page, and nowhere else."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from airflow_xero.web.visitors import consent_cookie
from tests.browser.organisations import fill_many

Invite = Callable[..., dict[str, Any]]
OURS = {"X-Xero-Page": "1", "Sec-Fetch-Site": "same-origin"}
KAURI = "Kauri Coffee Roasters"


@pytest.fixture
def invite(airflow: Any) -> Invite:
    """Let a user of Airflow make an invitation; the answer with its link."""

    def make(user: str = "operator", **wished: Any) -> dict[str, Any]:
        with airflow.client(user) as client:
            answer = client.post("/xero/api/invitations", json=wished, headers=OURS)
        return dict(answer.raise_for_status().json())

    return make


@pytest.fixture
def open_link(browsing: BrowserContext) -> Iterator[Callable[[str], Page]]:
    """A browser that knows nothing opens a link; no script may fail."""
    browsing.clear_cookies()
    failures: list[str] = []

    def visit(url: str) -> Page:
        page = browsing.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(url)
        return page

    yield visit
    for page in browsing.pages:
        page.close()
    assert failures == []


def ask(client: httpx.Client, question: str, token: str, **headers: str) -> httpx.Response:
    return client.post(
        f"/xero/invitation/{question}", json={"token": token}, headers={**OURS, **headers}
    )


def token_of(invitation: dict[str, Any]) -> str:
    return str(urlsplit(invitation["url"]).fragment)


def state_of(warehouse: Any) -> Any:
    return warehouse.execute(
        "select used_at is not null, used_by_email, revoked_at is not null"
        " from xero_ops.invitations"
    ).fetchone()


def count(warehouse: Any, table: str) -> int:
    return int(warehouse.execute(f"select count(*) from xero_ops.{table}").fetchone()[0])


# --- The way of the invited ----------------------------------------------------------------------


def test_a_bookkeeper_without_a_login_connects_once(
    airflow, invite, open_link, warehouse, keep_screenshot
):
    link = invite(note="For the year-end, please choose <Kauri>.", grants=["reports"])["url"]
    page = open_link(link)

    expect(page.get_by_text("operator invites you to connect your organisation")).to_be_visible()
    expect(page.get_by_text("For the year-end, please choose <Kauri>.")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_count(2)
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        keep_screenshot(page, f"invited-{colours}")
    # The secret is nowhere to be seen or sent.
    expect(page).to_have_url(f"{airflow.url}/xero/invitation")
    page.get_by_role("button", name="Continue to Xero").click()
    page.get_by_label("Email address").fill("ava@example.com")
    page.get_by_label("Password").fill("sandbox")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("checkbox", name=KAURI).check()
    page.get_by_role("button", name="Allow access").click()

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_text([KAURI])
    page.set_viewport_size({"width": 390, "height": 844})
    keep_screenshot(page, "thanks-dark-phone")
    expect(page.get_by_role("link")).to_have_count(0)
    assert state_of(warehouse) == (True, "ava@example.com", False)
    connected_by, scopes = warehouse.execute(
        "select connected_by, scopes from xero_ops.grants"
    ).fetchone()
    assert connected_by == "operator (by invitation)"
    assert "accounting.reports.trialbalance.read" in scopes
    assert "accounting.budgets.read" not in scopes
    again = open_link(link)
    expect(again.get_by_text("This invitation was used on")).to_be_visible()


def test_the_link_is_in_no_log_and_no_database(airflow, xero_sandbox, invite, warehouse):
    token = token_of(invite())
    with airflow.client() as client:
        begun = ask(client, "begin", token)
        cookie = next(iter(client.cookies.values()))
        client.get(xero_sandbox.consent(begun.json()["url"]))

    secret, _, signature = token.partition(".")
    stored = str(warehouse.execute("select * from xero_ops.invitations").fetchall())
    stored += str(warehouse.execute("select * from xero_ops.audit_log").fetchall())
    seen = stored + airflow.log.read_text()
    assert [one for one in (secret, signature, cookie) if one in seen] == []


def test_who_says_no_may_come_again(airflow, xero_sandbox, invite, warehouse):
    token = token_of(invite())
    with airflow.client() as client:
        url = ask(client, "begin", token).json()["url"]
        refused = client.get(xero_sandbox.consent(url, allow=False))
        url = ask(client, "begin", token).json()["url"]
        done = client.get(xero_sandbox.consent(url))

    assert "it still works" in refused.text
    assert "href" not in re.sub(r"<link[^>]*>", "", refused.text)
    assert (done.status_code, "Thank you" in done.text) == (200, True)
    assert state_of(warehouse) == (True, "ava@example.com", False)


def test_an_invitation_is_given_back_when_xero_is_down(airflow, xero_sandbox, invite, warehouse):
    token = token_of(invite())
    with airflow.client() as client:
        callback = xero_sandbox.consent(ask(client, "begin", token).json()["url"])
        xero_sandbox.control("POST", "faults", {"path": "/connect/token", "kind": "offline"})
        refused = client.get(callback)

    assert refused.status_code == 503
    assert "open your invitation link again in a few minutes" in refused.text
    assert state_of(warehouse) == (False, None, False)


def test_the_invited_are_not_told_how_we_are_set_up(airflow, xero_sandbox, invite, warehouse):
    token = token_of(invite())
    with airflow.client() as client:
        callback = xero_sandbox.consent(ask(client, "begin", token).json()["url"])
        airflow.set_xero(xero_sandbox, password="not-the-secret")
        refused = client.get(callback)

    assert refused.status_code == 409
    assert "tell the person who invited you" in refused.text
    assert "xero_default" not in refused.text
    (outcome,) = warehouse.execute(
        "select outcome from xero_ops.audit_log where action = 'connect'"
    ).fetchone()
    assert "client secret of the Airflow connection xero_default" in outcome


def test_one_who_gave_access_to_no_organisation_may_choose_again(
    airflow, xero_sandbox, invite, warehouse
):
    token = token_of(invite())
    with airflow.client() as client:
        callback = xero_sandbox.consent(ask(client, "begin", token).json()["url"])
        nothing = {"path": "/connections", "kind": "status", "status": 200, "body": "[]"}
        xero_sandbox.control("POST", "faults", nothing)
        refused = client.get(callback)

    assert refused.status_code == 409
    assert "choose an organisation at Xero" in refused.text
    assert state_of(warehouse) == (False, None, False)
    # What reaches nothing here leaves no token here, either.
    assert (count(warehouse, "connections"), count(warehouse, "grants")) == (0, 0)


def test_two_consents_of_one_invitation_make_one_connection(
    airflow, xero_sandbox, invite, warehouse
):
    token = token_of(invite())
    with airflow.client() as first, airflow.client() as second:
        urls = [ask(client, "begin", token).json()["url"] for client in (first, second)]
        ended = [
            client.get(xero_sandbox.consent(url, email))
            for client, url, email in zip(
                (first, second), urls, ("ava@example.com", "kaito@example.com"), strict=True
            )
        ]

    assert [answer.status_code for answer in ended] == [200, 409]
    assert "was used, has expired or was taken back" in ended[1].text
    assert count(warehouse, "grants") == 1


def test_an_invitation_taken_back_ends_a_consent_under_way(
    airflow, xero_sandbox, invite, warehouse
):
    made = invite()
    with airflow.client() as client, airflow.client("operator") as inviter:
        callback = xero_sandbox.consent(ask(client, "begin", token_of(made)).json()["url"])
        path = f"/xero/api/invitations/{made['invitation_id']}"
        headers = {**OURS, "Content-Type": "application/json"}
        assert inviter.delete(path, headers=headers).is_success
        refused = client.get(callback)
        looked = ask(client, "look", token_of(made))

    assert refused.status_code == 409
    assert "taken back by who invited you" in looked.json()["message"]
    assert count(warehouse, "grants") == 0


def test_an_invitation_expires_under_way(airflow, xero_sandbox, invite, warehouse):
    token = token_of(invite())
    with airflow.client() as client:
        callback = xero_sandbox.consent(ask(client, "begin", token).json()["url"])
        warehouse.execute("update xero_ops.invitations set expires_at = now()")
        refused, looked = client.get(callback), ask(client, "look", token)

    assert (refused.status_code, looked.status_code) == (409, 409)
    assert "expired on" in looked.json()["message"]
    assert count(warehouse, "grants") == 0


def test_the_invited_are_told_that_the_cap_is_reached_and_may_know_better(
    airflow, xero_sandbox, invite, open_link, warehouse
):
    fill_many(warehouse, 5)
    airflow.set_xero(xero_sandbox, tier="starter")
    page = open_link(invite()["url"])
    page.get_by_role("button", name="Continue to Xero").click()

    expect(page.get_by_role("heading", name="All connections of this app are used")).to_be_visible()
    expect(page.get_by_text("Please tell the person who invited you")).to_be_visible()
    assert count(warehouse, "authorisations") == 0
    page.get_by_role("button", name="Go on to Xero all the same").click()

    expect(page.get_by_label("Email address")).to_be_visible()


def test_the_invited_are_told_what_may_be_changed_where_a_scope_allows_it(
    airflow, xero_sandbox, invite, open_link
):
    link = invite()["url"]
    expect(open_link(link).get_by_text("Nothing in your books can be changed")).to_be_visible()

    airflow.set_xero(xero_sandbox, scopes="openid offline_access accounting.transactions")

    page = open_link(link)
    expect(page.get_by_text("The app could also change data in Xero")).to_be_visible()
    expect(page.get_by_text("Nothing in your books can be changed")).to_have_count(0)


def test_a_guess_is_refused_while_the_warehouse_is_out_of_reach(airflow, invite):
    token = token_of(invite())
    airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9)
    state = f"{'s' * 43}.{'x' * 22}"
    with airflow.client() as client:
        guesses = [ask(client, question, "guess.x") for question in ("look", "begin")]
        callbacks = [client.get(f"/xero/callback?state={state}&code=c")]
        client.cookies.set(consent_cookie(state), "c" * 43)
        callbacks += [client.get(f"/xero/callback?state={state}&code=c")]
        ours = ask(client, "look", token)

    # Nothing was opened for them; for our own link the warehouse is missed.
    assert [answer.status_code for answer in (*guesses, *callbacks)] == [409] * 4
    assert ours.status_code == 503


# --- What an invitation opens, and what it does not ----------------------------------------------


def test_the_invited_reach_nothing_but_the_consent(airflow, xero_sandbox, invite):
    token = token_of(invite())
    with airflow.client() as client:
        begun = ask(client, "begin", token)
        client.get(xero_sandbox.consent(begun.json()["url"]))
        client.cookies.set("_token", token)
        with_token = {"Authorization": f"Bearer {token}"}
        pages = [client.get(path) for path in ("/xero/connect", "/xero/docs")]
        asked = client.get("/xero/api/organisations", headers=with_token)
        made = client.post("/xero/api/invitations", json={}, headers={**OURS, **with_token})
        airflows = client.get("/api/v2/connections", headers=with_token)

    assert [urlsplit(page.headers["location"]).path for page in pages] == ["/auth/login"] * 2
    # Airflow says 403 for a token that is none of its own.
    assert [answer.status_code for answer in (asked, made, airflows)] == [401, 401, 403]


@pytest.mark.parametrize("question", ["look", "begin"])
def test_another_site_cannot_use_a_link_in_somebodys_browser(airflow, invite, question):
    token = token_of(invite())
    path, body = f"/xero/invitation/{question}", {"token": token}
    with airflow.client() as client:
        answers = [
            client.post(path, json=body, headers={**OURS, "Sec-Fetch-Site": "cross-site"}),
            client.post(path, json=body, headers={"Sec-Fetch-Site": "same-origin"}),
            client.post(path, data=body, headers=OURS),
            client.get(path, params=body, headers=OURS),
        ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 405]
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_a_callback_of_the_invited_in_another_browser_is_refused(
    airflow, xero_sandbox, invite, warehouse
):
    with airflow.client() as attacker, airflow.client("admin") as victim:
        url = ask(attacker, "begin", token_of(invite())).json()["url"]
        refused = victim.get(xero_sandbox.consent(url))

    assert refused.status_code == 409
    assert "begun in another browser" in refused.text
    assert state_of(warehouse) == (False, None, False)


def test_two_hundred_guesses_find_nothing_and_are_slowed_down(airflow, invite, warehouse):
    secret, _, signature = token_of(invite()).partition(".")
    others = [letter for letter in "ABCDEFGHI" if letter != secret[-1]][:8]
    near = [f"{secret[:-1]}{letter}.{signature}" for letter in others]
    guesses = [*near, secret, f"{secret}.", "", "." * 100, *(f"guess-{n}.x" for n in range(188))]

    # From an address of their own, since it has nothing left to ask afterwards.
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    with airflow.client(transport=elsewhere) as client:
        answers = [ask(client, "look", guess) for guess in guesses]

    assert len(answers) == 200
    assert {answer.status_code for answer in answers} == {409, 429}
    told = {answer.json()["message"] for answer in answers if answer.status_code == 409}
    assert len(told) == 1
    assert int(answers[-1].headers["retry-after"]) <= 60
    assert state_of(warehouse) == (False, None, False)


# --- Going on at another address -----------------------------------------------------------------


def test_a_user_goes_on_where_xero_sends_people_back(airflow, xero_sandbox, warehouse):
    elsewhere = airflow.url.replace("localhost", "127.0.0.1")
    with airflow.client("operator") as client:
        handed = client.get(f"{elsewhere}/xero/connect?handover=1&grant=budgets")
    where = urlsplit(handed.headers["location"])
    with airflow.client() as client:
        begun = ask(client, "begin", where.fragment).json()["url"]
        done = client.get(xero_sandbox.consent(begun))

    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{airflow.url}/xero/invitation"
    assert "accounting.reports.trialbalance.read" not in parse_qs(urlsplit(begun).query)["scope"][0]
    assert "Thank you" in done.text
    assert warehouse.execute("select connected_by from xero_ops.grants").fetchall() == [
        ("operator",)
    ]
