"""How much of what roles are refused reaches the audit log, and stays in a process's memory."""

from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(clock: Clock) -> Any:
    # Airflow's own imports make Starlette warn about its test client.
    from airflow_xero.web.refusals import Refusals

    return Refusals(clock=clock)


def refuse(refusals: Any, who: str = "mallory", **known: str) -> None:
    from airflow_xero.web.refusals import Wanted

    refusals.count(Wanted(who, "pause", **known))


def test_beyond_the_bound_of_a_minute_a_line_says_who_and_what_alone(
    xero, warehouse, refusals, clock
):
    bound, many = 20, 40

    for minute in range(2):
        clock.now = 60.0 * minute
        for number in range(many):
            refuse(refusals, address=f"192.0.2.{number}")
            refusals.write()
        refuse(refusals, "ada", address="192.0.2.1")
        refusals.write()

    assert warehouse.execute(
        "select actor, count(*), count(address), sum(coalesce((detail ->> 'times')::int, 1))::int"
        " from xero_ops.audit_log group by actor order by actor"
    ).fetchall() == [("ada", 2, 2, 2), ("mallory", 2 * (bound + 1), 2 * bound, 2 * many)]


def test_a_line_that_is_gone_is_written_anew_and_no_other_is_taken_for_it(
    xero, warehouse, refusals
):
    refuse(refusals, address="192.0.2.1")
    refusals.write()
    # As another line has its number in a warehouse that was restored.
    warehouse.execute("update xero_ops.audit_log set tenant_id = gen_random_uuid()")

    for _ in range(2):
        refuse(refusals, address="192.0.2.1")
    refusals.write()

    assert warehouse.execute(
        "select tenant_id is null, detail from xero_ops.audit_log order by entry_id"
    ).fetchall() == [(False, {}), (True, {"times": 2})]


def test_what_waits_for_a_warehouse_is_bounded_and_counted(refusals):
    asked = 5_000

    for _ in range(asked):
        refuse(refusals, tenant_id=str(uuid4()))

    assert len(refusals._waiting) < asked / 2
    assert refusals._waiting.total() == asked
