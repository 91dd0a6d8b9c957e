"""One organisation through several doors at once: one extraction wins, the others come later."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from airflow_xero.errors import WarehouseBusyError
from airflow_xero.retry import XeroRetryPolicy
from tests.warehouse.misfortune import LISTS, assert_equal, persevere

# As the Dags call: every night, the past, a person who pressed the button, every hour.
DOORS: dict[str, dict[str, Any]] = {
    "xero_daily": {},
    "xero_backfill": {"backfill_calls": 24},
    "the button": {"accept_deletions": True},
    "xero_refresh": {"closes_day": False},
}
LONGEST_SECONDS = 60.0


class Doors:
    """Everybody comes in at once; who holds the organisation lets the others knock first."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.ended: dict[str, Any] = {}
        self._changed = threading.Condition()

    def enter_all(self) -> None:
        threads = [threading.Thread(target=self._enter, args=(name,)) for name in DOORS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _enter(self, name: str) -> None:
        try:
            ending: Any = self.world.xero.extract(
                self.world.tenant, on_response=self._wait_for_the_others, **DOORS[name]
            ).state
        except WarehouseBusyError as busy:
            ending = busy
        with self._changed:
            self.ended[name] = ending
            self._changed.notify_all()

    def _wait_for_the_others(self, response: Any) -> None:
        if "/api.xro/" in str(response.request.url):
            with self._changed:
                everybody = len(DOORS) - 1
                assert self._changed.wait_for(lambda: len(self.ended) >= everybody, LONGEST_SECONDS)


@pytest.mark.parametrize("is_first", [True, False], ids=["first night", "later night"])
def test_of_several_doors_at_once_one_wins_and_the_others_are_tried_again(world, is_first):
    if not is_first:
        persevere(world)
        world.wait_until_due()
    before = world.xero.one("select count(*) from xero_ops.extract_runs")[0]
    doors = Doors(world)
    doors.enter_all()
    busy = [each for each in doors.ended.values() if isinstance(each, WarehouseBusyError)]
    others = [each for each in doors.ended.values() if not isinstance(each, WarehouseBusyError)]
    # A refresh that finds somebody at work, or a day to publish, has nothing to add, and is not
    # tried again.
    assert sorted(others) in (["complete"], ["complete", "gave_way"])
    assert len(busy) + len(others) == len(DOORS)
    assert {each.tenant_id for each in busy} == {world.tenant.tenant_id}
    decisions = [XeroRetryPolicy().evaluate(each, 1, 3).action for each in busy]
    assert set(decisions) == {RetryAction.RETRY}
    # Who came too early began nothing.
    assert world.xero.one("select count(*) from xero_ops.extract_runs") == (before + 1,)
    for name, ending in doors.ended.items():
        if isinstance(ending, WarehouseBusyError):
            assert world.xero.extract(world.tenant, **DOORS[name]).state == "complete"
    assert_equal(world, world.books(LISTS))


def test_a_refresh_that_looks_for_an_unpublished_day_hinders_nobody(world):
    persevere(world)
    world.wait_until_due()
    ended: list[str] = []
    refresh = threading.Thread(
        target=lambda: ended.append(world.xero.extract(world.tenant, closes_day=False).state)
    )
    with psycopg.connect(world.xero.dsn) as other:
        # The look waits for this table: meanwhile one sees what the refresh holds.
        other.execute("lock table xero_ops.extract_runs in access exclusive mode")
        refresh.start()
        while not locks(other, "relation", granted=False):
            assert refresh.is_alive()
        assert locks(other, "advisory", granted=True) == 0
    refresh.join()
    assert ended == ["gave_way"]


def locks(connection: psycopg.Connection[Any], kind: str, *, granted: bool) -> int:
    query = (
        "select count(*) from pg_locks where locktype = %s and granted = %s and database ="
        " (select oid from pg_database where datname = current_database())"
    )
    [(count,)] = connection.execute(query, (kind, granted)).fetchall()
    return int(count)
