"""The rate limits: how they count, when they open again, what they tell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.conftest import App
from xero_sandbox.api.limits import Limits, LimitSettings
from xero_sandbox.clock import Clock
from xero_sandbox.errors import ControlError, RateLimitError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def limits_at(moment: datetime = NOON, **settings: int) -> tuple[Limits, Clock]:
    clock = Clock(moment, monotonic=lambda: 0.0)
    return Limits(clock, LimitSettings(**settings)), clock  # type: ignore[arg-type]


def spend(limits: Limits, calls: int, tenant_id: str = "a") -> None:
    for _ in range(calls):
        with limits.call(tenant_id):
            pass


def refusal(limits: Limits, tenant_id: str = "a") -> RateLimitError:
    with pytest.raises(RateLimitError) as caught, limits.call(tenant_id):
        pass
    return caught.value


def test_the_sixty_first_call_of_a_minute_is_refused_and_the_next_window_is_full_again():
    limits, clock = limits_at()
    spend(limits, 60)
    error = refusal(limits)
    assert error.problem == "minute"
    assert error.retry_after_seconds is not None
    assert 1 <= error.retry_after_seconds <= 60
    clock.advance(error.retry_after_seconds - 0.001)
    assert refusal(limits).problem == "minute"
    clock.advance(0.001)
    spend(limits, 60)
    assert refusal(limits).problem == "minute"


def test_the_day_limit_is_that_of_the_tier_and_tells_when_it_opens():
    limits, clock = limits_at(minute=10_000)
    limits.settings = limits.settings.changed({"tier": "starter"})
    spend(limits, 1000)
    error = refusal(limits)
    assert error.problem == "day"
    assert error.retry_after_seconds is not None
    assert 60 < error.retry_after_seconds <= 86_400
    clock.advance(error.retry_after_seconds)
    spend(limits, 1)
    assert limits.left("a")["day"] == 999


def test_windows_open_at_a_different_second_for_every_tenant():
    limits, _ = limits_at(minute=1)
    spend(limits, 1, "a")
    spend(limits, 1, "b")
    spend(limits, 1, "c")
    waits = {refusal(limits, tenant).retry_after_seconds for tenant in ("a", "b", "c")}
    assert len(waits) > 1


def test_one_tenant_never_uses_up_the_limit_of_another():
    limits, _ = limits_at()
    spend(limits, 60, "a")
    assert refusal(limits, "a").problem == "minute"
    spend(limits, 60, "b")


def test_the_limit_of_the_app_counts_every_tenant():
    limits, _ = limits_at(app_minute=10)
    spend(limits, 5, "a")
    spend(limits, 5, "b")
    error = refusal(limits, "c")
    assert (error.problem, error.retry_after_seconds) == ("appminute", None)


def test_five_calls_at_a_time_and_not_six():
    limits, _ = limits_at()
    with (
        limits.call("a"),
        limits.call("a"),
        limits.call("a"),
        limits.call("a"),
        limits.call("a"),
    ):
        error = refusal(limits)
        assert (error.problem, error.retry_after_seconds) == ("concurrent", None)
        spend(limits, 1, "b")
    spend(limits, 1)


def test_a_refused_call_is_not_counted():
    limits, _ = limits_at(minute=3)
    spend(limits, 3)
    refusal(limits)
    assert limits.left("a") == {"minute": 0, "day": 4997, "app_minute": 9997}


def test_a_call_that_fails_gives_its_place_back():
    limits, _ = limits_at(concurrent=1)
    with pytest.raises(KeyError), limits.call("a"):
        raise KeyError
    spend(limits, 1)


def test_a_clock_that_is_set_back_opens_a_new_window():
    limits, clock = limits_at(minute=1)
    spend(limits, 1)
    clock.set(NOON - timedelta(days=3))
    spend(limits, 1)


def test_limits_that_are_off_refuse_nothing_and_show_everything_left():
    limits, _ = limits_at()
    limits.settings = limits.settings.changed({"enabled": False})
    spend(limits, 200)
    assert limits.left("a") == {"minute": 60, "day": 5000, "app_minute": 10_000}


@pytest.mark.parametrize(
    "wanted",
    [
        {"hour": 5},
        {"tier": "gold"},
        {"tier": 5},
        {"enabled": 1},
        {"minute": True},
        {"minute": -1},
        {"minute": "60"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wanted):
    with pytest.raises(ControlError):
        LimitSettings().changed(wanted)


def test_every_answer_says_what_is_left(app: App, tiny: str):
    tokens = app.connect()
    first = app.read(tokens, "Organisation", tiny).headers
    second = app.read(tokens, "Organisation", tiny).headers
    names = ("X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining")
    assert [int(first[name]) - int(second[name]) for name in names] == [1, 1, 1]
    assert int(first["X-DayLimit-Remaining"]) == 4999


def test_a_429_carries_its_reason_and_its_wait(app: App, tiny: str):
    tokens = app.connect()
    app.sandbox.control("POST", "limits", {"minute": 2})
    answers = [app.read(tokens, "Organisation", tiny) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1].headers
    assert refused["X-Rate-Limit-Problem"] == "minute"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["X-MinLimit-Remaining"] == "0"
    app.sandbox.control("POST", "clocks", {"advance_seconds": int(refused["Retry-After"])})
    assert app.read(tokens, "Organisation", tiny).status_code == 200


def test_the_sixth_call_at_the_same_time_is_refused(app: App, tiny: str):
    tokens = app.connect()
    slow = {"path": "/api.xro/2.0/Accounts", "kind": "slow", "seconds": 0.5, "times": 0}
    app.sandbox.control("POST", "faults", slow)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: app.read(tokens, "Accounts", tiny), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["X-Rate-Limit-Problem"] == "concurrent"
    assert "Retry-After" not in refused.headers


def test_refusals_before_the_limits_are_not_counted(app: App, tiny: str):
    tokens = app.connect()
    app.read(tokens, "Organisation", "somebody-else")
    app.read(tokens, "Nothing", tiny)
    app.http.get("/api.xro/2.0/Organisation")
    assert app.sandbox.control("GET", "limits")["left"][tiny] == {
        "minute": 60,
        "day": 5000,
        "app_minute": 10_000,
    }


HEADERS = ("X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("Nothing", {}, 404),
        ("Organisation", {"Accept": "text/xml"}, 406),
        ("Invoices", {}, 401),
        ("Accounts/00000000-0000-4000-8000-000000000000", {}, 404),
    ],
)
def test_refusals_for_a_known_organisation_say_what_is_left_too(
    app: App, tiny: str, path: str, headers: dict[str, str], status: int
):
    tokens = app.connect(scopes="accounting.settings")
    response = app.read(tokens, path, tiny, **headers)
    assert response.status_code == status
    assert all(int(response.headers[name]) > 0 for name in HEADERS)


def test_the_limits_can_be_switched_off_and_on(app: App, tiny: str):
    tokens = app.connect()
    app.sandbox.control("POST", "limits", {"minute": 1, "enabled": False})
    assert {app.read(tokens, "Organisation", tiny).status_code for _ in range(4)} == {200}
    app.sandbox.control("POST", "limits", {"enabled": True})
    assert [app.read(tokens, "Organisation", tiny).status_code for _ in range(2)] == [200, 429]


def test_the_document_threshold_is_100_000_and_can_be_set(app: App):
    assert app.sandbox.control("GET", "limits")["high_volume"] == 100_000
    assert app.sandbox.control("POST", "limits", {"high_volume": 5})["high_volume"] == 5


def test_pages_can_be_made_short_so_that_a_small_organisation_is_a_long_walk(app: App, tiny: str):
    for name in ("Ada", "Bo", "Cleo"):
        wanted = {"tenantId": tiny, "action": "create_contact", "name": name}
        app.sandbox.control("POST", "documents", wanted)
    tokens = app.connect()
    app.sandbox.control("POST", "limits", {"page_size": 2})
    pages = [app.read(tokens, f"Contacts?page={n}&pageSize=1000", tiny).json() for n in (1, 2)]
    assert [len(page["Contacts"]) for page in pages] == [2, 1]
    assert pages[0]["pagination"] == {"page": 1, "pageSize": 2, "pageCount": 2, "itemCount": 3}
    with pytest.raises(ValueError, match="page_size cannot be 0: a whole number of at least 1"):
        app.sandbox.control("POST", "limits", {"page_size": 0})


@pytest.mark.parametrize(
    ("settings", "statuses"),
    [
        ({"rapid_sync": True}, [200, 200, 200]),
        ({"rapid_sync": True, "tier": "plus"}, [200, 200, 200]),
        ({"rapid_sync": True, "tier": "core"}, [200, 429, 429]),
        ({"rapid_sync": False}, [200, 429, 429]),
        ({"rapid_sync": True, "concurrent": 0}, [429, 429, 429]),
        ({"rapid_sync": True, "app_minute": 2}, [200, 200, 429]),
    ],
)
def test_a_new_connection_may_be_read_without_the_minute_where_rapid_sync_is_on(
    app: App, tiny: str, settings, statuses
):
    tokens = app.connect()
    app.sandbox.control("POST", "limits", {"minute": 1, "day": 2, **settings})
    answers = [app.read(tokens, "Organisation", tiny).status_code for _ in range(3)]
    assert answers == statuses


def test_rapid_sync_ends_after_thirty_minutes(app: App, tiny: str):
    refresh_token = app.connect()["refresh_token"]
    app.sandbox.control("POST", "limits", {"minute": 1, "rapid_sync": True})
    app.sandbox.control("POST", "clocks", {"advance_seconds": 30 * 60})
    tokens = app.refresh(refresh_token).json()
    assert [app.read(tokens, "Organisation", tiny).status_code for _ in range(2)] == [200, 429]
