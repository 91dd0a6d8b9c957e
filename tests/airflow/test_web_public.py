"""The public room on its own: what it says to people it does not know, and to nobody else."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from airflow_xero.errors import (
    BadRequestError,
    UnavailableError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.web.public import consent_cookie, create_public_app

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")

Visit = Callable[..., Any]


@pytest.fixture
def visit() -> Visit:
    """Ask the public room for a path; `finish` is what it does with a consent."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    def ask(path: str, *, finish: Any = None, home: Any = None, **request: Any) -> Any:
        root = FastAPI()
        root.mount("/xero", create_public_app(finish=finish or (lambda **_: 0), home=home))
        cookies = request.pop("cookies", {})
        with TestClient(root, follow_redirects=False, cookies=cookies) as client:
            return client.get(path, **request)

    return ask


def raising(error: XeroError) -> Any:
    def finish(**_: str) -> int:
        raise error

    return finish


def test_it_can_be_served_without_airflow():
    program = (
        "import sys, airflow_xero.web.public\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'airflow'])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr


def test_the_consent_is_finished_with_the_cookie_of_its_own_state(visit):
    given = []
    cookies = {consent_cookie("s1"): "mine", consent_cookie("s2"): "another tab"}

    def finish(**asked: str) -> int:
        given.append(asked)
        return 2

    response = visit("/xero/callback?state=s1&code=c", finish=finish, cookies=cookies)

    assert given == [{"state": "s1", "code": "c", "browser_cookie": "mine"}]
    assert "2 organisations are connected" in response.text
    assert consent_cookie("s1") in response.headers["set-cookie"]
    assert consent_cookie("s2") not in response.headers["set-cookie"]


def test_the_way_home_carries_a_count_only(visit):
    response = visit(
        "/xero/callback?state=s&code=c", finish=lambda **_: 1, home=lambda _: "/base/plugin/xero"
    )

    assert response.status_code == 303
    assert response.headers["location"] == "/base/plugin/xero?connected=1"


@pytest.mark.parametrize(
    ("error", "status"),
    [(XeroSetupError, 409), (UnavailableError, 503), (BadRequestError, 502)],
)
def test_an_error_is_a_page_with_its_message_and_nothing_else(visit, error, status):
    raised = error("Press <b>Connect</b> again", tenant_id="t-1", correlation_id="c-1")

    response = visit("/xero/callback?state=s&code=c", finish=raising(raised))

    assert response.status_code == status
    assert "Press &lt;b&gt;Connect&lt;/b&gt; again" in response.text
    assert "t-1" not in response.text
    assert "c-1" not in response.text


@pytest.mark.parametrize("query", ["", "?state=s", "?code=c", "?error="])
def test_an_incomplete_callback_finishes_nothing(visit, query):
    finish = raising(XeroSetupError("must not be asked"))

    response = visit(f"/xero/callback{query}", finish=finish)

    assert response.status_code == 400
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
    response = visit(f"/xero/callback?error={error}&state=s")

    assert said in response.text
    assert "Back to the Xero page" in response.text


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
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_static_files_have_their_type_and_are_asked_for_once(visit, name, media_type):
    first = visit(f"/xero/static/{name}")
    again = visit(f"/xero/static/{name}", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-type"].split(";")[0] == media_type
    assert first.content
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name",
    ["missing.js", "..%2Fpublic.py", "%2e%2e%2fpublic.py", "%2e%2e", ".js", "%00.js", "a\\b.js"],
)
def test_nothing_but_the_static_files_is_served(visit, name):
    assert visit(f"/xero/static/{name}").status_code == 404


def test_our_own_script_is_light():
    from airflow_xero.web import public

    assert sum(file.stat().st_size for file in public._STATIC.iterdir()) < 300_000
