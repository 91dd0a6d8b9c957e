"""Who may complete a consent, and what nobody gets out of it: states, cookies, codes, secrets."""

from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import leaks, tokens_in
from tests.browser.consenting import count, organisations_of, state_in
from tests.warehouse.searching import everywhere


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


# Over plain http a browser says of no intranet's host where a link came from.
@pytest.mark.parametrize("kind", ["custom", "web"])
@pytest.mark.parametrize("query", ["?full=1", "?handover=1&full=1"])
def test_a_link_that_says_not_where_it_stood_changes_nothing(
    airflow, xero_sandbox, warehouse, kind, query
):
    airflow.set_xero(xero_sandbox, app_kind=kind)

    with airflow.client("admin") as client:
        answer = client.get(f"/xero/connect{query}")

    assert answer.status_code == (409 if kind == "custom" else 303)
    for table in ("grants", "connections", "invitations"):
        assert count(warehouse, table) == 0
    lines = warehouse.execute("select actor, outcome from xero_ops.audit_log").fetchall()
    refused = ("admin", "refused: Nobody consents to a Custom Connection: press Connect to Xero")
    assert [(actor, outcome.removesuffix(" on the page")) for actor, outcome in lines] == (
        [refused] if kind == "custom" else []
    )
    assert airflow.runs_of("xero_extract") == []


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


def test_a_token_that_was_replaced_since_would_be_found_in_any_file(
    airflow, xero_sandbox, begin, warehouse_dsn, tmp_path
):
    visit = begin()
    visit.client.get(xero_sandbox.consent(visit.authorize_url))
    first = tokens_in(warehouse_dsn, airflow.token_key)
    again = begin()
    again.client.get(xero_sandbox.consent(again.authorize_url))
    assert set(first).isdisjoint(tokens_in(warehouse_dsn, airflow.token_key))

    assert leaks(airflow.log.parent, first, xero_sandbox) == []
    assert airflow.database.is_file()
    for number, token in enumerate(first):
        (tmp_path / f"{number}.log").write_text(f'refused token="{token}" status=400')
    (tmp_path / "clean.log").write_text(f"key={'k' * 43}")
    assert len(first) == 2
    assert leaks(tmp_path, [], xero_sandbox) == ["0.log", "1.log"]
