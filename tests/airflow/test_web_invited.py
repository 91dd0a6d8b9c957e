"""The pages of somebody who was invited, on their own."""

from typing import Any

import pytest

from airflow_xero.errors import (
    BadRequestError,
    ConsentRefusedError,
    UnavailableError,
    XeroSetupError,
)
from airflow_xero.web.notices import CapReached, XeroSilent
from airflow_xero.web.visitors import consent_cookie
from tests.airflow.public_desk import OURS, OWN, Desk, visit_public

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


def test_the_page_of_an_invitation_runs_its_own_script_and_nothing_else():
    response = visit_public("/xero/invitation")

    policy = response.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'; connect-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert response.headers["referrer-policy"] == "no-referrer"
    assert 'src="/xero/static/invitation.js"' in response.text
    assert "style=" not in response.text


def test_a_look_tells_who_invites_and_to_what():
    response = visit_public(
        "/xero/invitation/look", method="POST", json={"token": "t"}, headers=OURS
    )

    told = response.json()
    assert told.pop("is_own") is False
    assert len(told.pop("invited_by")) == 121
    assert [one["scopes"] for one in told.pop("choices")] == [["accounting.budgets.read"]]
    expires_at = "2026-11-21T00:00:00+00:00"
    assert told == {"note": "<b>", "expires_at": expires_at, "is_read_only": True}


def test_a_begin_gives_the_address_and_binds_the_browser():
    response = visit_public(
        "/xero/invitation/begin", method="POST", json={"token": "t"}, headers=OURS
    )

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
def test_who_knows_better_than_a_hindrance_goes_on(hindrance, status, said):
    asked: dict[str, Any] = {"path": "/xero/invitation/begin", "method": "POST", "headers": OURS}
    desk = Desk(hindrance)

    hindered = visit_public(**asked, answer=desk, json={"token": "t"})
    went_on = visit_public(**asked, answer=desk, json={"token": "t", "sure": True})

    assert (hindered.status_code, hindered.json()["may_go_on"]) == (status, True)
    assert said in hindered.json()["message"]
    assert "developer.xero.com" not in hindered.text
    assert "set-cookie" not in hindered.headers
    assert went_on.json() == {"url": "https://xero.example"}
    assert desk.asked == [("t", False), ("t", True)]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"token": 1}', b'{"token": "\xc3\xbc"}', b"[" * 2000]
)
def test_what_is_no_question_is_refused(body):
    desk = Desk(())
    headers = {**OURS, "Content-Type": "application/json"}

    response = visit_public(
        "/xero/invitation/look", answer=desk, method="POST", content=body, headers=headers
    )

    assert (response.status_code, desk.asked) == (400, [])


def test_a_body_that_is_too_long_is_not_read():
    headers = {**OURS, "Content-Type": "application/json"}
    body = b'{"token": "' + b"x" * 1_000_000

    response = visit_public("/xero/invitation/look", method="POST", content=body, headers=headers)

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
def test_the_invited_read_what_concerns_them(error, status, said):
    response = visit_public(
        "/xero/invitation/look", answer=error, method="POST", json={"token": "t"}, headers=OURS
    )

    assert response.status_code == status
    assert said in response.json()["message"]
    assert error.message in response.json()["message"] or "xero_default" not in response.text


@pytest.mark.parametrize("question", ["look", "begin"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (XeroSetupError("correct the client id of the Airflow connection"), "correct the client"),
        (UnavailableError("The warehouse cannot be reached"), "The warehouse cannot be reached"),
    ],
)
def test_who_was_handed_over_reads_what_is_wrong(question, error, said):
    response = visit_public(
        f"/xero/invitation/{question}",
        answer=error,
        method="POST",
        json={"token": OWN},
        headers=OURS,
    )

    assert said in response.json()["message"]
    assert "invit" not in response.text


def test_who_was_handed_over_is_told_so_and_what_to_press_again():
    asked: dict[str, Any] = {"method": "POST", "json": {"token": OWN}, "headers": OURS}

    looked = visit_public("/xero/invitation/look", **asked)
    hindered = visit_public("/xero/invitation/begin", answer=Desk(XeroSilent()), **asked)

    assert looked.json()["is_own"] is True
    assert "press Connect to Xero again" in hindered.json()["message"]
