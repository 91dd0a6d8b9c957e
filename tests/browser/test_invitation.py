"""Somebody without a login is invited: from the link to the thank-you page, and nowhere else."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from airflow_xero.claiming import MOST_TRIES
from tests.browser.consenting import count, state_in
from tests.browser.inviting import OURS, ask, state_of, token_of
from tests.browser.organisations import fill_many

KAURI = "Kauri Coffee Roasters"


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

    assert "open your invitation link again" in refused.text
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
        warehouse.execute(
            "update xero_ops.invitations"
            " set created_at = now() - interval '7 days', expires_at = now()"
        )
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
    lines = "select outcome from xero_ops.audit_log where action <> 'invite'"
    told = [("refused: All connections of this app are used",)]
    assert warehouse.execute(lines).fetchall() == told
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


def test_an_invitation_is_tried_twenty_times_and_no_more(airflow, invite, open_link, warehouse):
    made, other = invite(), invite()
    token = token_of(made)
    # From an address of their own: these are many requests.
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.3")
    with airflow.client(transport=elsewhere) as client:
        for _ in range(MOST_TRIES):
            state = state_in(ask(client, "begin", token).json()["url"])
            client.get(f"/xero/callback?state={state}&error=access_denied")
        again = [ask(client, "begin", token) for _ in range(3)]
        of_another = ask(client, "begin", token_of(other))
    page = open_link(made["url"])
    page.get_by_role("button", name="Continue to Xero").click()

    expect(page.get_by_text("was tried 20 times and connected nothing")).to_be_visible()
    expect(page.get_by_text("ask the person who invited you for a new link")).to_be_visible()
    assert [answer.status_code for answer in (*again, of_another)] == [409, 409, 409, 200]
    refused = "select count(*) from xero_ops.audit_log where outcome like 'refused: %'"
    assert warehouse.execute(refused).fetchone() == (MOST_TRIES,)
    assert count(warehouse, "authorisations") == 1
