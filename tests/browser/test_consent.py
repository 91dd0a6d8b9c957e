"""The whole consent over HTTP: Airflow's real API server, the sandbox's real pages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.browser.conftest import tokens_in
from tests.warehouse.searching import everywhere


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
    address = urlsplit(response.headers["location"])
    told = parse_qs(address.query)
    assert (address.path, told.pop("connected")) == ("/plugin/xero", ["2"])
    ids = xero_sandbox.organisations()
    kauri, beacon = ids["Kauri Coffee Roasters"], ids["Beacon & Sons <Joinery>"]
    assert told == {"tenant": [beacon, kauri]}
    organisations = organisations_of(airflow)
    assert set(organisations) == {"Beacon & Sons <Joinery>", "Kauri Coffee Roasters"}
    one = organisations["Kauri Coffee Roasters"]
    assert one["tenant_id"] == xero_sandbox.organisations()["Kauri Coffee Roasters"]
    assert one["connected_by"] == "operator"


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
    redirect_uri = "https://airflow.example/xero/callback"
    xero_sandbox.control("POST", "app", {"redirect_uris": [redirect_uri]})
    airflow.set_xero(xero_sandbox, redirect_uri=redirect_uri)

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
    assert (count(warehouse, "grants"), count(warehouse, "authorisations")) == (0, 0)
    assert warehouse.execute(
        "select actor, action, outcome, host(address) from xero_ops.audit_log"
    ).fetchall() == [("admin", "connect", "refused: Xero ended it (access_denied)", "127.0.0.1")]


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


@pytest.mark.parametrize("kind", ["offline", "status"])
def test_a_login_page_that_is_down_is_said_before_anybody_leaves(
    airflow, xero_sandbox, warehouse, kind
):
    fault = {"path": "/identity/connect/authorize", "kind": kind, "times": 0}
    fault |= {"status": 503} if kind == "status" else {}
    xero_sandbox.control("POST", "faults", fault)

    with airflow.client("admin") as client:
        told = client.get("/xero/connect?grant=budgets")
        assert count(warehouse, "authorisations") == 0
        went_on = client.get("/xero/connect?full=true&grant=budgets")

    assert told.status_code == 503
    assert "login page does not answer at the moment" in told.text
    assert 'href="connect?full=true&amp;grant=budgets"' in told.text
    # The browser may get there although we do not.
    assert went_on.headers["location"].startswith(xero_sandbox.url)


def test_what_else_the_login_reaches_is_left_alone_and_named(airflow, xero_sandbox, begin):
    ids = xero_sandbox.organisations()
    elsewhere, visit = begin(), begin()
    # Allowed at Xero, and never brought back here: as another program of the same app would.
    xero_sandbox.consent(elsewhere.authorize_url, organisations=[ids["Beacon & Sons <Joinery>"]])

    callback = xero_sandbox.consent(
        visit.authorize_url, organisations=[ids["Kauri Coffee Roasters"]]
    )
    response = visit.client.get(callback)

    assert response.status_code == 200
    assert "not connected here: Beacon &amp; Sons &lt;Joinery&gt;." in response.text
    assert f"/plugin/xero?connected=1&amp;tenant={ids['Kauri Coffee Roasters']}" in response.text
    assert set(organisations_of(airflow)) == {"Kauri Coffee Roasters"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("redirect_uri", "http://localhost:1/xero/callback", "entered letter by letter"),
        ("login", "another-app", "correct the client id"),
        ("scopes", "broad", "write the word granular instead"),
        ("scopes", "granular accounting.journals.read", "leave out accounting.journals.read"),
    ],
)
def test_what_xero_would_refuse_is_said_before_anybody_leaves(
    airflow, xero_sandbox, warehouse, field, value, said
):
    registered = f"{airflow.url}/xero/callback"
    app = {"redirect_uris": [registered], "era": "granular", "tier": "core"}
    xero_sandbox.control("POST", "app", app)
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero_sandbox.url)
    fields = {"login": xero_sandbox.client_id, "redirect_uri": registered, "scopes": "granular"}
    fields[field] = value
    airflow.set_connection(
        "xero_default",
        conn_type="xero",
        login=fields.pop("login"),
        password=xero_sandbox.client_secret,
        extra={**urls, **fields},
    )

    with airflow.client("admin") as client:
        response = client.get("/xero/connect")

    assert response.status_code == 409
    assert said in response.text
    assert count(warehouse, "authorisations") == 0


def test_what_was_chosen_is_asked_for_and_granted(xero_sandbox, airflow, warehouse):
    with airflow.client("admin") as client:
        begun = client.get("/xero/connect", params={"grant": ["budgets", "<script>"]})
        client.get(xero_sandbox.consent(begun.headers["location"]))

    (scopes,) = warehouse.execute("select scopes from xero_ops.grants").fetchone()
    assert "accounting.budgets.read" in scopes
    assert "accounting.invoices.read" in scopes
    assert not [one for one in scopes if one.startswith("accounting.reports")]


def test_an_organisation_that_another_user_connected_already_is_named(
    airflow, xero_sandbox, begin, warehouse
):
    kauri = xero_sandbox.organisations()["Kauri Coffee Roasters"]
    both = {"email": "kaito@example.com", "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    for email, told in (("ava@example.com", "?connected=2&t"), ("kaito@example.com", "already=1")):
        visit = begin()
        response = visit.client.get(xero_sandbox.consent(visit.authorize_url, email))
        assert told in response.headers["location"]

    assert len(organisations_of(airflow)) == 2
    assert count(warehouse, "connections") == 3


def test_a_cap_that_is_reached_is_told_before_anybody_leaves(airflow, xero_sandbox, begin):
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero_sandbox.url)
    made = [
        xero_sandbox.control("POST", "organisations", {"name": f"Co {n}", "days": 0})["tenantId"]
        for n in range(5)
    ]
    xero_sandbox.control("POST", "users", {"email": "rua@example.com", "organisations": made})
    visit = begin()
    visit.client.get(xero_sandbox.consent(visit.authorize_url, "rua@example.com"))
    airflow.set_connection(
        "xero_default",
        conn_type="xero",
        login=xero_sandbox.client_id,
        password=xero_sandbox.client_secret,
        extra={**urls, "redirect_uri": f"{airflow.url}/xero/callback", "tier": "starter"},
    )

    with airflow.client("admin") as client:
        warned = client.get("/xero/connect?grant=budgets")
        went_on = client.get("/xero/connect?full=true&grant=budgets")

    assert warned.status_code == 409
    assert "allows 5 connections, and 5 are used" in warned.text
    assert 'href="connect?full=true&amp;grant=budgets"' in warned.text
    assert went_on.headers["location"].startswith(xero_sandbox.url)


def test_a_custom_connection_is_connected_without_a_consent(airflow, xero_sandbox, warehouse):
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero_sandbox.url)
    airflow.set_connection(
        "xero_default",
        conn_type="xero",
        login=xero_sandbox.client_id,
        password=xero_sandbox.client_secret,
        extra={**urls, "app_kind": "custom"},
    )

    with airflow.client("admin") as client:
        response = client.get("/xero/connect")

    assert response.headers["location"].startswith("/plugin/xero?connected=1&tenant=")
    assert len(organisations_of(airflow)) == 1
    assert count(warehouse, "authorisations") == 0


HOSTILE = (
    "<script>alert(1)</script>",
    "'; drop table xero_ops.tenants; --",
    "../../etc/passwd",
    "\u202eevil\u202c مؤسسة \u2066النور",
    "x" * 10_000,
)


def test_names_of_organisations_cannot_harm_the_pages(airflow, xero_sandbox):
    made = [
        xero_sandbox.control("POST", "organisations", {"name": f"Co {n}", "days": 0})["tenantId"]
        for n in range(len(HOSTILE))
    ]
    # The control door takes no such names.
    plans = xero_sandbox.world.plans
    for tenant_id, name in zip(made, HOSTILE, strict=True):
        plans[tenant_id] = replace(plans[tenant_id], name=name)
    xero_sandbox.control("POST", "users", {"email": "rua@example.com", "organisations": made})
    with airflow.client("admin") as inviter, airflow.client() as client:
        headers = {"X-Xero-Page": "1"}
        link = inviter.post("/xero/api/invitations", json={}, headers=headers).json()["url"]
        body = {"token": urlsplit(link).fragment}
        begun = client.post("/xero/invitation/begin", json=body, headers=headers).json()["url"]
        thanks = client.get(xero_sandbox.consent(begun, "rua@example.com"))

    assert thanks.status_code == 200
    assert thanks.text.count("<li><bdi>") == len(HOSTILE)
    assert "<script" not in thanks.text
    assert len(thanks.text) < 5_000
    assert set(organisations_of(airflow)) == set(HOSTILE)


def test_twenty_browsers_connect_at_once_and_nothing_crosses(airflow, xero_sandbox, warehouse):
    people = [f"person{n}@example.com" for n in range(20)]
    for email in people:
        made = xero_sandbox.control("POST", "organisations", {"name": f"Of {email}", "days": 0})
        owner = {"email": email, "organisations": [made["tenantId"]]}
        xero_sandbox.control("POST", "users", owner)
    airflow.token("admin")

    def connect(email: str) -> int:
        with airflow.client("admin") as client:
            begun = client.get("/xero/connect")
            callback = xero_sandbox.consent(begun.headers["location"], email)
            return int(client.get(callback).status_code)

    with ThreadPoolExecutor(len(people)) as pool:
        ended = list(pool.map(connect, people))

    assert ended == [303] * len(people)
    owned = warehouse.execute(
        "select user_email, tenant_name from xero_ops.connections"
        " join xero_ops.grants using (grant_id) join xero_ops.tenants using (tenant_id)"
    ).fetchall()
    assert sorted(owned) == sorted((email, f"Of {email}") for email in people)
    asked = xero_sandbox.control("GET", "requests")
    # None where an earlier test asked for them within the hour.
    assert str(asked).count("openid-configuration/jwks") <= 1


@pytest.mark.parametrize(
    "path",
    [
        "/xero/callback",
        "/xero/callback/",
        "/xero/connect?next=//evil.example",
        "/xero//evil.example",
    ],
)
def test_no_host_and_no_parameter_leads_elsewhere(airflow, path):
    tricks = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    with airflow.client("admin") as client:
        response = client.get(path, headers=tricks)

    assert "evil.example" not in response.headers.get("location", "")
    assert "evil.example" not in response.text
    assert "evil.example" not in response.headers.get("set-cookie", "")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_start_from_another_site_begins_nothing(airflow, warehouse, site):
    with airflow.client("admin") as client:
        response = client.get("/xero/connect", headers={"Sec-Fetch-Site": site})

    assert response.status_code == 303
    assert response.headers["location"] == "/plugin/xero"
    assert "set-cookie" not in response.headers
    assert count(warehouse, "authorisations") == 0


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_a_callback_that_is_asked_for_otherwise_is_logged_without_its_code(airflow, method):
    with airflow.client() as client:
        answer = client.request(method, f"/xero/callback?state=s&code=the-code-of-{method}")

    assert answer.status_code == 405
    log = airflow.log.read_text()
    assert "path=/xero/callback" in log
    assert f"the-code-of-{method}" not in log


def test_no_secret_reaches_a_log_an_answer_or_a_table(airflow, xero_sandbox, warehouse_dsn):
    with airflow.client("admin") as client:
        begun = client.get("/xero/connect")
        (cookie,) = SimpleCookie(begun.headers["set-cookie"]).values()
        callback = xero_sandbox.consent(begun.headers["location"])
        done = client.get(callback)
        # The tokens are used once more, and given back at the end.
        tenants = [one["tenant_id"] for one in organisations_of(airflow).values()]
        tokens = tokens_in(warehouse_dsn, airflow.token_key)
        ours = {"X-Xero-Page": "1", "Content-Type": "application/json"}
        ended = [
            client.post(f"/xero/api/organisations/{one}/disconnect", json={}, headers=ours)
            for one in tenants
        ]

    assert [answer.status_code for answer in ended] == [200, 200]
    # An access token of Xero's is a JWT: what is searched for below is what a thief would use.
    assert [token.count(".") for token in tokens] == [2, 0]
    code = parse_qs(urlsplit(callback).query)["code"][0]
    state = state_in(callback)
    seen = airflow.log.read_text() + str(done.headers) + done.text
    seen += "".join(answer.text + str(answer.headers) for answer in ended)
    secrets = (code, state, cookie.value, *tokens, xero_sandbox.client_secret)
    assert "path=/xero/callback" in seen
    assert [secret for secret in secrets if secret in seen] == []
    assert everywhere(warehouse_dsn, *secrets) == set()
    # That the search would find one.
    assert everywhere(warehouse_dsn, tenants[0]) != set()
