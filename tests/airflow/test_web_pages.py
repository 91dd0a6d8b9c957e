"""What the pages do when the installation is incomplete; the rest is asked of a real server."""

from typing import Any

import pytest

from tests.browser.organisations import fill

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


@pytest.fixture
def client(xero: Any) -> Any:
    """The pages in this process, with everybody permitted, and the sandbox as their Xero."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    from airflow_xero.web.access import (
        may_change,
        may_connect,
        may_extract,
        may_read_docs,
        may_see_organisations,
    )
    from airflow_xero.web.pages import create_app

    def ava() -> SimpleAuthManagerUser:
        return SimpleAuthManagerUser(username="ava", role="admin")

    app = create_app()
    guards = (may_change, may_connect, may_extract, may_read_docs, may_see_organisations)
    app.dependency_overrides = dict.fromkeys(guards, ava)
    with TestClient(app, follow_redirects=False) as client:
        yield client


def test_a_consent_starts_with_the_scopes_and_state_of_the_connection(client, xero, warehouse):
    response = client.get("/connect")

    assert response.status_code == 303
    assert response.headers["location"].startswith(f"{xero.url}/identity/connect/")
    started_by = warehouse.execute("select started_by from xero_ops.authorisations").fetchall()
    assert started_by == [("ava",)]


def test_missing_token_keys_are_named_before_anybody_leaves_for_xero(client, monkeypatch):
    monkeypatch.delenv("XERO_TOKEN_KEYS")

    response = client.get("/connect")

    assert response.status_code == 409
    assert "XERO_TOKEN_KEYS" in response.text
    assert "set-cookie" not in response.headers


def test_an_empty_client_id_is_named(client, set_connection):
    set_connection("xero_default", conn_type="xero", password="a-secret")

    response = client.get("/connect")

    assert response.status_code == 409
    assert "Client id" in response.text
    assert "a-secret" not in response.text


def test_the_pages_stay_below_the_base_path_of_airflow(client):
    client.app.root_path = "/airflow/xero"

    begun, home = client.get("/connect"), client.get("/")

    assert "Path=/airflow/xero;" in begun.headers["set-cookie"]
    assert home.headers["location"] == "/airflow/plugin/xero"


def test_the_documentation_is_there_with_a_slash_at_its_end_too(client, warehouse):
    warehouse.execute(
        "insert into xero_ops.published_pages (page_name, media_type, content)"
        " values ('dbt_docs', 'text/html; charset=utf-8', '<html>docs</html>')"
    )

    answers = [client.get(path) for path in ("/docs", "/docs/")]

    assert [(one.status_code, one.text) for one in answers] == [(200, "<html>docs</html>")] * 2
    assert len({one.headers["content-security-policy"] for one in answers}) == 1


@pytest.fixture
def rights(airflow_database) -> Any:
    """Airflow's own auth manager, which the list asks what its user may."""
    from airflow.api_fastapi.app import init_auth_manager, purge_cached_app

    init_auth_manager()
    yield
    purge_cached_app()


def test_whose_figures_differ_from_xeros_reports_is_said_of_all_and_of_those_just_read(
    client, rights, warehouse
):
    ids = {
        name: fill(warehouse, name, run=run, reason=reason, complete="2026-11-20")
        for name, run, reason in [
            ("Kauri", "complete", "invoices: scope missing"),
            ("Matai", "complete", None),
            ("Rata", "failed", "Xero cannot answer now"),
        ]
    }
    warehouse.execute(
        "create schema xero_marts; create table xero_marts.rpt_tie_out_summary as"
        " select tenant_id, 'TrialBalance' as report, 'accrual' as basis,"
        " date '2026-11-19' as report_date, now() as known_at, 40 as lines,"
        " case tenant_name when 'Matai' then 0 else 35 end as broken_lines,"
        " case tenant_name when 'Matai' then 0 else 0.01 end as difference_amount"
        " from xero_ops.tenants"
    )

    whole, part = (
        {one["name"]: one for one in client.get("/api/organisations", params=asked).json()[LISTED]}
        for asked in ({}, {"tenant_id": [ids["Kauri"], ids["Rata"]]})
    )

    states = {"Kauri": "tie_out_broken", "Matai": "healthy", "Rata": "failed"}
    assert {name: one["state"] for name, one in whole.items()} == states
    assert {name: one["state"] for name, one in part.items()} == {
        name: states[name] for name in ("Kauri", "Rata")
    }
    for answer in (whole, part):
        assert answer["Kauri"]["reason"] == (
            "35 lines of Xero's reports up to 2026-11-19 differ from the documents, and no cause"
            " explains it: see xero_marts.rpt_tie_out where status = 'broken'. After a new"
            " difference the next night reads the documents again. invoices: scope missing"
        )
        assert answer["Rata"]["reason"] == "Xero cannot answer now"
    assert whole["Rata"]["tie_out"] == {"day": "2026-11-19", "broken_lines": 35}


LISTED = "organisations"
ORGANISATION = "api/organisations/{kauri}/"


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ("extract", f"{ORGANISATION}extract"),
        ("disconnect", f"{ORGANISATION}disconnect"),
        ("invite", "api/invitations"),
    ],
)
def test_what_an_empty_client_id_refuses_is_in_the_audit_log(
    action, path, client, xero, connect_organisations, warehouse, set_connection
):
    connect_organisations()
    set_connection("xero_default", conn_type="xero", password="a-secret")

    response = act(client, path, xero)

    assert response.status_code == 409
    assert "Client id" in response.text
    assert audited(warehouse) == [("ava", action, "refused: XeroSetupError")]


@pytest.mark.parametrize("keys", ["", "no key"])
def test_what_wrong_token_keys_refuse_is_in_the_audit_log(
    keys, client, xero, connect_organisations, warehouse, monkeypatch
):
    connect_organisations()
    monkeypatch.setenv("XERO_TOKEN_KEYS", keys)

    response = act(client, f"{ORGANISATION}disconnect", xero)

    assert response.status_code == 409
    assert "XERO_TOKEN_KEYS" in response.text
    assert audited(warehouse) == [("ava", "disconnect", "refused: XeroSetupError")]


def test_an_organisation_is_paused_and_resumed_while_the_client_id_is_empty(
    client, xero, connect_organisations, warehouse, set_connection
):
    connect_organisations()
    set_connection("xero_default", conn_type="xero", password="a-secret")

    for action in ("pause", "unpause"):
        assert act(client, f"{ORGANISATION}{action}", xero).status_code == 200

    assert audited(warehouse) == [("ava", "pause", "paused"), ("ava", "unpause", "unpaused")]


def act(client: Any, path: str, xero: Any) -> Any:
    """Do as the page's own script does."""
    from airflow_xero.web.visitors import PAGE_HEADER

    kauri = xero.organisations()["Kauri Coffee Roasters"]
    return client.post(path.format(kauri=kauri), json={}, headers={PAGE_HEADER: "1"})


def audited(warehouse: Any) -> list[tuple[str, ...]]:
    """Who did what, with which outcome, but for connecting."""
    rows = warehouse.execute(
        "select actor, action, outcome from xero_ops.audit_log"
        " where action <> 'connect' order by entry_id"
    )
    return list(rows.fetchall())
