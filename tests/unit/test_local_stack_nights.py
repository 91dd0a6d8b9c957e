"""Which nights the demo runs, and how a consent is walked."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from local_stack.consent import first_form
from local_stack.nights import Night, last_nights


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
