"""What a night knew of a day stays as it was, whatever is edited, voided or deleted afterwards.

Knows the raw tables and how dbt is called; must not know what a model computes.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.warehouse.marts.test_dbt_incremental import FIRST, Seldom, Warehouse, company, said

AS_KNOWN = "xero_marts.rpt_daily_statistics_as_known"
ONLY = ("--select", "+rpt_daily_statistics_as_known")


@pytest.fixture
def raw(warehouse_dsn: str, tmp_path: Path) -> Warehouse:
    """A migrated warehouse that knows nobody yet."""
    return Warehouse(warehouse_dsn, tmp_path)


def rows(raw: Warehouse, table: str) -> list[dict[str, Any]]:
    """Every row of a table, in the order of days."""
    with psycopg.connect(raw.dsn, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(f"select * from {table} order by day").fetchall()


@pytest.mark.campaign
@pytest.mark.timeout(1500)
def test_a_closed_day_never_changes_and_equals_a_rebuild_of_its_night(raw: Warehouse):
    busy = company("Busy", "all", currencies=["EUR", "USD"])
    seldom = Seldom()
    # The build of the third night fails, and the fourth one's tells of two days.
    nights = [FIRST + timedelta(days=number) for number in range(4)]
    kept: list[dict[str, Any]] = []
    for number, happens in enumerate([None, seldom.documents, seldom.credits, seldom.money]):
        records = said(busy, nights[number], has_journals=False)
        if happens:
            happens(records)
        raw.extract(busy.tenant_id, nights[number], seldom.happen(records))
        if number == 2:
            continue
        raw.dbt(*ONLY)
        raw.execute("update xero_ops.extract_runs set built_at = clock_timestamp()")

        now = rows(raw, AS_KNOWN)
        assert now[: len(kept)] == kept
        kept = now

    days = [night.date() - timedelta(days=1) for night in nights]
    assert [(row["day"], row["known_at"]) for row in kept] == [
        (days[0], nights[0]),
        (days[1], nights[1]),
        (days[2], nights[3]),
        (days[3], nights[3]),
    ]

    raw.dbt(*ONLY, "--full-refresh")
    assert rows(raw, AS_KNOWN) == kept
    restated = {row["day"]: row for row in rows(raw, "xero_marts.rpt_daily_statistics")}
    subledgers = raw.rows(
        "select column_name::text from information_schema.columns"
        " where table_schema = 'xero_intermediate' and table_name = 'int_daily_subledgers'"
    )
    names = [name for (name,) in subledgers]
    differs = [row["day"] for row in kept if any(row[x] != restated[row["day"]][x] for x in names)]
    assert days[0] in differs

    raw.dbt(
        *("--select", "+rpt_daily_statistics"),
        known_at=nights[1].isoformat(),
        schema_suffix="then",
    )
    then = rows(raw, "xero_marts_then.rpt_daily_statistics")[-1]
    assert {name: kept[1][name] for name in names} == {name: then[name] for name in names}
