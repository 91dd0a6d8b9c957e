"""The table at the end of `make run`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from local_stack.databases import Warehouse
from local_stack.progress import Progress
from local_stack.statistics import as_table, print_statistics


def _row(name: str, **amounts: str) -> dict[str, Any]:
    measures = ("issued", "paid", "outstanding", "overdue")
    names = [f"{side}_{measure}" for side in ("receivables", "payables") for measure in measures]
    row = {f"{name}_base_amount": Decimal("0.00") for name in names}
    row |= {f"cash_{kind}_base_amount": Decimal("0.00") for kind in ("received", "spent")}
    row |= {f"{name}_base_amount": Decimal(amount) for name, amount in amounts.items()}
    return {
        "tenant_name": name,
        "day": date(2026, 11, 19),
        "base_currency_code": "NZD",
        **row,
    }


def test_an_organisation_has_a_line_for_receivables_and_one_for_payables() -> None:
    table = as_table([_row("Kauri", receivables_issued="1234567.5", cash_spent="8.10")])
    assert table == [
        "                                     issued  paid  outstanding  overdue   cash",
        "Kauri             receivables  1,234,567.50  0.00         0.00     0.00   0.00",
        "2026-11-19 · NZD  payables             0.00  0.00         0.00     0.00  -8.10",
    ]


def test_nothing_has_no_sign_and_what_came_back_turns_it() -> None:
    nothing = as_table([_row("Kauri", receivables_overdue="-0.001", payables_paid="-0.00")])
    assert [line.split()[-5:] for line in nothing[1:]] == [["0.00"] * 5] * 2

    back = as_table([_row("Kauri", cash_received="-7.00", cash_spent="-8.10")])
    assert [line.split()[-1] for line in back[1:]] == ["-7.00", "+8.10"]


def test_names_with_emoji_or_control_characters_keep_the_columns_in_line() -> None:
    table = as_table([_row("Måne Studio 🌙"), _row("a\x1b[2Jb\nc"), _row("long " * 20)])
    assert table[1].startswith("Måne Studio 🌙")
    assert table[3].startswith("a [2Jb c")
    assert "…" in table[5]
    columns = [line.index("receivables") for line in table if "receivables" in line]
    assert columns == [columns[1] - 1, columns[1], columns[1]]


def test_an_empty_warehouse_says_what_to_do(
    empty_database_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    warehouse = Warehouse(dsn=empty_database_dsn, reader_dsn=None)
    print_statistics(warehouse, Progress())
    assert "Connect page" in capsys.readouterr().out


def test_the_table_is_read_from_the_marts(
    empty_database_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = _row("Beacon & Sons <Joinery>", payables_overdue="12.34")
    del row["tenant_name"]
    columns = ", ".join(f"{value!r} as {name}" for name, value in row.items() if name != "day")
    columns = columns.replace("Decimal(", "numeric ").replace(")", "")
    with psycopg.connect(empty_database_dsn) as connection:
        connection.execute("create schema xero_marts")
        connection.execute(
            "create table xero_marts.dim_tenants as select 1 as tenant_id, "
            "'Beacon & Sons <Joinery>' as tenant_name"
        )
        connection.execute(
            "create table xero_marts.rpt_daily_statistics as "
            f"select 1 as tenant_id, day, {columns} "
            "from unnest(array[date '2026-11-18', date '2026-11-19']) as day"
        )
    print_statistics(Warehouse(dsn=empty_database_dsn, reader_dsn=None), Progress())
    shown = capsys.readouterr().out
    assert "Statistics of 2026-11-19" in shown
    assert "2026-11-18" not in shown
    assert shown.count("Beacon & Sons <Joinery>") == 1
    assert "12.34" in shown
