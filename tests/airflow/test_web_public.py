"""The public room on its own: what it says to people it does not know, and to nobody else."""

import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_xero.connect import Begun, Connected, Finished
from airflow_xero.errors import (
    BadRequestError,
    ConsentRefusedError,
    UnavailableError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.invitations import Invited
from airflow_xero.scope_choices import choices_of
from airflow_xero.web.limiting import RequestBudget
from airflow_xero.web.notices import CapReached, Hindered, XeroSilent
from airflow_xero.web.public import create_public_app, public_router
from airflow_xero.web.visitors import INVITED, consent_cookie

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")

Visit = Callable[..., Any]
NOW = datetime(2026, 11, 20, tzinfo=UTC)
KAURI = Connected("1", "Kauri")
OURS = {"X-Xero-Page": "1"}
STATE = f"{'s' * 43}.{'x' * 22}"
MINE = {consent_cookie(STATE): "c" * 43}
INVITEE = {consent_cookie(STATE): f"{INVITED}{'c' * 43}"}
CALLBACK = f"/xero/callback?state={STATE}&code=c"


class Desk:
    """Says what a test wants it to, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def _said(self, *asked: Any) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, XeroError):
            raise self.answer
        return self.answer

    def finish(self, **asked: Any) -> Finished:
        said = self._said(asked)
        return said if isinstance(said, Finished) else Finished(tuple(said))

    def abandon(self, **asked: Any) -> None:
        self._said(asked)

    def look(self, token: str) -> Any:
        self._said(token)
        invited = Invited(
            invitation_id="i",
            invited_by="ada " * 100,
            note="<b>",
            scopes=[],
            created_at=NOW,
            expires_at=NOW + timedelta(1),
            used_at=None,
            used_by_email=None,
            revoked_at=None,
            revoked_by=None,
            state="open",
        )
        return invited, choices_of(["accounting.budgets.read"])

    def begin_invited(self, token: str, *, is_sure: bool) -> Begun:
        self._said(token, is_sure)
        if isinstance(self.answer, Hindered) and not is_sure:
            raise self.answer
        return Begun("https://xero.example", "s1", "invited.cookie", is_secure=True)


@pytest.fixture
def visit() -> Visit:
    """Ask the public room for a path; `answer` is what its desk says."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from airflow_xero.web.notices import ProtectiveHeaders

    def ask(path: str, *, answer: Any = (KAURI,), home: Any = None, **request: Any) -> Any:
        pages, root = FastAPI(redirect_slashes=False), FastAPI()
        pages.add_middleware(ProtectiveHeaders)
        desk = answer if isinstance(answer, Desk) else Desk(answer)
        pages.include_router(public_router(desk, home=home, budget=request.pop("budget", None)))
        root.mount("/xero", pages)
        cookies, method = request.pop("cookies", {}), request.pop("method", "GET")
        with TestClient(root, follow_redirects=False, cookies=cookies) as client:
            return client.request(method, path, **request)

    return ask


def test_it_can_be_served_without_airflow():
    program = (
        "import sys, airflow_xero.web.public\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'airflow'])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr


def test_the_consent_is_finished_with_the_cookie_of_its_own_state(visit):
    desk = Desk((KAURI, Connected("2", "Beacon")))
    cookies = {**MINE, consent_cookie("s2"): "another tab"}

    response = visit(CALLBACK, answer=desk, cookies=cookies)

    mine = {"state": STATE, "code": "c", "browser_cookie": "c" * 43, "address": "testclient"}
    assert desk.asked == [(mine,)]
    assert "These organisations are connected" in response.text
    assert consent_cookie(STATE) in response.headers["set-cookie"]
    assert consent_cookie("s2") not in response.headers["set-cookie"]


@pytest.mark.parametrize(
    ("reached", "told"),
    [
        ([KAURI], "connected=1&tenant=1"),
        (
            [KAURI, Connected("2", "Beacon", is_shared=True)],
            "connected=2&already=1&tenant=1&tenant=2",
        ),
        ([Connected(str(number), "Of many") for number in range(21)], "connected=21"),
    ],
)
def test_the_way_home_carries_counts_and_a_few_ids_and_no_name(visit, reached, told):
    response = visit(CALLBACK, answer=reached, home=lambda _: "/base/plugin/xero", cookies=MINE)

    assert response.status_code == 303
    assert response.headers["location"] == f"/base/plugin/xero?{told}"


@pytest.mark.parametrize("cookies", [MINE, INVITEE])
def test_what_else_the_login_reaches_is_named_and_said_not_to_be_connected(visit, cookies):
    answer = Finished((KAURI,), not_connected=["<Beacon>", *["x" * 500] * 30])

    response = visit(CALLBACK, answer=answer, home=lambda _: "/plugin/xero", cookies=cookies)

    assert response.status_code == 200
    said = "Also reachable with this Xero login, not connected here: &lt;Beacon&gt;, xxx"
    assert said in response.text
    assert " and 11 more." in response.text
    assert ("/plugin/xero?connected=1&amp;tenant=1" in response.text) == (cookies is MINE)
    assert len(response.text) < 5_000


def test_the_invited_are_thanked_and_not_sent_to_airflow(visit):
    response = visit(CALLBACK, home=lambda _: "/plugin/xero", cookies=INVITEE)

    assert response.status_code == 200
    assert "Thank you" in response.text
    assert "<a " not in response.text


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "'; drop table xero_ops.tenants; --",
        "../../etc/passwd",
        "\u202eevil\u202c مؤسسة \u2066النور",
        "x" * 10_000,
    ],
)
def test_the_name_of_an_organisation_cannot_harm_the_page(visit, name):
    response = visit(CALLBACK, answer=[Connected("1", name)], cookies=MINE)

    assert response.status_code == 200
    assert response.text.count("<li><bdi>") == 1
    assert "<script" not in response.text
    assert len(response.text) < 2_000


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (XeroSetupError, 409),
        (ConsentRefusedError, 409),
        (UnavailableError, 503),
        (BadRequestError, 502),
    ],
)
def test_an_error_is_a_page_with_its_message_and_nothing_else(visit, error, status):
    raised = error("Press <b>Connect</b> again", tenant_id="t-1", correlation_id="c-1")

    response = visit(CALLBACK, answer=raised, cookies=MINE)

    assert response.status_code == status
    assert "Press &lt;b&gt;Connect&lt;/b&gt; again" in response.text
    assert "t-1" not in response.text
    assert "c-1" not in response.text


@pytest.mark.parametrize(
    ("state", "cookies"),
    [
        (STATE, {}),
        (STATE, {consent_cookie(STATE): "made up"}),
        ("s" * 43, {consent_cookie("s" * 43): "c" * 43}),
        ("x", {consent_cookie("x"): "c" * 43}),
        (f"{STATE}x", {consent_cookie(f"{STATE}x"): "c" * 43}),
    ],
)
@pytest.mark.parametrize("ending", ["code=c", "error=access_denied"])
def test_what_no_browser_of_ours_can_bring_is_never_asked_for(visit, state, cookies, ending):
    desk = Desk((KAURI,))

    response = visit(f"/xero/callback?state={state}&{ending}", answer=desk, cookies=cookies)

    assert desk.asked == []
    assert response.status_code == (200 if "error" in ending else 409)
    assert ("begun in another browser" in response.text) == (ending == "code=c")


@pytest.mark.parametrize("query", ["", "?state=s", "?code=c", "?error="])
def test_an_incomplete_callback_finishes_nothing(visit, query):
    desk = Desk(())

    response = visit(f"/xero/callback{query}", answer=desk)

    assert (response.status_code, desk.asked) == (400, [])
    assert "Nothing to do here" in response.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "Nothing was connected"),
        ("invalid_scope", "granular"),
        ("unauthorized_client", "redirect URI"),
        ("server_error", "(server_error)"),
    ],
)
def test_a_refusal_by_xero_is_put_into_words(visit, error, said):
    response = visit(f"/xero/callback?error={error}&state=s", home=lambda _: "/")

    assert said in response.text
    assert "Back to the Xero page" in response.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "it still works"),
        ("temporarily_unavailable", "not available at the moment"),
        ("invalid_scope", "tell the person who invited you"),
        ("unauthorized_client", "tell the person who invited you"),
        ("server_error", "tell the person who invited you"),
    ],
)
def test_the_invited_read_nothing_of_our_set_up_in_a_refusal_by_xero(visit, error, said):
    path = f"/xero/callback?error={error}&state={STATE}"
    response = visit(path, home=lambda _: "/", cookies=INVITEE)

    assert said in response.text
    for words in ("Airflow connection", "client id", "redirect URI", "Scopes", error):
        assert words not in response.text


@pytest.mark.parametrize("error", ["<script>alert(1)</script>", "Call 0800 123", "x" * 5000])
def test_whoever_writes_the_address_does_not_write_the_page(visit, error):
    response = visit("/xero/callback", params={"error": error, "error_description": error})

    assert response.status_code == 400
    assert error not in response.text
    assert error[:7] not in response.text


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.js", "text/javascript"),
        ("notice.css", "text/css"),
        ("invitation.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_static_files_have_their_type_and_are_asked_for_once(visit, name, media_type):
    first = visit(f"/xero/static/{name}", home=lambda _: "/")
    same = {"If-None-Match": first.headers["etag"]}
    again = visit(f"/xero/static/{name}", home=lambda _: "/", headers=same)

    assert first.headers["content-type"].split(";")[0] == media_type
    assert first.content
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name",
    ["missing.js", "..%2Fpublic.py", "%2e%2e%2fpublic.py", "%2e%2e", ".js", "%00.js", "a\\b.js"],
)
def test_nothing_but_the_static_files_is_served(visit, name):
    assert visit(f"/xero/static/{name}", home=lambda _: "/").status_code == 404


def test_the_script_of_airflows_page_is_served_in_airflow_alone(visit):
    assert visit("/xero/static/page.js").status_code == 404


def test_our_own_script_is_light():
    from airflow_xero.web import public

    assert sum(file.stat().st_size for file in public._STATIC.iterdir()) < 300_000


# --- Invitations ---------------------------------------------------------------------------------


def test_the_page_of_an_invitation_runs_its_own_script_and_nothing_else(visit):
    response = visit("/xero/invitation")

    policy = response.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'; connect-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert response.headers["referrer-policy"] == "no-referrer"
    assert 'src="/xero/static/invitation.js"' in response.text
    assert "style=" not in response.text


def test_a_look_tells_who_invites_and_to_what(visit):
    response = visit("/xero/invitation/look", method="POST", json={"token": "t"}, headers=OURS)

    told = response.json()
    assert len(told.pop("invited_by")) == 121
    assert [one["scopes"] for one in told.pop("choices")] == [["accounting.budgets.read"]]
    expires_at = "2026-11-21T00:00:00+00:00"
    assert told == {"note": "<b>", "expires_at": expires_at, "is_read_only": True}


def test_a_begin_gives_the_address_and_binds_the_browser(visit):
    response = visit("/xero/invitation/begin", method="POST", json={"token": "t"}, headers=OURS)

    assert response.json() == {"url": "https://xero.example"}
    cookie = response.headers["set-cookie"]
    assert cookie.startswith(f"{consent_cookie('s1')}=invited.cookie; HttpOnly; Max-Age=600")
    assert cookie.endswith("Path=/xero; SameSite=lax; Secure")


@pytest.mark.parametrize(
    ("hindrance", "status", "said"),
    [
        (CapReached(used=5, allowed=5), 409, "tell the person who invited you"),
        (XeroSilent(), 503, "open your invitation link again in a few minutes"),
    ],
)
def test_who_knows_better_than_a_hindrance_goes_on(visit, hindrance, status, said):
    asked = {"path": "/xero/invitation/begin", "method": "POST", "headers": OURS}
    desk = Desk(hindrance)

    hindered = visit(**asked, answer=desk, json={"token": "t"})
    went_on = visit(**asked, answer=desk, json={"token": "t", "sure": True})

    assert (hindered.status_code, hindered.json()["may_go_on"]) == (status, True)
    assert said in hindered.json()["message"]
    assert "developer.xero.com" not in hindered.text
    assert "set-cookie" not in hindered.headers
    assert went_on.json() == {"url": "https://xero.example"}
    assert desk.asked == [("t", False), ("t", True)]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"token": 1}', b'{"token": "\xc3\xbc"}', b"[" * 2000]
)
def test_what_is_no_question_is_refused(visit, body):
    desk = Desk(())
    headers = {**OURS, "Content-Type": "application/json"}

    response = visit(
        "/xero/invitation/look", answer=desk, method="POST", content=body, headers=headers
    )

    assert (response.status_code, desk.asked) == (400, [])


def test_a_body_that_is_too_long_is_not_read(visit):
    headers = {**OURS, "Content-Type": "application/json"}
    body = b'{"token": "' + b"x" * 1_000_000

    response = visit("/xero/invitation/look", method="POST", content=body, headers=headers)

    assert response.status_code == 413


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ConsentRefusedError("This invitation expired"), 409, "This invitation expired"),
        (XeroSetupError("Airflow connection xero_default"), 409, "tell the person who invited"),
        (UnavailableError("warehouse 10.0.0.1"), 503, "in a few minutes"),
        (BadRequestError("a bug report"), 502, "tell the person who invited"),
    ],
)
def test_the_invited_read_what_concerns_them(visit, error, status, said):
    response = visit(
        "/xero/invitation/look", answer=error, method="POST", json={"token": "t"}, headers=OURS
    )

    assert response.status_code == status
    assert said in response.json()["message"]
    assert error.message in response.json()["message"] or "xero_default" not in response.text


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        (CALLBACK, {"cookies": MINE}),
        ("/xero/invitation", {}),
        ("/xero/invitation/look", {"method": "POST", "json": {"token": "t"}, "headers": OURS}),
        ("/xero/invitation/begin", {"method": "POST", "json": {"token": "t"}, "headers": OURS}),
    ],
)
def test_who_asks_too_often_waits(visit, path, request_):
    budget, desk = RequestBudget(a_minute=1, clock=lambda: 0.0), Desk((KAURI,))

    answers = [visit(path, answer=desk, budget=budget, **request_) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert answers[1].headers["retry-after"] == "60"
    assert len(desk.asked) <= 1


# --- Served alone --------------------------------------------------------------------------------


@pytest.fixture
def alone() -> Visit:
    """Ask the public routes as `airflow xero public` serves them at https://connect.example."""
    from fastapi.testclient import TestClient

    def ask(path: str, *, redirect_uri: str = "https://connect.example/xero/callback", **asked):
        app = create_public_app(Desk((KAURI,)), redirect_uri=redirect_uri)
        with TestClient(app, base_url="https://connect.example", follow_redirects=False) as client:
            return client.get(path, **asked)

    return ask


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/xero/callback", 400),
        ("/xero/invitation", 200),
        ("/xero/static/notice.css", 200),
        ("/xero/static/invitation.js", 200),
        ("/xero/static/page.js", 404),
        ("/xero/", 404),
        ("/xero", 404),
        ("/", 404),
        ("/xero/connect", 404),
        ("/xero/docs", 404),
        ("/xero/api/organisations", 404),
        ("/xero/callback/", 404),
        ("/docs", 404),
        ("/openapi.json", 404),
        ("/api/v2/version", 404),
    ],
)
def test_nothing_but_callback_and_invitation_is_served_alone(alone, path, status):
    response = alone(path)

    assert response.status_code == status
    assert "location" not in response.headers
    assert response.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("connect.example", 200),
        ("CONNECT.example:8443", 200),
        ("evil.example", 421),
        ("connect.example.evil.example", 421),
        ("connect.example@evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_only_the_redirect_uris_own_host_is_answered(alone, host, status):
    assert alone("/xero/invitation", headers={"Host": host}).status_code == status


def test_a_redirect_uri_below_a_base_path_is_served_there(alone):
    uri = "https://connect.example/airflow/xero/callback"

    assert alone("/airflow/xero/invitation", redirect_uri=uri).status_code == 200
    assert alone("/xero/invitation", redirect_uri=uri).status_code == 404


def test_a_redirect_uri_at_the_root_is_served_there(alone):
    uri = "https://connect.example/callback"

    assert alone("/invitation", redirect_uri=uri).status_code == 200
    assert alone("/callback", redirect_uri=uri).status_code == 400
    assert alone("/xero/invitation", redirect_uri=uri).status_code == 404


def test_a_redirect_uri_with_no_place_beside_it_is_refused_in_words(alone):
    with pytest.raises(XeroSetupError, match="must end with /callback"):
        alone("/xero/invitation", redirect_uri="https://connect.example/from-xero")


def test_its_log_has_no_query(alone, caplog):
    with caplog.at_level(logging.INFO, logger="airflow_xero.web"):
        alone("/xero/callback?state=a-state&code=a-code")
        alone("/xero/callback?code=a-code", headers={"Host": "evil.example"})

    lines = [record.getMessage() for record in caplog.records if "airflow_xero" in record.name]
    assert lines == [
        "method=GET path='/xero/callback' status=409 address=testclient",
        "method=GET path='/xero/callback' status=421 address=testclient",
    ]
