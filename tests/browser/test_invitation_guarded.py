"""What an invitation opens, and what it does not; and going on at another address."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from airflow_xero.web.visitors import consent_cookie
from tests.browser.consenting import count
from tests.browser.inviting import OURS, ask, state_of, token_of


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
    # Not the last answer alone: the budget refills while we ask, so any one of them may be let in.
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in slowed)
    assert state_of(warehouse) == (False, None, False)


def test_an_invitation_that_asks_for_what_the_app_may_no_longer_have_is_refused_before_xero(
    airflow, xero_sandbox, invite, warehouse
):
    airflow.set_xero(xero_sandbox, scopes="broad")
    token = token_of(invite(grants=["reports"]))
    xero_sandbox.control("POST", "app", {"era": "granular", "tier": "core"})
    airflow.set_xero(xero_sandbox, scopes="granular")

    with airflow.client() as client:
        refused = ask(client, "begin", token)

    assert refused.status_code == 409
    assert "ask the person who invited you for a new link" in refused.json()["message"]
    assert count(warehouse, "authorisations") == 0
    [(actor, action, outcome, address)] = warehouse.execute(
        "select actor, action, outcome, host(address) from xero_ops.audit_log"
        " where action <> 'invite'"
    ).fetchall()
    assert (actor, action, address) == ("operator (by invitation)", "connect", "127.0.0.1")
    assert outcome.startswith("refused: This invitation asks for something")


def test_xero_being_silent_costs_an_invitation_none_of_its_tries(
    airflow, xero_sandbox, invite, warehouse
):
    token = token_of(invite())
    fault = {"path": "/identity/connect/authorize", "kind": "offline", "times": 0}
    xero_sandbox.control("POST", "faults", fault)

    with airflow.client() as client:
        silent = ask(client, "begin", token)

    assert silent.status_code == 503
    lines = "select outcome from xero_ops.audit_log where action <> 'invite'"
    assert warehouse.execute(lines).fetchall() == []


def test_a_user_goes_on_where_xero_sends_people_back(airflow, xero_sandbox, warehouse):
    elsewhere = airflow.url.replace("localhost", "127.0.0.1")
    with airflow.client("operator") as client:
        wished = {"grants": ["budgets"]}
        handed = client.post(f"{elsewhere}/xero/api/connect", json=wished, headers=OURS)
    where = urlsplit(handed.json()["url"])
    with airflow.client() as client:
        begun = ask(client, "begin", where.fragment).json()["url"]
        done = client.get(xero_sandbox.consent(begun))

    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{airflow.url}/xero/invitation"
    assert "accounting.reports.trialbalance.read" not in parse_qs(urlsplit(begun).query)["scope"][0]
    # Back to Airflow, which is [api] base_url, and nowhere that a request names.
    assert done.headers["location"].startswith(f"{airflow.url}/plugin/xero?connected=")
    assert warehouse.execute("select connected_by from xero_ops.grants").fetchall() == [
        ("operator",)
    ]
