"""Which broken tie-outs are new, so that documents are read again once and not every night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from airflow_xero.tie_outs import broken_tie_outs, still_broken_tie_outs

TENANT_ID = "11111111-1111-1111-1111-111111111111"
DAY = date(2026, 11, 19)
NIGHT = datetime.fromisoformat("2026-11-20T12:00Z")
MONTH_END = date(2026, 10, 31)
MARTS = """
create schema xero_marts;
create table xero_marts.rpt_tie_out (
    tenant_id uuid, report text, basis text, report_date date, known_at timestamptz,
    measure text, line_key text, line_label text, difference numeric, status text
);
create table xero_marts.rpt_tie_out_summary (
    tenant_id uuid, report text, basis text, report_date date, known_at timestamptz,
    difference_amount numeric, broken_amount numeric
);
"""

Compare = Callable[..., bool | None]


@pytest.fixture
def compare(warehouse) -> Compare:
    """Compare a day's trial balance at a night; whether what is broken is new, None if nothing."""
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, 'Kauri')", (TENANT_ID,)
    )
    warehouse.execute(MARTS)

    def run(day: date, known_at: datetime, *broken: str) -> bool | None:
        [(run_id,)] = warehouse.execute(
            "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
            " values (%s, %s, %s, 'complete') returning run_id",
            (TENANT_ID, day, known_at),
        ).fetchall()
        row: tuple[Any, ...] = (TENANT_ID, "TrialBalance", "accrual", day, known_at)
        for line in ("sales", "rent", "bank"):
            difference = 5 if line in broken else 0
            status = "broken" if difference else "tied"
            warehouse.execute(
                "insert into xero_marts.rpt_tie_out values (%s, %s, %s, %s, %s, 'balance', %s, %s,"
                " %s, %s)",
                (*row, line, line, difference, status),
            )
        warehouse.execute(
            "insert into xero_marts.rpt_tie_out_summary values (%s, %s, %s, %s, %s, %s, %s)",
            (*row, 5 * len(broken), 5 * len(broken)),
        )
        found = broken_tie_outs(warehouse, [run_id])
        return found[0].is_new if found else None

    return run


def nights(compare: Compare, *broken: tuple[str, ...]) -> list[bool | None]:
    """A comparison each night, of the day before."""
    return [
        compare(DAY + timedelta(days=number), NIGHT + timedelta(days=number), *lines)
        for number, lines in enumerate(broken)
    ]


def test_what_stays_broken_is_new_on_the_first_night_alone(compare):
    assert nights(compare, ("sales",), ("sales",), ("sales",)) == [True, False, False]


def test_another_line_that_breaks_is_new(compare):
    assert nights(compare, (), ("sales",), ("sales", "rent")) == [None, True, True]


def test_what_breaks_again_after_it_tied_is_new(compare):
    assert nights(compare, ("sales",), (), ("sales",)) == [True, None, True]


def test_past_day_that_is_compared_later_is_not_new(compare):
    nights(compare, ("sales",))
    assert compare(MONTH_END, NIGHT + timedelta(hours=1), "rent") is False


def test_what_stays_broken_is_not_new_after_a_past_day_that_tied(compare):
    nights(compare, ("sales",))
    assert compare(MONTH_END, NIGHT + timedelta(hours=1)) is None
    assert compare(DAY + timedelta(days=1), NIGHT + timedelta(days=1), "sales") is False


def test_day_that_is_compared_again_is_new_when_another_line_breaks(compare):
    nights(compare, ("sales",))
    assert compare(DAY, NIGHT + timedelta(hours=1), "sales") is False
    assert compare(DAY, NIGHT + timedelta(hours=2), "rent") is True


def still_broken(warehouse: Any, run_id: int) -> list[tuple[date, Any, list[str]]]:
    """The day, the amount and the lines that are broken now of what a run left."""
    return [
        (each.report_date, each.amount, list(each.accounts))
        for each in still_broken_tie_outs(warehouse, [run_id])
    ]


def extract(warehouse: Any, known_at: datetime, *, closes_day: bool = True) -> int:
    """An extraction that says the same as the last one, of which nothing is kept."""
    [(run_id,)] = warehouse.execute(
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state, closes_day)"
        " values (%s, %s, %s, 'complete', %s) returning run_id",
        (TENANT_ID, DAY, known_at, closes_day),
    ).fetchall()
    return int(run_id)


def test_what_a_run_found_stays_broken_until_the_same_or_a_later_day_ties(compare, warehouse):
    compare(DAY, NIGHT, "sales", "rent")
    assert still_broken(warehouse, 1) == [(DAY, 10, ["rent", "sales"])]

    compare(DAY - timedelta(days=1), NIGHT + timedelta(hours=1))
    assert still_broken(warehouse, 1) == [(DAY, 10, ["rent", "sales"])]

    compare(DAY, NIGHT + timedelta(hours=2), "rent")
    assert still_broken(warehouse, 1) == [(DAY, 5, ["rent"])]

    compare(DAY + timedelta(days=1), NIGHT + timedelta(days=1))
    assert still_broken(warehouse, 1) == []


def test_an_extraction_that_finds_the_same_again_is_as_broken(compare, warehouse):
    compare(DAY, NIGHT, "sales")

    assert still_broken(warehouse, extract(warehouse, NIGHT + timedelta(hours=1))) == [
        (DAY, 5, ["sales"])
    ]


def test_a_refresh_which_compares_nothing_is_held_against_nothing(compare, warehouse):
    compare(DAY, NIGHT, "sales")

    refresh = extract(warehouse, NIGHT + timedelta(hours=1), closes_day=False)
    assert still_broken(warehouse, refresh) == []


def test_a_past_day_that_is_found_broken_beside_a_newer_one_that_ties_stays_broken(
    compare, warehouse
):
    compare(DAY, NIGHT)
    compare(MONTH_END, NIGHT + timedelta(hours=1), "rent")

    assert still_broken(warehouse, 1) == []
    assert still_broken(warehouse, 2) == [(MONTH_END, 5, ["rent"])]


def test_a_report_that_was_not_read_mends_nothing(compare, warehouse):
    compare(DAY, NIGHT, "sales")
    warehouse.execute(
        "insert into xero_marts.rpt_tie_out_summary"
        " select tenant_id, report, basis, report_date + 1, known_at + interval '1 day'"
        " from xero_marts.rpt_tie_out_summary"
    )

    assert still_broken(warehouse, 1) == [(DAY, 5, ["sales"])]


def test_where_there_is_no_tie_out_nothing_is_broken(warehouse):
    assert still_broken_tie_outs(warehouse, [1]) == []
