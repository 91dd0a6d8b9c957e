"""Reports by tracking category and option."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sandbox.report_reading import TinyBooks, day, headings, lines
from xero_sandbox.books.documents import TrackingCategory, TrackingOption
from xero_sandbox.errors import ValidationError


@pytest.fixture
def tracked() -> tuple[TinyBooks, dict[str, str]]:
    """A sale of two regions and none, one of a region that was archived; ids by name."""
    tiny = TinyBooks(currencies=("EUR",))
    tiny.rates = {date.min: "0.5", day(5, 10): "0.4"}
    region, room = (
        TrackingCategory(tiny.new_id(), "Region"),
        TrackingCategory(tiny.new_id(), "Room"),
    )
    names: dict[str, str] = {"Region": region.category_id, "Room": room.category_id}
    options = {}
    for category, name in ((region, "North"), (region, "Old"), (region, "South"), (room, "Bar")):
        options[name] = TrackingOption(tiny.new_id(), name, category)
        category.options.append(options[name])
        names[name] = options[name].option_id
    unused = TrackingOption(tiny.new_id(), "Unused", region, status="ARCHIVED")
    region.options.append(unused)
    for category in (region, room):
        tiny.books.tracking_categories[category.category_id] = category
    north, south, bar = (options[name] for name in ("North", "South", "Bar"))
    tiny.document(
        "ACCREC",
        day(5, 4),
        tiny.line("100", "200", tracking=(north, bar)),
        tiny.line("50", "200", tracking=(south,)),
        tiny.line("7", "200"),
    )
    tiny.document("ACCPAY", day(5, 5), tiny.line("30", "400", tracking=(options["Old"],)))
    options["Old"].status = "ARCHIVED"
    # Open at a rate that moves: unrealised gains are tracked with nothing.
    tiny.document("ACCREC", day(5, 6), tiny.line("10", "270"), currency="EUR", rate="0.5")
    return tiny, names


def test_profit_and_loss_by_tracking_category(tracked: tuple[TinyBooks, dict[str, str]]) -> None:
    tiny, ids = tracked
    report = tiny.report("ProfitAndLoss", trackingCategoryID=ids["Region"])
    assert headings(report) == ["North", "Old", "South", "Unassigned", "Total"]
    found = lines(report)
    assert found["Sales"] == ["100.00", "0.00", "50.00", "7.00", "157.00"]
    assert found["Interest Income"] == ["0.00", "0.00", "0.00", "20.00", "20.00"]
    assert found["Advertising"] == ["0.00", "30.00", "0.00", "0.00", "30.00"]
    assert found["Foreign Currency Gains and Losses"] == ["0.00"] * 3 + ["-5.00"] * 2
    assert found["Net Profit"] == ["100.00", "-30.00", "50.00", "32.00", "152.00"]


def test_profit_and_loss_by_two_categories_and_by_one_option(
    tracked: tuple[TinyBooks, dict[str, str]],
) -> None:
    tiny, ids = tracked
    both = {"trackingCategoryID": ids["Region"], "trackingCategoryID2": ids["Room"]}
    report = tiny.report("ProfitAndLoss", **both)
    assert headings(report) == [
        "North, Bar",
        "North, Unassigned",
        "Old, Bar",
        "Old, Unassigned",
        "South, Bar",
        "South, Unassigned",
        "Unassigned, Bar",
        "Unassigned, Unassigned",
        "Total",
    ]
    assert lines(report)["Sales"] == ["100.00", *["0.00"] * 4, "50.00", "0.00", "7.00", "157.00"]
    narrowed = tiny.report("ProfitAndLoss", **both, trackingOptionID2=ids["Bar"])
    assert headings(narrowed) == ["North, Bar", "Old, Bar", "South, Bar", "Unassigned, Bar"]
    one = tiny.report(
        "ProfitAndLoss",
        trackingCategoryID=ids["Region"],
        trackingOptionID=ids["North"],
        periods="1",
    )
    assert headings(one) == ["31 May 26", "30 Apr 26"]
    assert lines(one)["Net Profit"] == ["100.00", "0.00"]


def test_balance_sheet_of_one_option(tracked: tuple[TinyBooks, dict[str, str]]) -> None:
    tiny, ids = tracked
    found = lines(tiny.report("BalanceSheet", trackingOptionID1=ids["North"]))
    assert found["Current Year Earnings"][0] == "100.00"
    assert found["Accounts Receivable"][0] == "115.00"
    assert found["Net Assets"] == found["Total Equity"]
    both = tiny.report("BalanceSheet", trackingOptionID1=ids["South"], trackingOptionID2=ids["Bar"])
    assert lines(both)["Total Equity"] == ["0.00", "0.00"]


@pytest.mark.parametrize(
    "asked",
    [
        {"trackingCategoryID": "nonsense"},
        {"trackingOptionID": "North"},
        {"trackingCategoryID": "Room", "trackingOptionID": "North"},
        {"trackingCategoryID": "Region", "trackingCategoryID2": "Region"},
        {"trackingCategoryID": "Region", "periods": "1"},
    ],
)
def test_tracking_that_does_not_fit_is_refused(
    tracked: tuple[TinyBooks, dict[str, str]], asked: dict[str, str]
) -> None:
    tiny, ids = tracked
    with pytest.raises(ValidationError):
        tiny.report("ProfitAndLoss", **{key: ids.get(each, each) for key, each in asked.items()})
    with pytest.raises(ValidationError):
        tiny.report("BalanceSheet", trackingOptionID1=ids["Region"])
