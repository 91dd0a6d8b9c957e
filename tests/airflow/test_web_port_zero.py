"""The Test button of the list of connections, through Airflow's real API server."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_xero.web.port_zero import TestButtonFix, without_port_zero

pytestmark = [
    # Third parties, met inside Airflow's own server.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
    pytest.mark.filterwarnings(
        "ignore:ProvidersManager.hooks is deprecated"
        ":airflow.utils.deprecation_tools.DeprecatedImportWarning:airflow.models.connection"
    ),
]


@pytest.fixture(scope="module")
def airflow_app(airflow_database: None) -> Any:
    from airflow.api_fastapi.app import create_app

    return create_app(apps="core")


@pytest.fixture
def browser(airflow_app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An administrator's browser."""
    from fastapi.testclient import TestClient

    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    with TestClient(airflow_app, base_url="http://localhost") as client:
        token = client.get("/auth/token").json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def row_of(conn_id: str, browser: Any) -> dict[str, Any]:
    """What the page sends when Test is pressed in the row of a stored connection."""
    stored = browser.get(f"/api/v2/connections/{conn_id}").json()
    return {
        "connection_id": conn_id,
        "conn_type": stored["conn_type"],
        "description": "",
        "host": stored["host"] or "",
        "login": stored["login"] or "",
        "password": stored["password"] or "",
        "port": stored["port"] or 0,
        "schema": stored["schema"] or "",
        "extra": stored["extra"] or "{}",
    }


@pytest.fixture
def made_in_the_form(xero: Any, browser: Any) -> Iterator[str]:
    """A connection as the form makes it: no host, no port."""
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero.url)
    made = browser.post(
        "/api/v2/connections",
        json={
            "connection_id": "made_in_the_form",
            "conn_type": "xero",
            "login": xero.client_id,
            "password": xero.client_secret,
            "extra": json.dumps(urls),
        },
    )
    assert made.status_code == 201, made.text
    yield "made_in_the_form"
    browser.delete("/api/v2/connections/made_in_the_form")


def test_the_button_works_for_a_connection_made_in_the_form(made_in_the_form, browser):
    answer = browser.post("/api/v2/connections/test", json=row_of(made_in_the_form, browser))

    assert answer.json() == {
        "status": True,
        "message": "Xero accepts the client id and secret, and the warehouse 'xero_warehouse'"
        " is ready.",
    }


def test_the_button_works_for_a_connection_with_host_and_port(made_in_the_form, browser):
    browser.patch(
        f"/api/v2/connections/{made_in_the_form}",
        json={
            "connection_id": made_in_the_form,
            "conn_type": "xero",
            "host": "api.xero.com",
            "port": 443,
        },
        params={"update_mask": ["host", "port"]},
    )

    answer = browser.post("/api/v2/connections/test", json=row_of(made_in_the_form, browser))

    assert answer.json()["status"] is True


def test_airflow_itself_still_needs_the_correction(made_in_the_form, browser, monkeypatch):
    # When this fails, Airflow has learnt it: remove TestButtonFix.
    monkeypatch.setattr("airflow_xero.web.port_zero.without_port_zero", lambda body: body)

    answer = browser.post("/api/v2/connections/test", json=row_of(made_in_the_form, browser))

    assert answer.status_code == 400
    assert "port to test differs" in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"conn_type": "postgres", "port": 0}',
        b'{"conn_type": "xero", "port": 443}',
        b'{"conn_type": "xero", "port": null}',
        pytest.param(b"[" * 100_000, id="deeply nested"),
    ],
)
def test_every_other_request_passes_untouched(body):
    assert without_port_zero(body) == body


def test_a_body_longer_than_any_connection_is_not_held_in_memory():
    pieces = [b'{"conn_type": "xero", "port": 0, "extra": "'] + [b"x" * 65_536] * 100
    sent = iter(pieces)
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": next(sent), "more_body": taken < len(pieces)}

    async def server(scope: Any, receive: Any, send: Any) -> None:
        first = await receive()
        assert taken < 10
        body = first["body"]
        while len(body) < sum(map(len, pieces)):
            body += (await receive())["body"]
        assert body == b"".join(pieces)

    scope = {"type": "http", "method": "POST", "path": "/api/v2/connections/test"}
    unused: Any = None
    asyncio.run(TestButtonFix(server)(scope, receive, unused))


def test_the_plugin_installs_the_correction():
    from airflow.plugins_manager import get_fastapi_plugins

    _, middlewares = get_fastapi_plugins()

    assert TestButtonFix in [middleware["middleware"] for middleware in middlewares]
