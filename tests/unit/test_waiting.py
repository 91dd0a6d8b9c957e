"""Waiting: all of one client together, and what is waited at the same time only once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from airflow_xero.errors import RateLimitError
from airflow_xero.waiting import Waiting

USED_UP = RateLimitError("the minute is used up", limit="minute", retry_after_seconds=60)


class Clock:
    """Seconds that pass by sleeping; what happens `meanwhile` sleeps at the same time."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[], None] | None = None

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        began_at, meanwhile, self.meanwhile = self.seconds, self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        self.seconds = began_at + seconds
        self.slept.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wait(clock: Clock) -> Callable[[float], None]:
    """Waits, a hundred seconds at most."""
    waiting = Waiting(budget_seconds=100, sleep=clock.sleep, clock=clock)
    return lambda seconds: waiting.wait(seconds, USED_UP, Event())


def test_waits_after_one_another_add_up(wait, clock):
    wait(60)
    wait(40)
    with pytest.raises(RateLimitError, match="the minute is used up"):
        wait(1)
    assert sum(clock.slept) == 100
    assert max(clock.slept) == 5


def test_waits_at_the_same_time_are_one(wait, clock):
    clock.meanwhile = lambda: wait(60)
    wait(60)
    wait(40)
    with pytest.raises(RateLimitError):
        wait(1)


def test_a_longer_wait_counts_for_what_it_is_longer(wait, clock):
    clock.meanwhile = lambda: wait(70)
    wait(60)
    with pytest.raises(RateLimitError):
        wait(31)
    wait(30)


def test_a_wait_that_began_later_counts_from_where_the_other_one_ends(wait, clock):
    def sleep_on() -> None:
        clock.meanwhile = lambda: wait(60)

    # The second begins when the first has slept for a slice.
    clock.meanwhile = sleep_on
    wait(60)
    with pytest.raises(RateLimitError):
        wait(36)
    wait(35)


def test_what_is_refused_is_not_counted(wait):
    with pytest.raises(RateLimitError):
        wait(101)
    wait(100)


def test_nobody_waits_for_what_was_given_up(clock):
    abandoned = Event()
    clock.meanwhile = abandoned.set
    waiting = Waiting(budget_seconds=100, sleep=clock.sleep, clock=clock)
    with pytest.raises(RateLimitError):
        waiting.wait(60, USED_UP, abandoned)
    assert clock.slept == [5]
