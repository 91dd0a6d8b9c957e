"""Clocks that are set and tick on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from xero_sandbox.clock import Clock, wall_now

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Ticks:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_clock_starts_at_the_machines_time():
    assert abs(Clock().now() - wall_now()) < timedelta(seconds=5)
    assert Clock().now().tzinfo is UTC


def test_a_clock_ticks_on_from_where_it_is_set():
    ticks = Ticks()
    clock = Clock(NOON, monotonic=ticks)
    ticks.seconds += 90
    assert clock.now() == NOON + timedelta(seconds=90)
    clock.set(NOON - timedelta(days=5))
    assert clock.now() == NOON - timedelta(days=5)
    ticks.seconds += 0.5
    assert clock.now() == NOON - timedelta(days=5) + timedelta(seconds=0.5)


def test_a_clock_jumps_ahead_and_back():
    clock = Clock(NOON, monotonic=Ticks())
    clock.advance(3600)
    clock.advance(-60)
    assert clock.now() == NOON + timedelta(minutes=59)


def test_a_clock_takes_other_zones_and_answers_in_utc():
    clock = Clock(monotonic=Ticks())
    clock.set(datetime(2026, 11, 21, 1, tzinfo=timezone(timedelta(hours=13))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_a_time_without_zone_is_refused():
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        Clock(naive)
    with pytest.raises(ValueError, match="time zone"):
        Clock(NOON).set(naive)


def test_the_distance_from_the_machine_brings_a_clock_back():
    clock = Clock(NOON)
    again = Clock(wall_now() + timedelta(seconds=clock.offset_seconds()))
    assert abs(again.now() - clock.now()) < timedelta(seconds=1)
