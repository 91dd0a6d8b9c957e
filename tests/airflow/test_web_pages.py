"""What the pages do when the installation is incomplete; the rest is asked of a real server."""

from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


@pytest.fixture
def client(xero: Any) -> Any:
    """The pages in this process, with everybody permitted, and the sandbox as their Xero."""
    from fastapi.testclient import TestClient

    from airflow_xero.web.access import may_change, may_connect, may_extract
    from airflow_xero.web.pages import create_app

    class Ava:
        def get_name(self) -> str:
            return "ava"

    app = create_app()
    app.dependency_overrides = dict.fromkeys((may_change, may_connect, may_extract), Ava)
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
