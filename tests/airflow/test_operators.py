"""The operators' own decisions: which day a run is for, what a reason says."""

from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_xero.errors import XeroSetupError
from airflow_xero.operators import as_list, day_of_run


def run_context(**run: Any) -> Any:
    blank = {"conf": None, "data_interval_start": None, "run_after": None}
    return {"dag_run": SimpleNamespace(**{**blank, **run})}


def test_a_scheduled_run_is_for_the_day_its_interval_starts():
    context = run_context(data_interval_start=datetime(2026, 11, 20, 12, tzinfo=UTC))

    assert day_of_run(context) == date(2026, 11, 20)


def test_a_local_time_is_counted_in_utc():
    auckland = timezone(timedelta(hours=13))
    context = run_context(data_interval_start=datetime(2026, 11, 21, 1, tzinfo=auckland))

    assert day_of_run(context) == date(2026, 11, 20)


def test_the_configuration_of_a_run_chooses_another_day():
    context = run_context(
        conf={"day": "2026-10-31"}, data_interval_start=datetime(2026, 11, 20, 12, tzinfo=UTC)
    )

    assert day_of_run(context) == date(2026, 10, 31)


def test_a_run_without_logical_date_is_for_the_last_finished_day():
    context = run_context(run_after=datetime(2026, 11, 21, 3, 45, tzinfo=UTC))

    assert day_of_run(context) == date(2026, 11, 20)


@pytest.mark.parametrize("day", ["31/10/2026", "", 20261031, ["2026-10-31"], "2026-02-30"])
def test_a_configured_day_that_is_no_date_says_how_it_must_look(day):
    with pytest.raises(XeroSetupError, match="must look like 2026-11-20"):
        day_of_run(run_context(conf={"day": day}))


@pytest.mark.parametrize(
    ("pulled", "values"),
    [(None, []), ([None], []), ({"a": 1}, [{"a": 1}]), ([{"a": 1}, None], [{"a": 1}])],
)
def test_the_values_of_a_mapped_task_are_always_a_list(pulled, values):
    assert as_list(pulled) == values
