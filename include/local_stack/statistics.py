"""The table that ends `make run`: the last day's statistics of every organisation.

Reads xero_marts.rpt_daily_statistics as a BI tool would. Knows that mart's columns and nothing
else of the warehouse.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import errors as postgres
from psycopg.rows import DictRow, dict_row

from local_stack.databases import Warehouse
from local_stack.progress import Progress, printable

_QUERY = """
select
    tenants.tenant_name,
    statistics.*
from xero_marts.rpt_daily_statistics as statistics
join xero_marts.dim_tenants as tenants using (tenant_id)
where statistics.day = (
    select max(later.day)
    from xero_marts.rpt_daily_statistics as later
    where later.tenant_id = statistics.tenant_id
)
order by tenants.tenant_name, statistics.tenant_id
"""
_HEADINGS = ("", "", "issued", "paid", "outstanding", "overdue", "cash")
_NAME_WIDTH = 34
_SIDES = (("receivables", "cash_received"), ("payables", "cash_spent"))
_MEASURES = ("issued", "paid", "outstanding", "overdue")


def last_statistics(warehouse: Warehouse) -> list[DictRow]:
    """Return each organisation's last day, by name; empty before the first run."""
    with psycopg.connect(warehouse.reader_dsn or warehouse.dsn, row_factory=dict_row) as connection:
        try:
            return connection.execute(_QUERY).fetchall()
        except (
            postgres.UndefinedTable,
            postgres.InvalidSchemaName,
            # A first build that failed has made the schema, but opened no mart to anybody yet.
            postgres.InsufficientPrivilege,
        ):
            return []


def as_table(rows: Sequence[DictRow]) -> list[str]:
    """Return two lines per organisation, receivables and payables, in its base currency."""
    cells = [_HEADINGS, *(line for row in rows for line in _lines(row))]
    widths = [max(_width(line[column]) for line in cells) for column in range(len(_HEADINGS))]
    return [
        "  ".join(
            _padded(cell, width, to_right=column > 1)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def print_statistics(warehouse: Warehouse, progress: Progress) -> None:
    """Print the last day of every organisation, or say that there is none yet."""
    rows = last_statistics(warehouse)
    progress.text()
    if not rows:
        progress.text("No statistics yet: connect an organisation on the Connect page.")
        return
    days = sorted({str(row["day"]) for row in rows})
    progress.text(f"Statistics of {days[-1]}, as {_reader(warehouse)} reads them:")
    for line in as_table(rows):
        progress.text(f"  {line}".rstrip())


def _reader(warehouse: Warehouse) -> str:
    return "bi_reader" if warehouse.reader_dsn else "the warehouse's owner"


def _lines(row: DictRow) -> list[tuple[str, ...]]:
    name = _shortened(printable(row["tenant_name"]), _NAME_WIDTH)
    second = f"{row['day']} · {row['base_currency_code']}"
    return [
        (
            title,
            side,
            *(_money(row[f"{side}_{measure}_base_amount"]) for measure in _MEASURES),
            _signed(row[f"{cash}_base_amount"], is_income=side == "receivables"),
        )
        for title, (side, cash) in zip((name, second), _SIDES, strict=True)
    ]


def _money(amount: Any) -> str:
    # Nothing has no sign, also where less than half a cent is left of it.
    return f"{amount:z,.2f}" if isinstance(amount, Decimal) else "?"


def _signed(amount: Any, *, is_income: bool) -> str:
    """What came in with a plus, what was spent with a minus; what came back of either turns it."""
    flow = amount if is_income or not isinstance(amount, Decimal) else -amount
    shown = _money(flow)
    return f"+{shown}" if isinstance(flow, Decimal) and round(flow, 2) > 0 else shown


def _width(text: str) -> int:
    """How many columns a terminal gives the text: an emoji takes two, a mark none."""
    return sum(
        0
        if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn")
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )


def _shortened(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    kept = text
    while _width(kept) > width - 1:
        kept = kept[:-1]
    return kept + "…"


def _padded(text: str, width: int, *, to_right: bool) -> str:
    spaces = " " * (width - _width(text))
    return spaces + text if to_right else text + spaces
