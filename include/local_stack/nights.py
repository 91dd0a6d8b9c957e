"""The nights of the demo: which days, and the Dag run of each, watched until it ends.

Day D is extracted by the run that starts at 12:00 UTC of D+1. Knows Airflow's API and the
sandbox's clock; must not know what a task does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

from local_stack.airflow_api import AirflowApi
from local_stack.errors import StackError
from local_stack.progress import Progress

DAG_ID = "xero_daily"
EXTRACT_DAG_ID = "xero_extract"
"""What connecting an organisation starts."""

_RUN_HOUR = time_of_day(12, tzinfo=UTC)
_POLL_SECONDS = 0.5
_DAG_SECONDS = 120
# A night takes about 20 seconds; a quarter of an hour without its end means that it hangs.
_RUN_SECONDS = 900
_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


@dataclass(frozen=True)
class Night:
    """The extraction of one day."""

    day: date

    @property
    def starts_at(self) -> datetime:
        """When the run starts: 12:00 UTC of the following day."""
        return datetime.combine(self.day + timedelta(days=1), _RUN_HOUR)

    @property
    def run_id(self) -> str:
        """The id of its Dag run."""
        return f"manual__{self.day}"

    def body(self) -> dict[str, Any]:
        """Return what starts its run over the API.

        Without a logical date: the nights lie before the schedule's start, and Airflow gives a
        run whose logical date lies there no tasks at all.
        """
        return {
            "dag_run_id": self.run_id,
            "logical_date": None,
            "conf": {"day": self.day.isoformat()},
        }


def last_nights(now: datetime, *, count: int = 3) -> list[Night]:
    """Return the last `count` days whose run could have started by `now`, oldest first."""
    last = (now.astimezone(UTC) - timedelta(hours=_RUN_HOUR.hour)).date() - timedelta(days=1)
    return [Night(last - timedelta(days=back)) for back in reversed(range(count))]


def hold_first_extractions(api: AirflowApi, *, check: Callable[[], None]) -> None:
    """Let connecting start nothing: the nights that follow read the organisations, in their order.

    `api.unpause(EXTRACT_DAG_ID)` ends it.
    """
    wait_for_dag(api, check=check, dag_id=EXTRACT_DAG_ID)
    api.pause(EXTRACT_DAG_ID)


def wait_for_dag(api: AirflowApi, *, check: Callable[[], None], dag_id: str = DAG_ID) -> None:
    """Wait until Airflow has read the Dag; StackError with the import error when it cannot."""
    deadline = time.monotonic() + _DAG_SECONDS
    while not api.has_dag(dag_id):
        check()
        if problems := api.import_errors():
            raise StackError(f"Airflow cannot read a Dag file: {problems[0]}")
        if time.monotonic() > deadline:
            raise StackError(
                f"Airflow did not find the Dag {dag_id} within {_DAG_SECONDS} s: read the "
                "dag-processor's log, then run the command again."
            )
        time.sleep(_POLL_SECONDS)


def run_night(
    api: AirflowApi,
    night: Night,
    *,
    set_clock: Callable[[datetime], None],
    check: Callable[[], None],
    task_logs: Path,
    progress: Progress,
) -> None:
    """Run the night unless it is done, and show its tasks as they end.

    A run that is under way is watched on; one that failed runs again.
    `check` raises when a process has died. StackError names the failed task and its log.
    """
    state = api.run_state(DAG_ID, night.run_id)
    if state == "success":
        return
    progress.step(f"night of {night.day}: started")
    if state is None:
        set_clock(night.starts_at)
        api.start_run(DAG_ID, night.body())
    elif state == "failed":
        set_clock(night.starts_at)
        api.run_again(DAG_ID, night.run_id)
    _watch(api, night, check=check, task_logs=task_logs, progress=progress)


def _watch(
    api: AirflowApi,
    night: Night,
    *,
    check: Callable[[], None],
    task_logs: Path,
    progress: Progress,
) -> None:
    shown: set[str] = set()
    deadline = time.monotonic() + _RUN_SECONDS
    while True:
        check()
        state = api.run_state(DAG_ID, night.run_id)
        instances = api.task_instances(DAG_ID, night.run_id)
        for instance in instances:
            if instance["state"] in _ENDED and instance["id"] not in shown:
                shown.add(instance["id"])
                progress.step(f"night of {night.day}: {_told(instance)}")
        if state == "success" and instances:
            return
        if state == "success":
            raise StackError(f"The run {night.run_id} of {DAG_ID} ended without any task.")
        if state == "failed":
            raise StackError(_failure(night, instances, task_logs))
        if time.monotonic() > deadline:
            raise StackError(
                f"The run {night.run_id} of {DAG_ID} did not end within {_RUN_SECONDS} s: look "
                f"at it in Airflow or in {task_logs}, then run the command again."
            )
        time.sleep(_POLL_SECONDS)


def _told(instance: dict[str, Any]) -> str:
    label = instance["rendered_map_index"]
    name = f"{instance['task_id']} {label}" if label else instance["task_id"]
    seconds = f" ({instance['duration']:.0f} s)" if instance["duration"] else ""
    state = "done" if instance["state"] == "success" else instance["state"].replace("_", " ")
    return f"{name}: {state}{seconds}"


def _failure(night: Night, instances: list[dict[str, Any]], task_logs: Path) -> str:
    failed = [instance for instance in instances if instance["state"] == "failed"]
    lines = [f"The run of {DAG_ID} for {night.day} failed:"]
    for instance in failed:
        label = instance["rendered_map_index"]
        name = f"{instance['task_id']} ({label})" if label else instance["task_id"]
        lines.append(f"  {name}: read {_task_log(instance, task_logs)}")
    lines.append("Repair the cause, then run the command again: it repeats this night.")
    return "\n".join(lines)


def _task_log(instance: dict[str, Any], task_logs: Path) -> Path:
    folder = (
        task_logs
        / f"dag_id={instance['dag_id']}"
        / f"run_id={instance['dag_run_id']}"
        / f"task_id={instance['task_id']}"
    )
    if instance["map_index"] >= 0:
        folder /= f"map_index={instance['map_index']}"
    return folder / f"attempt={instance['try_number']}.log"
