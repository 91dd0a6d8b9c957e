"""XeroClient against the sandbox: every refusal, every retry, every limit."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from airflow_xero import oauth
from airflow_xero.client import XeroClient
from airflow_xero.endpoints import ENDPOINTS, report_params
from airflow_xero.errors import (
    BadRequestError,
    ConsentLostError,
    HighVolumeError,
    NotFoundError,
    RateLimitError,
    ScopeMissingError,
    TenantForbiddenError,
    UnavailableError,
    UnexpectedPayloadError,
    XeroError,
)
from airflow_xero.oauth import TokenSet, XeroApp
from tests.unit.conftest import VERIFIER, add_organisation
from xero_sandbox.testing import SandboxServer, new_browser

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
ACCOUNTS = BY_NAME["accounts"]
PATH = "/api.xro/2.0/Accounts"
HIGH_VOLUME = json.dumps({"ErrorNumber": 51, "Type": "HighVolumeException", "Message": "too many"})
REFUSED = json.dumps({"ErrorNumber": 16, "Type": "QueryParseException", "Message": "no such page"})


class Reader:
    """A client of one organisation; remembers what it slept and which tokens it was asked for."""

    def __init__(self, sandbox: SandboxServer, app: XeroApp, tokens: TokenSet) -> None:
        self.sandbox = sandbox
        self.app = app
        self.tenant_id = add_organisation(sandbox)
        self.token = tokens.access_token
        self.sleeps: list[float] = []
        self.rejected: list[str] = []
        self.sleep: Callable[[float], None] = self.sleeps.append

    def fault(self, path: str = PATH, **rule: object) -> None:
        self.sandbox.control("POST", "faults", {"path": path, **rule})

    def client(self, http: httpx.Client, **changes: Any) -> XeroClient:
        parts = {"renewed_token": self.renew, "sleep": self.sleep, **changes}
        return XeroClient(self.app, access_token=lambda: self.token, http=http, **parts)

    def renew(self, rejected: str) -> str:
        self.rejected.append(rejected)
        return self.token

    def wait_for_calls(self, count: int) -> None:
        """The sandbox logs a call after it hung up, so maybe after the client noticed."""
        give_up_at = time.monotonic() + 5
        while len(self.requests()) < count and time.monotonic() < give_up_at:
            time.sleep(0.01)
        assert len(self.requests()) == count

    def requests(self, path: str = PATH) -> list[dict[str, Any]]:
        entries = self.sandbox.control("GET", "requests")
        return [entry for entry in entries if entry["path"] == path]


@pytest.fixture
def reader(xero_sandbox, app, consent, http) -> Reader:
    add_organisation(xero_sandbox)
    code = consent(app)
    now = datetime.now(UTC)
    tokens = oauth.exchange_code(app, code, code_verifier=VERIFIER, http=http, now=now)
    return Reader(xero_sandbox, app, tokens)


@pytest.fixture
def read(reader: Reader, http: httpx.Client) -> Callable[..., Any]:
    return lambda **changes: list(reader.client(http, **changes).pages(ACCOUNTS, reader.tenant_id))


# One row per status the sandbox can answer: the rule, the one class, and the calls it is worth.
REFUSALS: list[tuple[dict[str, Any], type[XeroError], int]] = [
    ({"status": 400, "body": REFUSED}, BadRequestError, 1),
    ({"status": 400, "body": HIGH_VOLUME}, HighVolumeError, 1),
    ({"status": 400}, BadRequestError, 1),
    ({"kind": "token_expired"}, ConsentLostError, 2),
    ({"kind": "scope_missing"}, ScopeMissingError, 1),
    ({"kind": "forbidden"}, TenantForbiddenError, 1),
    ({"status": 404, "body": "The resource you're looking for cannot be found"}, NotFoundError, 1),
    ({"status": 405}, BadRequestError, 1),
    ({"status": 406}, BadRequestError, 1),
    ({"kind": "day_limit", "seconds": 3600}, RateLimitError, 1),
    ({"kind": "concurrent_limit"}, RateLimitError, 8),
    ({"kind": "app_minute_limit"}, RateLimitError, 8),
    ({"status": 500}, UnavailableError, 4),
    ({"status": 502, "body": "<html>"}, UnavailableError, 4),
    ({"kind": "offline"}, UnavailableError, 4),
    ({"kind": "drop"}, UnavailableError, 4),
    ({"kind": "answer_lost"}, UnavailableError, 4),
    ({"kind": "truncated"}, UnavailableError, 4),
    ({"kind": "not_json"}, UnexpectedPayloadError, 1),
    ({"status": 200, "body": "[]"}, UnexpectedPayloadError, 1),
    ({"status": 204}, UnexpectedPayloadError, 1),
    ({"status": 301}, UnexpectedPayloadError, 1),
]


@pytest.mark.parametrize(("rule", "kind", "calls"), REFUSALS, ids=str)
def test_every_answer_means_one_class_after_a_bounded_number_of_calls(
    rule, kind, calls, reader, read, caplog
):
    caplog.set_level(logging.DEBUG)
    reader.fault(**rule, times=0)

    with pytest.raises(kind) as raised:
        read()

    assert type(raised.value) is kind
    assert (raised.value.tenant_id, raised.value.endpoint) == (reader.tenant_id, "accounts")
    reader.wait_for_calls(calls)
    assert sum(reader.sleeps) < 600
    shown = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert reader.token not in shown


def test_a_time_out_is_tried_again_and_ends_as_unavailable(reader):
    reader.fault(kind="slow", seconds=0.4, times=0)
    with new_browser() as impatient:
        impatient.timeout = httpx.Timeout(0.1)
        with pytest.raises(UnavailableError, match="ReadTimeout"):
            list(reader.client(impatient).pages(ACCOUNTS, reader.tenant_id))

    # Long waits are slept in slices.
    assert 3.5 <= sum(reader.sleeps) <= 10.5
    reader.wait_for_calls(4)


def test_an_organisation_that_the_consent_does_not_reach_is_forbidden(reader, http, xero_sandbox):
    foreign = xero_sandbox.organisations()["Måne Studio 🌙"]

    with pytest.raises(TenantForbiddenError):
        list(reader.client(http).pages(ACCOUNTS, foreign))


def test_a_token_of_somebody_else_is_renewed_once_only(reader, read):
    reader.token = "not-a-token"

    with pytest.raises(ConsentLostError):
        read()

    assert reader.rejected == ["not-a-token"]


def test_an_expired_token_is_renewed_once_and_the_call_repeated_without_waiting(reader, read):
    reader.fault(kind="token_expired", times=1)

    (page,) = read()

    assert reader.rejected == [reader.token]
    assert reader.sleeps == []
    assert page.calls == 2


def test_an_expired_token_is_asked_for_again_where_nobody_can_renew_it(reader, read):
    reader.fault(kind="token_expired", times=1)

    assert len(read(renewed_token=None)) == 1


def test_a_lost_consent_is_not_asked_for_twice(reader, http):
    def lost() -> str:
        raise ConsentLostError("reconnect")

    client = XeroClient(reader.app, access_token=lost, http=http, sleep=reader.sleep)
    with pytest.raises(ConsentLostError, match="reconnect"):
        list(client.pages(ACCOUNTS, reader.tenant_id))

    assert reader.requests() == []


@pytest.mark.parametrize("kind", ["offline", "drop", "truncated", "concurrent_limit"])
def test_a_passing_fault_is_survived_after_a_growing_wait(kind, reader, read):
    reader.fault(kind=kind, times=3)

    (page,) = read()

    assert page.calls == 4
    waits = [0.5, 1.0, 2.0]
    assert all(low <= slept <= 3 * low for low, slept in zip(waits, reader.sleeps, strict=False))
    assert 3.5 <= sum(reader.sleeps) <= 10.5


def test_a_minute_limit_is_waited_for_as_long_as_xero_says(reader, read):
    reader.fault(kind="minute_limit", seconds=42)

    (page,) = read()

    assert page.calls == 2
    assert 42 < sum(reader.sleeps) < 43
    assert max(reader.sleeps) <= 5


def test_maintenance_is_waited_for_as_long_as_xero_says(reader, read):
    reader.fault(status=503, headers={"Retry-After": "42"})

    (page,) = read()

    assert page.calls == 2
    assert sum(reader.sleeps) == 42


def test_long_maintenance_is_raised_at_once_with_its_seconds(reader, read):
    reader.fault(status=503, headers={"Retry-After": "300"})

    with pytest.raises(UnavailableError) as raised:
        read()

    assert raised.value.retry_after_seconds == 300
    assert reader.sleeps == []


def test_a_day_limit_is_raised_at_once_with_its_seconds(reader, read):
    reader.fault(kind="day_limit", seconds=3600)

    with pytest.raises(RateLimitError, match="opens in 3600 seconds") as raised:
        read()

    assert (raised.value.limit, raised.value.retry_after_seconds) == ("day", 3600)
    assert reader.sleeps == []


def test_a_day_that_opens_within_the_minute_is_waited_for_and_used(reader, http):
    def sleep(seconds: float) -> None:
        reader.sleeps.append(seconds)
        go_on(seconds)

    def go_on(seconds: float) -> None:
        # Tokens live by the other clock.
        now = datetime.fromisoformat(reader.sandbox.control("GET", "clocks")["business"])
        moment = now + timedelta(seconds=seconds)
        reader.sandbox.control("POST", "clocks", {"business": moment.isoformat()})

    def somebody_asks() -> Any:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {reader.token}",
            "Xero-Tenant-Id": reader.tenant_id,
        }
        return http.get(f"{reader.app.api_url}{PATH}", headers=headers)

    reader.sandbox.control("POST", "limits", {"day": 1})
    assert [somebody_asks().status_code for _ in range(2)] == [200, 429]
    go_on(int(somebody_asks().headers["Retry-After"]) - 40)

    client = reader.client(http, sleep=sleep, reserved_calls=0)
    [page] = client.pages(ACCOUNTS, reader.tenant_id)

    assert (page.calls, page.day_calls_left) == (2, 0)
    assert 30 < sum(reader.sleeps) < 42


def test_a_minute_limit_that_never_ends_is_given_up_within_ten_minutes(reader, read):
    reader.fault(kind="minute_limit", seconds=60, times=0)

    with pytest.raises(RateLimitError) as raised:
        read()

    assert raised.value.limit == "minute"
    assert 480 < sum(reader.sleeps) <= 600


def test_all_calls_of_a_client_share_the_ten_minutes(reader, http):
    client = reader.client(http)
    reader.fault(kind="minute_limit", seconds=60, times=9)
    list(client.pages(ACCOUNTS, reader.tenant_id))
    reader.fault(kind="minute_limit", seconds=60, times=9)

    with pytest.raises(RateLimitError):
        list(client.pages(ACCOUNTS, reader.tenant_id))

    assert 500 < sum(reader.sleeps) <= 600


def test_a_used_up_minute_is_waited_for_rather_than_refused(reader, http):
    def sleep(seconds: float) -> None:
        reader.sleeps.append(seconds)
        reader.sandbox.control("POST", "clocks", {"advance_seconds": seconds})

    reader.sandbox.control("POST", "limits", {"minute": 2})
    client = reader.client(http, sleep=sleep)

    pages = [page for _ in range(5) for page in client.pages(ACCOUNTS, reader.tenant_id)]

    assert len(pages) == 5
    assert {entry["status"] for entry in reader.requests()} <= {200, 429}
    assert 59 < sum(reader.sleeps) < 200
    assert [entry["status"] for entry in reader.requests()].count(429) <= 1


def test_the_calls_that_are_kept_for_others_are_left_alone(reader, http):
    reader.sandbox.control("POST", "limits", {"day": 43})
    client = reader.client(http, reserved_calls=40)
    pages = [page for _ in range(3) for page in client.pages(ACCOUNTS, reader.tenant_id)]

    with pytest.raises(RateLimitError, match="40 calls are left, and 40 are kept") as raised:
        list(client.pages(ACCOUNTS, reader.tenant_id))

    assert [page.day_calls_left for page in pages] == [42, 41, 40]
    assert (raised.value.limit, raised.value.retry_after_seconds) == ("day", 3600)
    assert [entry["status"] for entry in reader.requests()] == [200] * 3


def test_what_is_left_of_the_limits_comes_with_the_page(reader, read):
    reader.sandbox.control("POST", "limits", {"minute": 30, "day": 500})

    (page,) = read()

    assert (page.minute_calls_left, page.day_calls_left) == (29, 499)


def test_a_report_is_asked_for_as_at_its_day(reader, http):
    report = BY_NAME["trial_balances"]

    asked = report_params(report, date(2026, 11, 20))
    (page,) = reader.client(http).pages(report, reader.tenant_id, params=asked)

    (entry,) = reader.requests("/api.xro/2.0/Reports/TrialBalance")
    assert entry["query"] == "date=2026-11-20"
    assert page.is_last


def test_a_retry_is_logged_without_the_token(reader, read, caplog):
    caplog.set_level(logging.DEBUG)
    reader.fault(status=503)

    read()

    assert f"xero_retry tenant={reader.tenant_id} endpoint=accounts call=1" in caplog.text
    assert "reason=UnavailableError" in caplog.text
    assert reader.token not in caplog.text


def test_a_page_shows_no_record_in_its_repr(read):
    (page,) = read()

    assert b'"Code"' in page.body
    assert "Code" not in repr(page)
