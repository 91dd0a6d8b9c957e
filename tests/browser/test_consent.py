"""The whole consent over HTTP: Airflow's real API server, the sandbox's real pages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.consenting import count, organisations_of
from tests.browser.inviting import OURS


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
        response = client.post("/xero/api/connect", json={}, headers=OURS)

    assert response.json()["url"].startswith("/plugin/xero?connected=1&tenant=")
    assert len(organisations_of(airflow)) == 1
    assert count(warehouse, "authorisations") == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"login": ""}, "Client id"),
        ({"password": "wrong"}, "client secret"),
        ({"scopes": "no.such.scope"}, "correct the scopes"),
    ],
)
def test_what_keeps_a_custom_connection_from_being_connected_is_audited_once(
    airflow, xero_sandbox, warehouse, wrong, said
):
    airflow.set_xero(xero_sandbox, app_kind="custom", **wrong)

    with airflow.client("admin") as client:
        response = client.post("/xero/api/connect", json={}, headers=OURS)

    assert response.status_code == 409
    assert said in response.json()["detail"]
    lines = warehouse.execute("select actor, action, outcome from xero_ops.audit_log").fetchall()
    assert lines == [("admin", "connect", f"refused: {response.json()['detail']}")]


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
