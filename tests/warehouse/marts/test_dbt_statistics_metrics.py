"""The narrow table says what the wide one says, and shares among contacts are those of a walk.

Knows the marts by their names; computes shares from the open documents themselves.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

import pytest

KEYS = {"tenant_id", "day", "base_currency_code", "currency_code", "known_at"}
RATE = ("last_currency_rate", "last_rate_days")
TENANTS = ("books", "every kind")

# Day, metric, currency and value.
Figures: TypeAlias = set[tuple[Any, ...]]


def figures_of(narrow: list[dict[str, Any]]) -> Figures:
    """The figures of a narrow table, each once."""
    found = {(row["day"], row["metric"], row["currency_code"], row["value"]) for row in narrow}
    assert len(found) == len(narrow)
    return found


def figures_in(wide: list[dict[str, Any]], by_currency: list[dict[str, Any]]) -> Figures:
    """The figures of the wide rows, and what those by currency say in their own."""
    own = [name for name in by_currency[0] if name.endswith("_amount") and "_base_" not in name]
    return {
        (row["day"], name, row["base_currency_code"] if name.endswith("_amount") else None, value)
        for row in wide
        for name, value in row.items()
        if name not in KEYS and value is not None
    } | {
        (row["day"], name, row["currency_code"], row[name])
        for row in by_currency
        for name in (*own, *RATE)
        if row[name] is not None
    }


@pytest.mark.parametrize("clock", ["", "_as_known"])
@pytest.mark.parametrize("tenant", TENANTS)
def test_narrow_equals_wide(marts, tenant, clock):
    wide = marts.table(f"xero_marts.rpt_daily_statistics{clock}", tenant)
    by_currency = marts.table(f"xero_marts.rpt_daily_statistics_by_currency{clock}", tenant)
    narrow = marts.table(f"xero_marts.fct_daily_metrics{clock}", tenant)
    (known,) = marts.table("xero_marts.dim_tenants", tenant)
    for rows in (wide, by_currency):
        assert max(row["day"] for row in rows) == known["complete_day"]
    assert {row["currency_code"] for row in by_currency} > {known["base_currency_code"]}
    assert figures_of(narrow) == figures_in(wide, by_currency)


def test_the_last_rate_of_a_day_is_that_of_the_newest_documents_up_to_it(marts):
    known = {
        (row["currency_code"], row["rate_date"]): row["currency_rate"]
        for row in marts.table("xero_marts.fct_currency_rates", "books")
    }
    rows = marts.table("xero_marts.rpt_daily_statistics_by_currency", "books")
    for row in rows:
        dates = [day for code, day in known if code == row["currency_code"] and day <= row["day"]]
        last = max(dates, default=None)
        assert row["last_rate_date"] == last
        assert row["last_currency_rate"] == (last and known[row["currency_code"], last])
        assert row["last_rate_days"] == (last and (row["day"] - last).days)
    # Older than the day, and of it; none of the organisation's own currency.
    assert {row["last_rate_days"] for row in rows} > {0, 1, None}
    assert {row["last_currency_rate"] for row in rows if row["currency_code"] == "NZD"} == {None}


def test_every_figure_of_the_wide_tables_is_a_metric_with_a_theme_and_a_unit(marts):
    metrics = {row["metric"]: row for row in marts.table("xero_marts.dim_metrics", "books")}
    wide = marts.table("xero_marts.rpt_daily_statistics", "books")[0]
    in_base = {name for name, row in metrics.items() if not row["is_by_currency"]}
    assert in_base == set(wide) - KEYS
    units: dict[str, tuple[str, ...]] = {
        "amount": ("_amount",),
        "count": ("_count",),
        "days": ("_days",),
        "rate": ("_rate",),
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
