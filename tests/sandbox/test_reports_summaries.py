"""Bank, executive and budget summary, and the 1099 report: every cell is known beforehand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.sandbox.report_reading import AT, TinyBooks, day, headings, lines, small_business
from xero_sandbox.books.paper_records import Budget
from xero_sandbox.reports.executive_summary import MonthFigures, sections
from xero_sandbox.reports.long_decimals import divided, multiplied, written


@pytest.fixture
def tiny() -> TinyBooks:
    return small_business()


def test_bank_summary_counts_transfers_and_tax_but_nothing_that_was_cancelled(
    tiny: TinyBooks,
) -> None:
    report = tiny.report("BankSummary", fromDate="2026-05-01", toDate="2026-05-31")
    assert report["ReportTitles"][2] == "From 1 May 2026 to 31 May 2026"
    assert lines(report) == {
        "Business Bank Account": ["1159.00", "100.00", "615.00", "644.00"],
        "Business Savings Account": ["0.00", "500.00", "0.00", "500.00"],
        "Total": ["1159.00", "600.00", "615.00", "1144.00"],
    }
    assert lines(tiny.report("BankSummary", toDate="2026-05-20")) == lines(report)


def test_executive_summary(tiny: TinyBooks) -> None:
    report = tiny.report("ExecutiveSummary", date="2026-05-18")
    assert report["ReportTitles"][2] == "For the month of May 2026"
    assert headings(report) == ["May 2026", "Apr 2026", "Variance"]
    assert lines(report) == {
        "Cash received": ["600.00", "1159.00", "-48.2%"],
        "Cash spent": ["615.00", "0.00", "0.0%"],
        "Cash surplus (deficit)": ["-15.00", "1159.00", "-101.3%"],
        "Closing bank balance": ["1144.00", "1159.00", "-1.3%"],
        "Income": ["-20.00", "200.00", "-110.0%"],
        "Direct costs": ["400.00", "0.00", "0.0%"],
        "Gross profit (loss)": ["-420.00", "200.00", "-310.0%"],
        "Other Income": ["0.00", "9.00", "-100.0%"],
        "Expenses": ["100.00", "0.00", "0.0%"],
        "Profit (loss)": ["-520.00", "209.00", "-348.8%"],
        "Debtors": ["107.00", "230.00", "-53.5%"],
        "Creditors": ["460.00", "0.00", "0.0%"],
        "Net assets": ["689.00", "1209.00", "-43.0%"],
        "Number of invoices issued": ["0", "1", "-100.0%"],
        "Average value of invoices": ["0.00", "200.00", "-100.0%"],
        "Gross profit margin": ["2100.0%", "100.0%", "2000.0%"],
        "Net profit margin": ["2600.0%", "104.5%", "2388.0%"],
        "Return on investment (p.a.)": ["-905.7%", "207.4%", "-536.6%"],
        "Average debtors days": ["-165.85", "34.50", "-580.7%"],
        "Average creditors days": ["28.52", "0", "0.0%"],
        "Short term cash forecast": ["-353.00", "230.00", "-253.5%"],
        "Current assets to liabilities": [
            "2.2259786476868327402135231317",
            "7.7166666666666666666666666667",
            "-71.2%",
        ],
        "Term assets to liabilities": ["", "", "0.0%"],
    }


def _month(days: int, **figures: str) -> MonthFigures:
    names = (
        "received spent bank income direct_costs other_income expenses debtors creditors "
        "net_assets invoiced current_assets current_liabilities term_assets term_liabilities"
    )
    given = {name: Decimal(figures.get(name, "0.00")) for name in names.split()}
    return MonthFigures(**given, invoices=int(figures.get("invoices", 0)), days=days)


def test_executive_summary_computes_and_writes_what_xero_published() -> None:
    this = _month(
        30,
        bank="79.01",
        income="40.00",
        expenses="205.40",
        debtors="590.00",
        creditors="-44.00",
        net_assets="594.16",
        invoices="1",
        invoiced="40.00",
        current_assets="708.50",
        current_liabilities="193.35",
    )
    before = _month(
        31,
        bank="79.01",
        debtors="550.00",
        creditors="-44.00",
        net_assets="759.56",
        current_assets="668.50",
        current_liabilities="-12.05",
    )
    found = lines({"Rows": sections(this, before)})
    assert found["Profit (loss)"] == ["-165.40", "0.00", "0.0%"]
    assert found["Debtors"] == ["590.00", "550.00", "7.3%"]
    assert found["Net assets"] == ["594.16", "759.56", "-21.8%"]
    assert found["Number of invoices issued"] == ["1", "0", "0.0%"]
    assert found["Average value of invoices"] == ["40.00", "0.00", "0.0%"]
    assert found["Gross profit margin"] == ["100.0%", "", "0.0%"]
    assert found["Net profit margin"] == ["-413.5%", "", "0.0%"]
    assert found["Return on investment (p.a.)"] == ["-334.1%", "0.0%", "0.0%"]
    assert found["Average debtors days"] == ["442.50", "0", "0.0%"]
    assert found["Average creditors days"] == ["-6.426484907497565725413826680", "0", "0.0%"]
    assert found["Short term cash forecast"] == ["634.00", "594.00", "6.7%"]
    assert found["Current assets to liabilities"] == [
        "4.0729764675459012154124644427",
        "-62.034024896265560165975103734",
        "106.6%",
    ]
    assert found["Term assets to liabilities"] == ["", "", "0.0%"]


@pytest.mark.parametrize(
    ("amount", "by", "days", "text"),
    [
        ("9172.63", "1899.61", 31, "149.68942572422760461357857665"),
        ("6978.08", "7497.77", 30, "27.920621731528174377181481961"),
        ("7429.21", "1766.85", 31, "130.34808274613011857260095650"),
        ("4663.56", "3573.92", 30, "39.146595335094238259390249361"),
        ("20420.85", "12742.38", 1, "1.6025930791578967194511543369"),
        ("0.00", "5.00", 31, "0"),
        ("600.00", "2.00", 30, "9000"),
    ],
)
def test_ratios_have_the_digits_that_xero_published(
    amount: str, by: str, days: int, text: str
) -> None:
    assert written(multiplied(divided(Decimal(amount), Decimal(by)), days)) == text


def test_budget_summary_adds_months_to_periods() -> None:
    tiny = TinyBooks()
    planned: dict[str, dict[date, Decimal]] = {
        tiny.account_id(code): {
            day(month, 1, year): Decimal(amount) for year, month, amount in months
        }
        for code, months in {
            "200": [(2026, 5, "7000"), (2026, 6, "1000"), (2026, 9, "50.5")],
            "270": [(2026, 7, "3")],
            "310": [(2026, 5, "500")],
            "400": [(2026, 4, "999"), (2026, 5, "3000")],
            "416": [(2026, 8, "20")],
            "090": [(2026, 5, "5")],
        }.items()
    }
    tiny.books.budgets["b"] = Budget("b", "OVERALL", "Overall Budget", AT, planned)
    report = tiny.report("BudgetSummary", periods="2", timeframe="3")
    assert report["ReportTitles"] == [
        "Overall Budget",
        "Budget Summary",
        "Tiny Ltd",
        "May 2026 to October 2026",
    ]
    assert headings(report) == ["Jul-26", "Oct-26"]
    assert lines(report) == {
        "Sales": ["8000.00", "50.50"],
        "Total Income": ["8000.00", "50.50"],
        "Cost of Goods Sold": ["500.00", "0.00"],
        "Total Cost of Sales": ["500.00", "0.00"],
        "Gross Profit": ["7500.00", "50.50"],
        "Interest Income": ["3.00", "0.00"],
        "Total Other Income": ["3.00", "0.00"],
        "Advertising": ["3000.00", "0.00"],
        "Depreciation": ["0.00", "20.00"],
        "Total Expenses": ["3000.00", "20.00"],
        "Net Profit": ["4503.00", "30.50"],
    }
    months = headings(tiny.report("BudgetSummary"))
    assert (len(months), months[0], months[-1]) == (12, "May-26", "Apr-27")
    years = tiny.report("BudgetSummary", timeframe="12", periods="1")
    assert years["ReportTitles"][-1] == "May 2026 to April 2027"
    assert headings(years) == ["Apr-27"]


def test_the_1099_report_of_the_united_states_lists_nobody() -> None:
    assert TinyBooks().report("TenNinetyNine") is None
    assert TinyBooks("US").report("TenNinetyNine", reportYear="2025") == {
        "ReportName": "1099-NEC report",
        "ReportDate": "1 Jan 2025 to 31 Dec 2025",
        "Fields": [],
        "Contacts": [],
    }
