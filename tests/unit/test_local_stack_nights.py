"""Which nights the demo runs, and how a consent is walked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from local_stack.airflow_api import AirflowApi
from local_stack.consent import first_form
from local_stack.errors import StackError
from local_stack.nights import Night, last_nights, run_night
from local_stack.progress import Progress


@pytest.mark.parametrize(
    ("now", "last_day"),
    [
        (datetime(2026, 11, 21, 11, 59, 59, tzinfo=UTC), date(2026, 11, 19)),
        (datetime(2026, 11, 21, 12, 0, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 21, 23, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), date(2026, 12, 30)),
    ],
)
def test_the_last_night_is_the_last_whose_run_could_have_started(
    now: datetime, last_day: date
) -> None:
    nights = last_nights(now)
    assert [night.day.toordinal() - last_day.toordinal() for night in nights] == [-2, -1, 0]
    assert nights[-1].starts_at <= now
    assert Night(date.fromordinal(last_day.toordinal() + 1)).starts_at > now


def test_a_night_names_its_day_and_has_no_logical_date_before_the_schedules_start() -> None:
    assert Night(date(2026, 11, 19)).body() == {
        "dag_run_id": "manual__2026-11-19",
        "logical_date": None,
        "conf": {"day": "2026-11-19"},
    }


def test_a_form_is_read_with_its_boxes_ticked_and_all_its_buttons() -> None:
    form = first_form(
        "<p>x</p><form action='/go?a=1' method=POST><input type=hidden name=csrf value=t>"
        "<input name=email><input type=checkbox name=organisation value=a checked>"
        "<input type=checkbox name=organisation value=b>"
        "<input type=radio name=plan value=one><input type=radio name=plan value=two>"
        "<button name=decision value=cancel>Cancel</button>"
        "<button name=decision value=allow>Allow</button></form>"
        "<form><input name=other></form>"
    )
    assert form is not None
    assert (form.action, form.method) == ("/go?a=1", "post")
    assert form.fields == {
        "csrf": ["t"],
        "email": [""],
        "organisation": ["a", "b"],
        "plan": ["one"],
    }
    assert form.buttons == [("decision", "cancel"), ("decision", "allow")]


def test_a_page_without_a_form_ends_the_consent() -> None:
    assert first_form("<html><body><main>Thank you</main></body></html>") is None


class _Airflow(AirflowApi):
    """An Airflow whose one run passes through these states."""

    def __init__(self, *states: str | None, tasks: list[dict[str, Any]]) -> None:
        super().__init__("http://localhost:1")
        self._states = list(states)
        self._tasks = tasks
        self.asked: list[str] = []

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        return self._states.pop(0)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return self._tasks

    def start_run(self, dag_id: str, body: Mapping[str, Any]) -> None:
        self.asked.append("start")

    def run_again(self, dag_id: str, run_id: str) -> None:
        self.asked.append("again")


def _task(
    name: str, state: str, *, map_index: int = -1, label: str | None = None
) -> dict[str, Any]:
    return {
        "id": f"{name}{map_index}",
        "task_id": name,
        "dag_id": "xero_daily",
        "dag_run_id": "manual__2026-11-19",
        "map_index": map_index,
        "rendered_map_index": label,
        "state": state,
        "duration": 1.4,
        "try_number": 2,
    }


def _run(airflow: _Airflow) -> list[datetime]:
    clocks: list[datetime] = []
    run_night(
        airflow,
        Night(date(2026, 11, 19)),
        set_clock=clocks.append,
        check=lambda: None,
        task_logs=Path("logs"),
        progress=Progress(),
    )
    return clocks


def test_a_night_sets_the_clock_before_it_starts_its_run() -> None:
    airflow = _Airflow(None, "success", tasks=[_task("list_tenants", "success")])
    assert _run(airflow) == [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    assert airflow.asked == ["start"]


def test_a_night_that_is_done_is_not_repeated() -> None:
    airflow = _Airflow("success", tasks=[])
    assert _run(airflow) == []
    assert airflow.asked == []


def test_a_night_under_way_is_watched_to_its_end() -> None:
    airflow = _Airflow("running", "success", tasks=[_task("list_tenants", "success")])
    assert _run(airflow) == []
    assert airflow.asked == []


def test_a_night_that_failed_runs_again() -> None:
    airflow = _Airflow("failed", "success", tasks=[_task("list_tenants", "success")])
    assert len(_run(airflow)) == 1
    assert airflow.asked == ["again"]


def test_a_failed_night_names_the_task_and_its_log() -> None:
    tasks = [
        _task("list_tenants", "success"),
        _task("extract_tenant", "failed", map_index=1, label="Beacon & Sons <Joinery>"),
    ]
    with pytest.raises(StackError) as caught:
        _run(_Airflow(None, "failed", tasks=tasks))
    assert "extract_tenant (Beacon & Sons <Joinery>)" in str(caught.value)
    assert "list_tenants" not in str(caught.value)
    assert (
        "logs/dag_id=xero_daily/run_id=manual__2026-11-19/task_id=extract_tenant/map_index=1/"
        "attempt=2.log"
    ) in str(caught.value)


def test_a_run_without_any_task_is_no_success() -> None:
    with pytest.raises(StackError, match="without any task"):
        _run(_Airflow(None, "success", tasks=[]))
