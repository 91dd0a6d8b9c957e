"""Pace: calls are handed out so that no limit of Xero's is hit."""

from __future__ import annotations

import pytest

from airflow_xero.errors import RateLimitError
from airflow_xero.pacing import CallsLeft, Pace


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(reserve=100, clock=clock)


def call(pace: Pace, tenant_id: str = "a", **left: int) -> None:
    """One call from its beginning to its answer."""
    assert pace.seconds_to_wait(tenant_id) == 0
    pace.note(tenant_id, CallsLeft(**left))


def test_nothing_is_waited_for_while_nothing_is_known(pace):
    assert pace.seconds_to_wait("a") == 0


def test_a_minute_without_calls_is_waited_out_from_when_it_was_first_seen(pace, clock):
    call(pace, minute=1)
    clock.seconds += 20
    call(pace, minute=0)
    assert pace.seconds_to_wait("a") == 40
    clock.seconds += 41
    assert pace.seconds_to_wait("a") == 0


def test_a_minute_is_not_taken_for_over_because_one_before_it_had_as_many_calls(pace, clock):
    call(pace, minute=2)
    clock.seconds += 90
    call(pace, minute=2)
    clock.seconds += 10
    call(pace, minute=0)
    assert pace.seconds_to_wait("a") == 50


def test_an_answer_that_does_not_come_is_no_new_minute(pace):
    call(pace, minute=1)
    assert [pace.seconds_to_wait("a"), pace.seconds_to_wait("b")] == [0, 0]
    pace.note("a", CallsLeft(minute=0))
    pace.note("a", CallsLeft())
    assert pace.seconds_to_wait("a") == 60


def test_calls_under_way_are_not_handed_out_twice(pace):
    call(pace, minute=4)
    assert [pace.seconds_to_wait("a") for _ in range(4)] == [0] * 4
    # The answer of the first may have been counted before the other three.
    pace.note("a", CallsLeft(minute=3))
    assert pace.seconds_to_wait("a") == 60


def test_more_calls_than_before_mean_a_new_minute(pace, clock):
    call(pace, minute=1)
    clock.seconds += 50
    call(pace, minute=59)
    call(pace, minute=0)
    assert pace.seconds_to_wait("a") == 60


def test_the_apps_minute_holds_back_every_tenant(pace):
    call(pace, "a", minute=59, app_minute=50)
    assert pace.seconds_to_wait("b") == 60


def test_one_tenants_minute_holds_back_no_other(pace):
    call(pace, "a", minute=0, app_minute=9000)
    assert pace.seconds_to_wait("a") == 60
    assert pace.seconds_to_wait("b") == 0


def test_the_reserve_of_a_day_is_left_alone(pace):
    call(pace, day=101)
    call(pace, day=100)
    with pytest.raises(RateLimitError, match="100 calls are left, and 100 are kept") as raised:
        pace.seconds_to_wait("a")
    assert (raised.value.limit, raised.value.retry_after_seconds) == ("day", 3600)


def test_calls_under_way_do_not_share_the_last_one_of_a_day(pace):
    call(pace, day=102)
    assert [pace.seconds_to_wait("a") for _ in range(2)] == [0, 0]
    with pytest.raises(RateLimitError, match="100 calls are left"):
        pace.seconds_to_wait("a")


def test_an_answer_overtaken_by_a_later_one_gives_no_call_back(pace):
    call(pace, day=103)
    assert [pace.seconds_to_wait("a") for _ in range(3)] == [0, 0, 0]
    pace.note("a", CallsLeft(day=100))
    pace.note("a", CallsLeft(day=102))
    with pytest.raises(RateLimitError, match="100 calls are left"):
        pace.seconds_to_wait("a")


def test_calls_of_other_programs_are_counted_in_the_day(pace):
    call(pace, day=500)
    call(pace, day=100)
    with pytest.raises(RateLimitError):
        pace.seconds_to_wait("a")


def test_a_new_day_gives_all_its_calls(pace):
    call(pace, day=101)
    call(pace, day=4999)
    assert pace.seconds_to_wait("a") == 0


def test_a_day_that_was_waited_for_is_open_again(pace):
    call(pace, minute=9, day=0)
    with pytest.raises(RateLimitError):
        pace.seconds_to_wait("a")
    pace.forget("a", is_new_day=True)
    call(pace, minute=9, day=4999)
    assert pace.seconds_to_wait("a") == 0


def test_a_minute_that_was_waited_for_opens_no_day(pace):
    call(pace, minute=0, day=100)
    pace.forget("a")
    with pytest.raises(RateLimitError, match="100 calls are left"):
        pace.seconds_to_wait("a")


def test_a_day_that_was_waited_for_opens_no_other_organisations(pace):
    call(pace, "b", day=100)
    pace.forget("a", is_new_day=True)
    with pytest.raises(RateLimitError):
        pace.seconds_to_wait("b")


def test_a_call_without_an_answer_takes_no_other_callers_place(pace):
    call(pace, minute=1)
    assert pace.seconds_to_wait("a") == 0
    pace.note("a", CallsLeft())
    assert pace.seconds_to_wait("a") == 0
