"""The same table of routes and users under FAB, the auth manager of most installations."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.browser.server import Airflow, served
from tests.browser.test_routes import ROUTES, answer_of, ask, expected_of, publish_docs
from xero_sandbox.testing import SandboxServer

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(600)]

_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
_ROLES = {
    "admin": "Admin",
    "operator": "Op",
    "user": "User",
    "viewer": "Viewer",
    # One role for each right, so that no guard can stand in for another.
    **{name: name for name in ("reader", "runner", "editor", "eraser")},
}
_RIGHTS = (
    ("reader", "Connections", "can_read"),
    ("runner", "Connections", "can_read"),
    ("runner", "DAGs", "can_read,can_edit"),
    ("runner", "DAG Runs", "can_create"),
    ("editor", "Connections", "can_read,can_edit"),
    ("eraser", "Connections", "can_read,can_delete"),
)


@pytest.fixture(scope="module")
def fab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """An API server whose users and roles are FAB's."""
    made = [
        (
            *("users", "create", "--username", user, "--password", user, "--role", role),
            *("--firstname", user, "--lastname", "-", "--email", f"{user}@example.com"),
        )
        for user, role in _ROLES.items()
    ]
    home = tmp_path_factory.mktemp("fab")
    roles = home / "roles.json"
    rights = [dict(zip(("name", "resource", "action"), one, strict=True)) for one in _RIGHTS]
    roles.write_text(json.dumps(rights))
    commands = [("roles", "import", str(roles)), *made]
    with served(home, *commands, AIRFLOW__CORE__AUTH_MANAGER=_MANAGER) as server:
        yield server


@pytest.fixture
def airflow(fab_server: Airflow, warehouse_dsn: str, xero_sandbox: SandboxServer) -> Airflow:
    """It, with a fresh warehouse and the sandbox as its Xero."""
    fab_server.set_warehouse(warehouse_dsn)
    fab_server.set_xero(xero_sandbox)
    return fab_server


@pytest.mark.parametrize("user", [None, *_ROLES])
def test_every_route_answers_each_user_of_fab_as_those_of_airflows_own_manager(
    airflow, warehouse, user
):
    publish_docs(warehouse, b"<html>docs</html>")

    with airflow.client(user) as client:
        answers = {
            (method, route): answer_of(ask(client, method, path))
            for (method, route), (path, *_) in ROUTES.items()
        }

    # FAB's own login page has a slash at its end.
    found = {key: f"{answer}".rstrip("/") or "/" for key, answer in answers.items()}
    assert found == {key: f"{answer}" for key, answer in expected_of(user).items()}


def test_login_leads_back_to_the_page_under_fab(airflow):
    with airflow.client() as client:
        location = httpx.URL(client.get("/xero/connect").headers["location"])

    assert (location.path, location.params["next"]) == ("/auth/login/", "/xero/connect")
