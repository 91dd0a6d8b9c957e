"""Every route of the plugin through the real API server, for every kind of user."""

import json
from collections.abc import Iterable

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute

from tests.browser.organisations import fill

LOGIN = "/auth/login"
PAGE = "/plugin/xero"
XERO = "/identity/connect/authorize"
USERS = (None, "viewer", "user", "operator", "admin")

UNKNOWN = "99999999-9999-9999-9999-999999999999"
ONE = f"/xero/api/organisations/{UNKNOWN}"
ONE_ROUTE = "/api/organisations/{tenant_id}"
FROM_OUR_PAGE = {"X-Xero-Page": "1", "Sec-Fetch-Site": "same-origin"}

# Who may do what, under any auth manager: what each guard asks of Airflow.
OPEN, READ, EDIT, DELETE, RUN, DOCS = "open", "read", "edit", "delete", "run", "docs"

# Route → where it is asked, what it takes, its answer to who may not log in, and to who may.
# The answer is a status, or the address a 303 leads to. No organisation is connected here.
ROUTES: dict[tuple[str, str], tuple[str, str, int | str, int | str]] = {
    ("GET", "/"): ("/xero/", OPEN, PAGE, PAGE),
    ("GET", "/api/organisations"): ("/xero/api/organisations", READ, 401, 200),
    ("GET", "/api/invitations"): ("/xero/api/invitations", EDIT, 401, 200),
    ("GET", "/callback"): ("/xero/callback", OPEN, 400, 400),
    ("GET", "/connect"): ("/xero/connect", EDIT, LOGIN, XERO),
    ("POST", "/api/connect"): ("/xero/api/connect", EDIT, 401, 200),
    ("GET", "/docs"): ("/xero/docs", DOCS, LOGIN, 200),
    ("GET", "/docs/"): ("/xero/docs/", DOCS, LOGIN, 200),
    ("GET", "/invitation"): ("/xero/invitation", OPEN, 200, 200),
    ("GET", "/static/{name}"): ("/xero/static/page.js", OPEN, 200, 200),
    ("GET", "/static/{version}/{name}"): ("/xero/static/old/page.js", OPEN, 200, 200),
    ("POST", f"{ONE_ROUTE}/extract"): (f"{ONE}/extract", RUN, 401, 404),
    ("POST", f"{ONE_ROUTE}/pause"): (f"{ONE}/pause", EDIT, 401, 404),
    ("POST", f"{ONE_ROUTE}/unpause"): (f"{ONE}/unpause", EDIT, 401, 404),
    ("POST", f"{ONE_ROUTE}/disconnect"): (f"{ONE}/disconnect", EDIT, 401, 404),
    ("POST", f"{ONE_ROUTE}/erase"): (f"{ONE}/erase", DELETE, 401, 404),
    ("POST", "/api/invitations"): ("/xero/api/invitations", EDIT, 401, 201),
    ("DELETE", "/api/invitations/{invitation_id}"): (
        f"/xero/api/invitations/{UNKNOWN}",
        EDIT,
        401,
        409,
    ),
    # An invitation is looked at, and used, by whoever has its link: here nobody has.
    ("POST", "/invitation/look"): ("/xero/invitation/look", OPEN, 409, 409),
    ("POST", "/invitation/begin"): ("/xero/invitation/begin", OPEN, 409, 409),
}
# What each user may: the roles of Airflow's own manager, and under FAB one role for each right.
MAY: dict[str | None, set[str]] = {
    "viewer": {DOCS},
    "user": {DOCS},
    "operator": {READ, EDIT, DELETE, RUN, DOCS},
    "admin": {READ, EDIT, DELETE, RUN, DOCS},
    "reader": {READ},
    "runner": {READ, RUN, DOCS},
    "editor": {READ, EDIT},
    "eraser": {READ, DELETE},
}
# The guard that stands before each kind of route; whoever swaps two is found out here at once.
GUARDS = {
    OPEN: None,
    READ: "may_see_organisations",
    EDIT: "may_change",
    DELETE: "may_erase",
    RUN: "may_extract",
    DOCS: "may_read_docs",
}


def expected_of(user: str | None) -> dict[tuple[str, str], int | str]:
    """What every route answers to a user; None is nobody."""
    return {
        key: anonymous if user is None else allowed if right in {OPEN, *MAY[user]} else 403
        for key, (_, right, anonymous, allowed) in ROUTES.items()
    }


CHANGES = [(method, route) for method, route in ROUTES if method != "GET" and "/api/" in route]
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

    found = create_app().routes
    routes = [route for route in found if isinstance(route, APIRoute)]

    assert len(routes) == len(found)
    assert {(method, route.path) for route in routes for method in route.methods} == set(ROUTES)
    # A page sends who is not logged in to the login; what is asked by a script says 401.
    assert {key: guard for key, guard in guards_of(routes).items() if guard} == {
        key: "may_connect" if key == ("GET", "/connect") else GUARDS[right]
        for key, (_, right, _, _) in ROUTES.items()
        if right != OPEN
    }


def guards_of(routes: Iterable[APIRoute]) -> dict[tuple[str, str], str | None]:
    """The one function of access.py that each route asks whether its user may."""
    return {
        (method, route.path): next(
            (
                each.call.__name__
                for each in route.dependant.dependencies
                if each.call is not None and each.call.__name__.startswith("may_")
            ),
            None,
        )
        for route in routes
        for method in route.methods
    }


@pytest.mark.parametrize("user", USERS)
def test_every_route_answers_each_user_as_expected(airflow, warehouse, user):
    publish_docs(warehouse, b"<html>docs</html>")

    with airflow.client(user) as client:
        answers = {
            (method, route): answer_of(ask(client, method, path))
            for (method, route), (path, *_) in ROUTES.items()
        }

    assert answers == expected_of(user)


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
                ROUTES[method, route][0].replace(UNKNOWN, tenant_id),
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
        responses = [ask(client, method, path) for (method, _), (path, *_) in ROUTES.items()]

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


@pytest.mark.parametrize(
    ("query", "back"),
    [
        ("?next=https://evil.example&code=secret", ""),
        ("?grant=reports&grant=budgets&handover=1", "?grant=reports&grant=budgets"),
        ("?grant=&full=true", "?grant=&full=true"),
        ("?grant=%26next%3D%2F%2Fevil.example%23", "?grant=%26next%3D%2F%2Fevil.example%23"),
    ],
)
def test_login_leads_back_to_where_one_wanted_to_go_with_what_was_chosen(airflow, query, back):
    with airflow.client() as client:
        location = client.get(f"/xero/connect{query}").headers["location"]

    assert httpx.URL(location).params["next"] == f"/xero/connect{back}"


def test_what_was_chosen_before_the_login_is_all_that_is_asked_for_after_it(airflow):
    with airflow.client() as nobody, airflow.client("admin") as client:
        login = nobody.get("/xero/connect?grant=budgets").headers["location"]
        begun = client.get(httpx.URL(login).params["next"])

    scopes = httpx.URL(begun.headers["location"]).params["scope"]
    assert "accounting.budgets.read" in scopes
    assert "accounting.reports" not in scopes


def test_who_chose_nothing_is_asked_for_what_is_needed_alone(airflow):
    with airflow.client("admin") as client:
        begun = client.get("/xero/connect?grant=")

    scopes = httpx.URL(begun.headers["location"]).params["scope"].split()
    assert "accounting.invoices.read" in scopes
    assert not [one for one in scopes if "budgets" in one or "reports" in one]


def test_refusals_say_whom_to_ask_and_show_no_trace(airflow):
    with airflow.client("viewer") as client:
        as_json, as_page = client.get("/xero/api/organisations"), client.get("/xero/connect")

    assert as_json.json()["detail"].endswith("administrator for read access to connections.")
    assert "Ask an Airflow administrator" in as_page.text
    assert "text/html" in as_page.headers["content-type"]
