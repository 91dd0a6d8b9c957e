"""Every route of the plugin through the real API server, for every kind of user."""

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute

LOGIN = "/auth/login"
PAGE = "/plugin/xero"
XERO = "/identity/connect/authorize"

# Route → where it is asked, and its answer to nobody, a viewer, an operator and an admin.
# The answer is a status, or the address a 303 leads to.
EXPECTED: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "/": ("/xero/", (PAGE, PAGE, PAGE, PAGE)),
    "/api/organisations": ("/xero/api/organisations", (401, 403, 200, 200)),
    "/callback": ("/xero/callback", (400, 400, 400, 400)),
    "/connect": ("/xero/connect", (LOGIN, 403, XERO, XERO)),
    "/docs": ("/xero/docs", (LOGIN, 200, 200, 200)),
    "/static/{name}": ("/xero/static/page.js", (200, 200, 200, 200)),
}
USERS = (None, "viewer", "operator", "admin")


# Airflow's own imports make Starlette warn about its test client.
@pytest.mark.filterwarnings("ignore:Using `httpx`")
def test_the_table_above_names_every_route_of_the_plugin():
    from airflow_xero.web.pages import create_app

    routes = create_app().routes

    assert [route for route in routes if not isinstance(route, APIRoute)] == []
    found = {(route.path, *route.methods) for route in routes if isinstance(route, APIRoute)}
    assert found == {(path, "GET") for path in EXPECTED}


@pytest.mark.parametrize("user", USERS)
def test_every_route_answers_each_user_as_expected(airflow, warehouse, user):
    publish_docs(warehouse, b"<html>docs</html>")

    with airflow.client(user) as client:
        answers = {route: answer_of(client.get(path)) for route, (path, _) in EXPECTED.items()}

    expected = {route: answers[USERS.index(user)] for route, (_, answers) in EXPECTED.items()}
    assert answers == expected


def answer_of(response: httpx.Response) -> int | str:
    if response.status_code != 303:
        return response.status_code
    return httpx.URL(response.headers["location"]).path


def publish_docs(warehouse: psycopg.Connection, content: bytes) -> None:
    warehouse.execute(
        "insert into xero_ops.published_pages (page_name, media_type, content)"
        " values ('dbt_docs', 'text/html; charset=utf-8', %s)",
        (content,),
    )


@pytest.mark.parametrize("user", USERS)
def test_every_answer_keeps_out_of_caches_frames_and_referrers(airflow, user):
    with airflow.client(user) as client:
        responses = [client.get(path) for path, _ in EXPECTED.values()]

    for response in responses:
        headers = response.headers
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] in ("no-store", "no-cache")


@pytest.mark.parametrize("cookie", ["", "nonsense", "a.b.c"])
def test_a_broken_login_counts_as_none(airflow, cookie):
    with airflow.client() as client:
        client.cookies.set("_token", cookie)

        assert client.get("/xero/api/organisations").status_code == 401
        assert answer_of(client.get("/xero/connect")) == LOGIN
        assert answer_of(client.get("/xero/docs")) == LOGIN


def test_login_leads_back_to_where_one_wanted_to_go(airflow):
    with airflow.client() as client:
        location = client.get("/xero/connect?next=https://evil.example").headers["location"]

    assert httpx.URL(location).params["next"] == "/xero/connect"


def test_refusals_say_whom_to_ask_and_show_no_trace(airflow):
    with airflow.client("viewer") as client:
        as_json, as_page = client.get("/xero/api/organisations"), client.get("/xero/connect")

    assert as_json.json()["detail"].endswith("administrator for read access to connections.")
    assert "Ask an Airflow administrator" in as_page.text
    assert "text/html" in as_page.headers["content-type"]


def test_docs_that_are_not_built_yet_are_explained(airflow):
    with airflow.client("viewer") as client:
        response = client.get("/xero/docs")

    assert response.status_code == 404
    assert "No documentation yet" in response.text


def test_docs_cannot_act_with_the_login_of_their_reader(airflow, warehouse):
    publish_docs(warehouse, b"<html>docs</html>")

    with airflow.client("viewer") as client:
        response = client.get("/xero/docs")

    assert response.text == "<html>docs</html>"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy


def test_a_missing_xero_connection_is_named(airflow):
    airflow.remove_connection("xero_default")

    with airflow.client("admin") as client:
        as_json, as_page = client.get("/xero/api/organisations"), client.get("/xero/connect")

    assert as_json.status_code == as_page.status_code == 409
    assert "'xero_default' is not defined" in as_json.json()["detail"]
    assert "&#x27;xero_default&#x27; is not defined" in as_page.text


def test_a_missing_warehouse_connection_is_named(airflow):
    airflow.remove_connection("xero_warehouse")

    with airflow.client("admin") as client:
        response = client.get("/xero/api/organisations")

    assert response.status_code == 409
    assert "'xero_warehouse' is not defined" in response.json()["detail"]


def test_an_unreachable_warehouse_is_a_try_later(airflow):
    airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9)

    with airflow.client("admin") as client:
        as_json, as_page = client.get("/xero/api/organisations"), client.get("/xero/connect")

    assert as_json.status_code == as_page.status_code == 503
    assert "The warehouse cannot be reached" in as_json.json()["detail"]
    assert "The warehouse cannot be reached" in as_page.text
    assert "Traceback" not in as_page.text


def test_a_warehouse_without_tables_names_the_command(airflow, empty_database_dsn):
    airflow.set_warehouse(empty_database_dsn)

    with airflow.client("admin") as client:
        response = client.get("/xero/api/organisations")

    assert response.status_code == 409
    assert "airflow xero migrate" in response.json()["detail"]
