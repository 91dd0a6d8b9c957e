"""What JSON looks like: which fields a kind of record has, and how their values are spelled.

Knows JSON. Must not know whose it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

Shape = dict[str, set[str]]
"""Path of a field, such as `LineItems.Tracking.Name`, to the kinds of value that it has."""

_SPELLINGS = (
    ("date +0000", re.compile(r"/Date\(-?\d+\+0000\)/")),
    ("date", re.compile(r"/Date\(-?\d+\)/")),
    ("id", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    ("ID", re.compile(r"(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")),
    ("day and time Z", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")),
    ("day and time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")),
)
_MONTHS = "January|February|March|April|June|July|August|September|October|November|December"
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec"


def read(text: str) -> Any:
    """Parse JSON; numbers keep their scale."""
    return json.loads(text, parse_float=Decimal)


def shape_of(records: Iterable[Any], path: str = "") -> Shape:
    """Every field of these records, with every kind of value it has; objects have none."""
    found: Shape = {}
    for record in records:
        for key, value in record.items():
            here = f"{path}.{key}" if path else key
            kinds = found.setdefault(here, set())
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    for deeper, inner in shape_of([each], here).items():
                        found.setdefault(deeper, set()).update(inner)
                elif each is not None:
                    kinds.add(kind_of(each))
    return found


def kind_of(value: object) -> str:
    """How a value is spelled: `number.2` has two places, `id` is a GUID in lower case."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "number"
    if isinstance(value, Decimal):
        return f"number.{-int(value.as_tuple().exponent)}"
    text = str(value)
    return next((name for name, spelling in _SPELLINGS if spelling.fullmatch(text)), "text")


def loosely(kinds: Iterable[str]) -> set[str]:
    """The JSON types behind the spellings: what survives a change from XML, or an editor."""
    return {
        "date" if kind.startswith("date") else kind.partition(".")[0]
        for kind in ("text" if k in ("id", "ID") or k.startswith("day") else k for k in kinds)
    }


def merged(shapes: Iterable[Shape]) -> Shape:
    """All fields of all shapes."""
    whole: Shape = {}
    for shape in shapes:
        for path, kinds in shape.items():
            whole.setdefault(path, set()).update(kinds)
    return whole


def pattern_of(text: str, *, may: str) -> str:
    """A text of a report without its numbers and months: `As at 99 Month 9999`.

    `may`: what the month of May stands for, which is short and long alike.
    """
    text = re.sub(rf"\b({_MONTHS})\b", "Month", text)
    text = re.sub(rf"\b({_SHORT})\b", "Mon", text)
    text = re.sub(r"\bMay\b", may, text)
    return re.sub(r"\b\d{1,2}\b", "99", re.sub(r"\d{4}", "9999", text))


def texts_of(report: Any) -> Iterator[str]:
    """The words of a report that no books decide: names, titles, header, ids of attributes."""
    yield f"ReportName {report['ReportName']}"
    yield f"ReportType {report['ReportType']}"
    # The last title is the period; those before it may name the organisation.
    yield f"ReportTitles {len(report['ReportTitles'])}, {_long(report['ReportTitles'][-1])}"
    yield f"ReportDate {_long(report['ReportDate'])}"
    for row in report["Rows"]:
        if row["RowType"] == "Header":
            for cell in row["Cells"]:
                yield f"Header {pattern_of(cell.get('Value') or '', may='Mon')}"
        for inner in row.get("Rows", []):
            yield f"Row {row['RowType']}/{inner['RowType']}"
            for number, cell in enumerate(inner["Cells"]):
                for attribute in cell.get("Attributes", []):
                    yield f"Attribute {min(number, 1)} {attribute['Id']}"


def _long(text: str) -> str:
    return pattern_of(text, may="Month")
