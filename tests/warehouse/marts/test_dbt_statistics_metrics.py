"""The narrow table says what the wide one says, and shares among contacts are those of a walk.

Knows the marts by their names; computes shares from the open documents themselves.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

KEYS = {"tenant_id", "day", "base_currency_code", "currency_code", "known_at"}
TENANTS = ("books", "every kind")


def narrow_of(rows: list[dict[str, Any]], names: list[str], currency: str) -> set[tuple[Any, ...]]:
    """The figures of wide rows, one below the other."""
    return {
        (row["day"], name, row[currency] if name.endswith("_amount") else None, row[name])
        for row in rows
        for name in names
        if row[name] is not None
    }


@pytest.mark.parametrize("tenant", TENANTS)
def test_narrow_equals_wide(marts, tenant):
    wide = marts.table("xero_marts.rpt_daily_statistics", tenant)
    by_currency = marts.table("xero_marts.rpt_daily_statistics_by_currency", tenant)
    in_own_currency = [
        name
        for name in by_currency[0]
        if name.endswith("_amount") and not name.endswith("_base_amount")
    ]
    narrow = marts.table("xero_marts.fct_daily_metrics", tenant)

    found = {(row["day"], row["metric"], row["currency_code"], row["value"]) for row in narrow}

    assert len(found) == len(narrow)
    assert found == (
        narrow_of(wide, [name for name in wide[0] if name not in KEYS], "base_currency_code")
        | narrow_of(by_currency, in_own_currency, "currency_code")
    )


@pytest.mark.parametrize("tenant", TENANTS)
def test_narrow_as_known_equals_wide_as_known(marts, tenant):
    wide = marts.table("xero_marts.rpt_daily_statistics_as_known", tenant)
    narrow = marts.table("xero_marts.fct_daily_metrics_as_known", tenant)
    (known,) = marts.table("xero_marts.dim_tenants", tenant)
    assert max(row["day"] for row in wide) == known["complete_day"]
    assert {
        (row["day"], row["metric"], row["currency_code"], row["value"]) for row in narrow
    } == narrow_of(wide, [name for name in wide[0] if name not in KEYS], "base_currency_code")


def test_every_figure_of_the_wide_tables_is_a_metric_with_a_theme_and_a_unit(marts):
    metrics = {row["metric"]: row for row in marts.table("xero_marts.dim_metrics", "books")}
    wide = marts.table("xero_marts.rpt_daily_statistics", "books")[0]
    in_base = {name for name, row in metrics.items() if not row["is_by_currency"]}
    assert in_base == set(wide) - KEYS
    units: dict[str, tuple[str, ...]] = {
        "amount": ("_amount",),
        "count": ("_count",),
        "days": ("_days",),
        "ratio": ("_ratio", "_share"),
    }
    assert [name for name, row in metrics.items() if not name.endswith(units[row["unit"]])] == []
    assert {row["theme"] for row in metrics.values()} == {
        "cash",
        "controls",
        "currency",
        "operations",
        "payables",
        "pipeline",
        "position",
        "profit_and_loss",
        "receivables",
        "stock",
        "tax",
    }
    assert [name for name, row in metrics.items() if not row["description"]] == []


def month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


@pytest.mark.parametrize("tenant", TENANTS)
def test_shares_of_the_largest_contacts_are_those_of_a_walk_over_open_documents(marts, tenant):
    documents = [
        row
        for row in marts.table("xero_marts.fct_outstanding_documents", tenant)
        if row["document_kind"] == "invoice" and row["outstanding_base_amount"] is not None
    ]
    rows = marts.table("xero_marts.rpt_daily_statistics", tenant)
    last_day = max(row["day"] for row in rows)
    wrong, measured = [], 0
    for row in rows:
        for ledger in ("receivables", "payables"):
            owed: dict[str, Decimal] = defaultdict(Decimal)
            if month_end(row["day"]) or row["day"] == last_day:
                for each in documents:
                    if each["ledger"] == ledger and each["day"] <= row["day"] < each["next_day"]:
                        owed[each["contact_id"] or ""] += each["outstanding_base_amount"]
            for name, expected in shares(ledger, [each for each in owed.values() if each > 0]):
                measured += expected is not None
                if row[name] != expected:
                    wrong.append((row["day"], name, row[name], expected))
    assert wrong == []
    assert measured > 8


def shares(ledger: str, owed: list[Decimal]) -> list[tuple[str, Decimal | None]]:
    """Each share by its name; none when nobody owes."""
    total = sum(owed, Decimal(0))
    largest = sorted(owed, reverse=True)
    found = {
        f"{ledger}_top_{top}_contacts_share": sum(largest[:top], Decimal(0)) for top in (1, 5, 10)
    }
    squares = sum((each * each for each in owed), Decimal(0))
    ratios = {name: part / total if total else None for name, part in found.items()}
    ratios[f"{ledger}_contacts_herfindahl_ratio"] = squares / (total * total) if total else None
    return [
        (name, None if each is None else each.quantize(Decimal("0.000001"), ROUND_HALF_UP))
        for name, each in ratios.items()
    ]
