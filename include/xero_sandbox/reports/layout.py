"""What every report looks like: header, sections, rows, cells, titles and the spelling in them.

Knows Xero's frame and how it writes amounts and dates. Must not know figures or parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from xero_sandbox.books.money import ZERO
from xero_sandbox.wire.format import ms_date

Report = dict[str, Any]
Row = dict[str, Any]
Attribute = dict[str, str]


def report_of(
    report_id: str, name: str, *, titles: Sequence[str], now: datetime, rows: Sequence[Row]
) -> Report:
    """Return rows in the frame that every report has.

    ReportDate is the day it was made, whatever date it is about: in UTC, as the published
    examples of organisations in New Zealand and Australia show.
    """
    return {
        "ReportID": report_id,
        "ReportName": name,
        "ReportType": report_id,
        "ReportTitles": list(titles),
        "ReportDate": spoken(now.astimezone(UTC).date()),
        "UpdatedDateUTC": ms_date(now),
        "Fields": [],
        "Rows": list(rows),
    }


def header(values: Iterable[str]) -> Row:
    """Return the row of column headings."""
    return {"RowType": "Header", "Cells": [{"Value": value} for value in values]}


def section(title: str, rows: Sequence[Row]) -> Row:
    """Return rows under a title, which may be empty."""
    return {"RowType": "Section", "Title": title, "Rows": list(rows)}


def row(cells: Iterable[Row]) -> Row:
    """Return an ordinary row."""
    return {"RowType": "Row", "Cells": list(cells)}


def plain_row(values: Iterable[str]) -> Row:
    """Return an ordinary row whose cells refer to nothing."""
    return row(cell(value) for value in values)


def summary_row(values: Iterable[str]) -> Row:
    """Return a row of totals."""
    return {"RowType": "SummaryRow", "Cells": [cell(value) for value in values]}


def cell(value: str, *attributes: Attribute) -> Row:
    """Return a cell; its attributes say what it stands for."""
    found: Row = {"Value": value}
    if attributes:
        found["Attributes"] = list(attributes)
    return found


def attribute(name: str, value: str) -> Attribute:
    """Return one attribute of a cell: `account`, `invoiceID` or `fromDate`."""
    return {"Value": value, "Id": name}


def money(amount: Decimal) -> str:
    """Write an amount with two places and no thousands; never `-0.00`."""
    return f"{amount + ZERO:.2f}"


def spoken(day: date) -> str:
    """Write a date as titles do: `28 May 2014`."""
    return f"{day.day} {day:%B} {day.year}"


def short(day: date) -> str:
    """Write a date as the columns of a balance sheet do: `31 May 2014`, the month in three."""
    return f"{day.day} {day:%b} {day.year}"


def shorter(day: date) -> str:
    """Write a date as the columns of a profit and loss do: `31 May 14`."""
    return f"{day.day} {day:%b} {day.year % 100:02d}"


def american(day: date) -> str:
    """Write a date as attributes do, in every country: `5/31/2014`."""
    return f"{day.month}/{day.day}/{day.year}"
