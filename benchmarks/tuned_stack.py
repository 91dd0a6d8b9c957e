"""The laptop's stack with settings for many organisations, in a folder of its own.

Knows how it is opened, started and stopped. Must not know organisations, nights or what is
measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local_stack.airflow_api import AirflowApi
from local_stack.nights import DAG_ID, wait_for_dag
from local_stack.processes import Child
from local_stack.progress import Progress
from local_stack.settings import Settings
from local_stack.stack import Stack, open_stack
from local_stack.story import write_login

REPOSITORY = Path(__file__).resolve().parents[1]
# The settings that docs/operate.md names for its measurement. The scheduler reads every task of a
# run each time it looks: so it looks seldom, and enough tasks are under way meanwhile.
SETTINGS: Mapping[str, str] = {
    "AIRFLOW__CORE__PARALLELISM": "16",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
    "AIRFLOW__SCHEDULER__MAX_TIS_PER_QUERY": "64",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "3",
    "AIRFLOW__XERO__EXTRACT_SLOTS": "16",
    "AIRFLOW__XERO__START_SECONDS": "0",
}


@dataclass(frozen=True)
class _Place(Settings):
    """The stack's settings, with its files where the measurement wants them."""

    place: Path = REPOSITORY

    @property
    def folder(self) -> Path:
        """The folder of all state."""
        return self.place


@dataclass(frozen=True)
class TunedStack(Stack):
    """The laptop's stack with the settings for many organisations."""

    more: tuple[tuple[str, str], ...] = ()

    def wanted_children(self) -> list[Child]:
        """Every process, with these settings added."""
        return [
            replace(each, environment={**each.environment, **dict(self.more)})
            for each in super().wanted_children()
        ]


def open_tuned(folder: Path, settings: Mapping[str, str] = SETTINGS) -> TunedStack:
    """The stack with its files in `folder`; it is not started."""
    plain = open_stack(_Place(repository=REPOSITORY, place=folder), Progress())
    # Nothing of the schedule itself may become due while a night is measured.
    plain.state.set("first_day", (datetime.now(UTC).date() + timedelta(days=30)).isoformat())
    return TunedStack(**vars(plain), more=tuple(settings.items()))


@contextmanager
def running(stack: TunedStack) -> Iterator[AirflowApi]:
    """The stack started, with its Dag unpaused; stopped at the end."""
    try:
        stack.end_leftovers()
        stack.choose_ports()
        stack.start_postgres()
        stack.migrate_airflow()
        write_login(stack)
        stack.migrate_warehouse()
        stack.start_children()
        api = stack.wait_until_healthy()
        stack.put_connections(api)
        _widen_pool(api, slots=int(dict(stack.more)["AIRFLOW__XERO__EXTRACT_SLOTS"]))
        wait_for_dag(api, check=stack.check)
        api.unpause(DAG_ID)
        yield api
    finally:
        stack.stop()


def _widen_pool(api: AirflowApi, *, slots: int) -> None:
    """Give the pool as many slots as the setting says, also one that a migration made before."""
    # The API wants the fields that stay as well.
    pool = {"pool": "xero_extract", "slots": slots, "include_deferred": False}
    answer = api.http.patch(
        "/api/v2/pools/xero_extract", params={"update_mask": "slots"}, json=pool
    )
    if answer.json().get("slots") != slots:
        raise SystemExit(f"Airflow did not change the pool: {answer.status_code} {answer.text}")


def library_environment(stack: Stack) -> dict[str, str]:
    """What Airflow's tasks have, and both connections."""
    scheduler = next(each for each in stack.wanted_children() if each.name == "scheduler")
    connections = {
        f"AIRFLOW_CONN_{body.pop('connection_id').upper()}": json.dumps(
            {**body, "extra": json.loads(body["extra"])}
        )
        for body in stack.connections()
    }
    return {"PATH": "/usr/bin:/bin", **scheduler.environment, **connections}
