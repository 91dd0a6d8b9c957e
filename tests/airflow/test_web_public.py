"""The public room on its own: what it says to people it does not know, and to nobody else."""

import subprocess
import sys

import pytest

from airflow_xero.connect import Connected, Finished
from airflow_xero.errors import (
    BadRequestError,
    ConsentRefusedError,
    UnavailableError,
    XeroSetupError,
)
from airflow_xero.web.limiting import RequestBudget
from airflow_xero.web.visitors import consent_cookie
from tests.airflow.public_desk import (
    CALLBACK,
    HANDED,
    INVITEE,
    KAURI,
    MINE,
    OURS,
    STATE,
    Desk,
    visit_public,
)

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


def test_it_can_be_served_without_airflow():
    program = (
        "import sys, airflow_xero.web.public\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'airflow'])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr


def test_the_consent_is_finished_with_the_cookie_of_its_own_state():
    desk = Desk((KAURI, Connected("2", "Beacon")))
    cookies = {**MINE, consent_cookie("s2"): "another tab"}

    response = visit_public(CALLBACK, answer=desk, cookies=cookies)

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
def test_the_way_home_carries_counts_and_a_few_ids_and_no_name(reached, told):
    response = visit_public(
        CALLBACK, answer=reached, home=lambda _: "/base/plugin/xero", cookies=MINE
    )

    assert response.status_code == 303
    assert response.headers["location"] == f"/base/plugin/xero?{told}"


@pytest.mark.parametrize(
    ("reading", "said"), [("paused", "still paused"), ("later", "the Dag xero_extract")]
)
def test_nobody_is_told_that_it_is_read_at_once_when_it_is_not(reading, said):
    some, all_of_it = Desk(Finished((KAURI,), not_connected=["Beacon"])), Desk((KAURI,))
    some.reading = all_of_it.reading = reading

    told = visit_public(CALLBACK, answer=some, home=lambda _: "/p", cookies=MINE)
    sent = visit_public(CALLBACK, answer=all_of_it, home=lambda _: "/p", cookies=MINE)

    assert said in told.text
    assert "and read at once" not in told.text
    assert sent.headers["location"] == f"/p?connected=1&reading={reading}&tenant=1"


@pytest.mark.parametrize("cookies", [MINE, INVITEE])
def test_what_else_the_login_reaches_is_named_and_said_not_to_be_connected(cookies):
    answer = Finished((KAURI,), not_connected=["<Beacon>", *["x" * 500] * 30])

    response = visit_public(CALLBACK, answer=answer, home=lambda _: "/plugin/xero", cookies=cookies)

    assert response.status_code == 200
    said = "Also reachable with this Xero login, not connected here: &lt;Beacon&gt;, xxx"
    assert said in response.text
    assert " and 11 more." in response.text
    assert ("/plugin/xero?connected=1&amp;tenant=1" in response.text) == (cookies is MINE)
    assert len(response.text) < 5_000


def test_the_invited_are_thanked_and_not_sent_to_airflow():
    response = visit_public(CALLBACK, home=lambda _: "/plugin/xero", cookies=INVITEE)

    assert response.status_code == 200
    assert "Thank you" in response.text
    assert "<a " not in response.text


AIRFLOW_PAGE = "https://airflow.example/plugin/xero"


@pytest.mark.parametrize("home", [None, lambda _: "/plugin/xero"])
def test_who_was_handed_over_goes_back_to_airflow(home):
    response = visit_public(CALLBACK, home=home, airflow_page=AIRFLOW_PAGE, cookies=HANDED)

    assert response.status_code == 303
    assert response.headers["location"] == f"{AIRFLOW_PAGE}?connected=1&tenant=1"


def test_who_was_handed_over_is_told_where_to_go_on_where_nobody_knows_the_address():
    response = visit_public(CALLBACK, cookies=HANDED)

    assert response.status_code == 200
    assert "the page Xero in Airflow shows it" in response.text
    assert "<a " not in response.text


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        (CALLBACK, XeroSetupError("correct the client secret"), "correct the client secret"),
        (f"/xero/callback?state={STATE}&error=invalid_scope", (), "the field Scopes"),
        (f"/xero/callback?state={STATE}&error=access_denied", (), "press Connect to Xero again"),
    ],
)
def test_who_was_handed_over_reads_what_went_wrong_and_finds_the_way_back(path, answer, said):
    response = visit_public(path, answer=answer, airflow_page=AIRFLOW_PAGE, cookies=HANDED)

    assert said in response.text
    assert "invit" not in response.text
    assert f'<a href="{AIRFLOW_PAGE}">Back to the Xero page</a>' in response.text


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
def test_the_name_of_an_organisation_cannot_harm_the_page(name):
    response = visit_public(CALLBACK, answer=[Connected("1", name)], cookies=MINE)

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
def test_an_error_is_a_page_with_its_message_and_nothing_else(error, status):
    raised = error("Press <b>Connect</b> again", tenant_id="t-1", correlation_id="c-1")

    response = visit_public(CALLBACK, answer=raised, cookies=MINE)

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
def test_what_no_browser_of_ours_can_bring_is_never_asked_for(state, cookies, ending):
    desk = Desk((KAURI,))

    response = visit_public(f"/xero/callback?state={state}&{ending}", answer=desk, cookies=cookies)

    assert desk.asked == []
    assert response.status_code == (200 if "error" in ending else 409)
    assert ("begun in another browser" in response.text) == (ending == "code=c")


@pytest.mark.parametrize("query", ["", "?state=s", "?code=c", "?error="])
def test_an_incomplete_callback_finishes_nothing(query):
    desk = Desk(())

    response = visit_public(f"/xero/callback{query}", answer=desk)

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
def test_a_refusal_by_xero_is_put_into_words(error, said):
    response = visit_public(f"/xero/callback?error={error}&state=s", home=lambda _: "/")

    assert said in response.text
    assert "invitation" not in response.text
    assert "Back to the Xero page" in response.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "open your invitation link again"),
        ("temporarily_unavailable", "not available at the moment"),
        ("invalid_scope", "tell the person who invited you"),
        ("unauthorized_client", "tell the person who invited you"),
        ("server_error", "tell the person who invited you"),
    ],
)
def test_the_invited_read_nothing_of_our_set_up_in_a_refusal_by_xero(error, said):
    path = f"/xero/callback?error={error}&state={STATE}"
    response = visit_public(path, home=lambda _: "/", cookies=INVITEE)

    assert said in response.text
    for words in ("Airflow connection", "client id", "redirect URI", "Scopes", error):
        assert words not in response.text


@pytest.mark.parametrize("error", ["<script>alert(1)</script>", "Call 0800 123", "x" * 5000])
def test_whoever_writes_the_address_does_not_write_the_page(error):
    response = visit_public("/xero/callback", params={"error": error, "error_description": error})

    assert response.status_code == 400
    assert error not in response.text
    assert error[:7] not in response.text


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        (CALLBACK, {"cookies": MINE}),
        ("/xero/invitation", {}),
        ("/xero/invitation/look", {"method": "POST", "json": {"token": "t"}, "headers": OURS}),
        ("/xero/invitation/begin", {"method": "POST", "json": {"token": "t"}, "headers": OURS}),
    ],
)
def test_who_asks_too_often_waits(path, request_):
    budget, desk = RequestBudget(a_minute=1, clock=lambda: 0.0), Desk((KAURI,))

    answers = [visit_public(path, answer=desk, budget=budget, **request_) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 429, 429]
    assert answers[1].headers["retry-after"] == "60"
    assert len(desk.asked) <= 1


def test_who_asks_for_files_too_often_waits_and_may_still_connect():
    files, budget = (RequestBudget(a_minute=2, clock=lambda: 0.0) for _ in range(2))

    answers = [
        visit_public(path, home=lambda _: "/", files=files, budget=budget)
        for path in ("/xero/static/icon.svg", "/xero/static/0/page.js", "/xero/static/notice.css")
    ]
    page = visit_public("/xero/invitation", files=files, budget=budget)

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "30"
    assert page.status_code == 200
