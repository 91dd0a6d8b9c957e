"""A consent that leads nowhere, or would: each says what happened and what to do."""

import pytest

from tests.browser.consenting import count


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
    assert refusals(warehouse) == [("admin", "refused: Xero cannot answer now")]


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
        responses = [client.get(f"/xero/connect{query}") for query in ("", "?full=true")]

    for response in responses:
        assert response.status_code == 409
        assert said in response.text
    assert count(warehouse, "authorisations") == 0
    lines = warehouse.execute(
        "select actor, action, outcome, host(address) from xero_ops.audit_log"
    ).fetchall()
    for actor, action, outcome, address in lines:
        assert (actor, action, address) == ("admin", "connect", "127.0.0.1")
        assert outcome.startswith("refused: ")
        assert said in outcome
    assert len(lines) == len(responses)


def test_a_scope_that_the_app_may_not_have_keeps_nobody_who_leaves_it_out(airflow, xero_sandbox):
    xero_sandbox.control("POST", "app", {"era": "granular", "tier": "core"})
    airflow.set_xero(xero_sandbox, scopes="granular accounting.journals.read")

    with airflow.client("admin") as client:
        left_out = client.get("/xero/connect?grant=reports")
        asked_for = client.get("/xero/connect?grant=journals")

    assert left_out.status_code == 303
    assert left_out.headers["location"].startswith(xero_sandbox.url)
    assert asked_for.status_code == 409
    assert "leave out accounting.journals.read" in asked_for.text


def refusals(warehouse):
    return warehouse.execute("select actor, outcome from xero_ops.audit_log").fetchall()


def test_a_cap_that_is_reached_is_told_before_anybody_leaves(
    airflow, xero_sandbox, begin, warehouse
):
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

    warehouse.execute("delete from xero_ops.audit_log")
    with airflow.client("admin") as client:
        warned = client.get("/xero/connect?grant=budgets")
        went_on = client.get("/xero/connect?full=true&grant=budgets")

    assert warned.status_code == 409
    assert "allows 5 connections, and 5 are used" in warned.text
    assert 'href="connect?full=true&amp;grant=budgets"' in warned.text
    assert went_on.headers["location"].startswith(xero_sandbox.url)
    assert refusals(warehouse) == [("admin", "refused: All connections of this app are used")]


def test_an_answer_of_the_login_page_is_told_although_no_line_can_be_written(
    airflow, xero_sandbox, warehouse
):
    (database,) = warehouse.execute("select current_database()").fetchone()
    warehouse.execute(f'alter database "{database}" set default_transaction_read_only = on')
    fault = {"path": "/identity/connect/authorize", "kind": "offline", "times": 0}
    xero_sandbox.control("POST", "faults", fault)
    line = "not in the audit log: refused user='admin' action=connect address=127.0.0.1"
    before = airflow.log.read_text().count(line)

    with airflow.client("admin") as client:
        told = client.get("/xero/connect")

    assert told.status_code == 503
    assert "login page does not answer at the moment" in told.text
    assert airflow.log.read_text().count(line) == before + 1
