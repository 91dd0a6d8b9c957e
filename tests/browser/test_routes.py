"""Every route of the plugin through the real API server, for every kind of user."""

import json

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute

from tests.browser.organisations import fill

LOGIN = "/auth/login"
PAGE = "/plugin/xero"
XERO = "/identity/connect/authorize"
USERS = (None, "viewer", "operator", "admin")

UNKNOWN = "99999999-9999-9999-9999-999999999999"
ONE = f"/xero/api/organisations/{UNKNOWN}"
ONE_ROUTE = "/api/organisations/{tenant_id}"
FROM_OUR_PAGE = {"X-Xero-Page": "1", "Sec-Fetch-Site": "same-origin"}

# Route → where it is asked, and its answer to nobody, a viewer, an operator and an admin.
# The answer is a status, or the address a 303 leads to. No organisation is connected here.
Answers = tuple[int | str, ...]
EXPECTED: dict[tuple[str, str], tuple[str, Answers]] = {
    ("GET", "/"): ("/xero/", (PAGE, PAGE, PAGE, PAGE)),
    ("GET", "/api/organisations"): ("/xero/api/organisations", (401, 403, 200, 200)),
    ("GET", "/api/invitations"): ("/xero/api/invitations", (401, 403, 200, 200)),
    ("GET", "/callback"): ("/xero/callback", (400, 400, 400, 400)),
    ("GET", "/connect"): ("/xero/connect", (LOGIN, 403, XERO, XERO)),
    ("GET", "/docs"): ("/xero/docs", (LOGIN, 200, 200, 200)),
    ("GET", "/invitation"): ("/xero/invitation", (200, 200, 200, 200)),
    ("GET", "/static/{name}"): ("/xero/static/page.js", (200, 200, 200, 200)),
    ("POST", f"{ONE_ROUTE}/extract"): (f"{ONE}/extract", (401, 403, 404, 404)),
    ("POST", f"{ONE_ROUTE}/pause"): (f"{ONE}/pause", (401, 403, 404, 404)),
    ("POST", f"{ONE_ROUTE}/unpause"): (f"{ONE}/unpause", (401, 403, 404, 404)),
    ("POST", f"{ONE_ROUTE}/disconnect"): (f"{ONE}/disconnect", (401, 403, 404, 404)),
    ("POST", f"{ONE_ROUTE}/erase"): (f"{ONE}/erase", (401, 403, 404, 404)),
    ("POST", "/api/invitations"): ("/xero/api/invitations", (401, 403, 201, 201)),
    ("DELETE", "/api/invitations/{invitation_id}"): (
        f"/xero/api/invitations/{UNKNOWN}",
        (401, 403, 409, 409),
    ),
    # An invitation is looked at, and used, by whoever has its link: here nobody has.
    ("POST", "/invitation/look"): ("/xero/invitation/look", (409, 409, 409, 409)),
    ("POST", "/invitation/begin"): ("/xero/invitation/begin", (409, 409, 409, 409)),
}
CHANGES = [(method, route) for method, route in EXPECTED if method != "GET" and "/api/" in route]
BODIES = {"erase": {"typed_name": "Kauri"}, "look": {"token": "none"}, "begin": {"token": "none"}}


def body_of(path: str) -> dict[str, str]:
    return BODIES.get(path.rpartition("/")[2], {})


def ask(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """As the page's own script asks."""
    if method == "GET":
        return client.get(path)
    return client.request(method, path, json=body_of(path), headers=FROM_OUR_PAGE)


# Airflow's own imports make Starlette warn about its test client.
@pytest.mark.filterwarnings("ignore:Using `httpx`")
def test_the_table_above_names_every_route_of_the_plugin():
    from airflow_xero.web.pages import create_app

    routes = create_app().routes

    assert [route for route in routes if not isinstance(route, APIRoute)] == []
    found = {
        (method, route.path)
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    assert found == set(EXPECTED)


@pytest.mark.parametrize("user", USERS)
def test_every_route_answers_each_user_as_expected(airflow, warehouse, user):
    publish_docs(warehouse, b"<html>docs</html>")

    with airflow.client(user) as client:
        answers = {
            (method, route): answer_of(ask(client, method, path))
            for (method, route), (path, _) in EXPECTED.items()
        }

    assert answers == {key: answers[USERS.index(user)] for key, (_, answers) in EXPECTED.items()}


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Xero-Page": ""},
        {"X-Xero-Page": "0"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
    ],
)
def test_a_login_alone_changes_nothing_if_the_page_did_not_ask(airflow, warehouse, changed):
    tenant_id = fill(warehouse)
    headers = {"Content-Type": "application/json", **FROM_OUR_PAGE, **changed}

    with airflow.client("admin") as client:
        answers = {
            client.request(
                method,
                EXPECTED[method, route][0].replace(UNKNOWN, tenant_id),
                content=json.dumps(body_of(route)),
                headers=headers,
            ).status_code
            for method, route in CHANGES
        }

    assert answers == {403}
    (still,) = warehouse.execute(
        "select count(*) from xero_ops.connections"
        " where paused_at is null and disconnected_at is null"
    ).fetchone()
    assert still == 1
    for table in ("invitations", "audit_log", "erasures"):
        assert warehouse.execute(f"select count(*) from xero_ops.{table}").fetchone() == (0,)
    assert airflow.runs_of("xero_extract") == []


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
        responses = [ask(client, method, path) for (method, _), (path, _) in EXPECTED.items()]

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


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"paused_by": "bob"}, "Kauri is paused: resume it"),
        ({"grant_state": "needs_reconnect"}, "needs its Xero user to press Connect to Xero again"),
    ],
)
def test_what_no_run_would_read_is_not_queued(airflow, warehouse, known, said):
    tenant_id = fill(warehouse, run="complete", **known)

    with airflow.client("admin") as client:
        answer = ask(client, "POST", f"/xero/api/organisations/{tenant_id}/extract")

    assert answer.status_code == 409
    assert said in answer.json()["detail"]
    assert airflow.runs_of("xero_extract") == []
