"""How often an address may ask: a bucket each, refilled evenly, and bounded in number."""

import pytest

from airflow_xero.web import limiting
from airflow_xero.web.limiting import RequestBudget


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_full_minute_may_be_asked_at_once_and_then_one_by_one(clock):
    budget = RequestBudget(a_minute=60, clock=clock)

    assert [budget.wait_seconds("192.0.2.1") for _ in range(62)] == [0] * 60 + [1, 1]
    clock.now = 1.0
    assert [budget.wait_seconds("192.0.2.1") for _ in range(2)] == [0, 1]
    clock.now = 3600.0
    assert [budget.wait_seconds("192.0.2.1") for _ in range(61)] == [0] * 60 + [1]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        (None, "testclient", True),
    ],
)
def test_an_address_is_what_one_person_has(clock, one, other, is_same):
    budget = RequestBudget(a_minute=1, clock=clock)

    assert budget.wait_seconds(one) == 0
    assert (budget.wait_seconds(other) > 0) == is_same


def test_a_flood_of_addresses_is_forgotten_from_the_oldest(clock, monkeypatch):
    monkeypatch.setattr(limiting, "_MOST_ADDRESSES", 10)
    budget = RequestBudget(a_minute=1, clock=clock)

    for number in range(100):
        assert budget.wait_seconds(f"192.0.2.{number}") == 0

    assert len(budget._left) == 10
    assert budget.wait_seconds("192.0.2.99") > 0
