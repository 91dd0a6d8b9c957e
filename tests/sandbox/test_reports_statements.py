"""Trial balance, profit and loss and balance sheet of tiny books, cell by cell."""

from __future__ import annotations

import pytest

from tests.sandbox.report_reading import AT, TinyBooks, day, headings, lines, small_business, titles
from xero_sandbox.books.ledger import Account


@pytest.fixture
def tiny() -> TinyBooks:
    return small_business()


def test_trial_balance(tiny: TinyBooks) -> None:
    report = tiny.report("TrialBalance", date="2026-05-18")
    assert titles(report) == ["Revenue", "Expenses", "Assets", "Liabilities", "Equity", ""]
    assert lines(report) == {
        "Interest Income (270)": ["", "0.00", "", "9.00"],
        "Services (210)": ["20.00", "", "", "180.00"],
        "Advertising (400)": ["100.00", "", "100.00", ""],
        "Cost of Goods Sold (310)": ["400.00", "", "400.00", ""],
        "Accounts Receivable (610)": ["", "123.00", "107.00", ""],
        "Business Bank Account (090)": ["", "515.00", "644.00", ""],
        "Business Savings Account (091)": ["500.00", "", "500.00", ""],
        "Accounts Payable (800)": ["", "460.00", "", "460.00"],
        "GST (820)": ["78.00", "", "", "102.00"],
        "Retained Earnings (960)": ["", "0.00", "", "1000.00"],
        "Total": ["1098.00", "1098.00", "1751.00", "1751.00"],
    }


def test_trial_balance_on_the_cash_basis(tiny: TinyBooks) -> None:
    assert lines(tiny.report("TrialBalance", date="2026-05-18", paymentsOnly="True")) == {
        "Interest Income (270)": ["", "0.00", "", "9.00"],
        "Sales (200)": ["", "0.00", "", "1000.00"],
        "Services (210)": ["", "86.96", "", "86.96"],
        "Advertising (400)": ["100.00", "", "100.00", ""],
        "Business Bank Account (090)": ["", "515.00", "644.00", ""],
        "Business Savings Account (091)": ["500.00", "", "500.00", ""],
        "GST (820)": ["1.96", "", "", "148.04"],
        "Total": ["601.96", "601.96", "1244.00", "1244.00"],
    }


def test_profit_and_loss_beside_earlier_months(tiny: TinyBooks) -> None:
    report = tiny.report("ProfitAndLoss", periods="2", timeframe="MONTH")
    assert report["ReportTitles"] == ["Profit & Loss", "Tiny Ltd", "1 May 2026 to 31 May 2026"]
    assert headings(report) == ["31 May 26", "30 Apr 26", "31 Mar 26"]
    assert titles(report) == [
        "Income",
        "Less Cost of Sales",
        "",
        "Plus Other Income",
        "Less Operating Expenses",
        "",
    ]
    assert lines(report) == {
        "Sales": ["0.00", "0.00", "1000.00"],
        "Services": ["-20.00", "200.00", "0.00"],
        "Total Income": ["-20.00", "200.00", "1000.00"],
        "Cost of Goods Sold": ["400.00", "0.00", "0.00"],
        "Total Cost of Sales": ["400.00", "0.00", "0.00"],
        "Gross Profit": ["-420.00", "200.00", "1000.00"],
        "Interest Income": ["0.00", "9.00", "0.00"],
        "Total Other Income": ["0.00", "9.00", "0.00"],
        "Advertising": ["100.00", "0.00", "0.00"],
        "Total Operating Expenses": ["100.00", "0.00", "0.00"],
        "Net Profit": ["-520.00", "209.00", "1000.00"],
    }


def test_profit_and_loss_on_the_cash_basis_recognises_what_was_paid(tiny: TinyBooks) -> None:
    report = tiny.report("ProfitAndLoss", fromDate="2026-04-01", paymentsOnly="true")
    assert headings(report) == ["31 May 26"]
    found = lines(report)
    assert found["Sales"] == ["1000.00"]
    assert found["Services"] == ["86.96"]
    assert "Cost of Goods Sold" not in found
    assert found["Gross Profit"] == ["1086.96"]
    assert found["Net Profit"] == ["995.96"]


def test_the_range_of_a_thirty_day_month_is_cut_in_earlier_months_too(tiny: TinyBooks) -> None:
    tiny.document("ACCREC", day(3, 31), tiny.line("70", "200"))
    asked = {"fromDate": "2026-04-01", "toDate": "2026-04-30", "periods": "1"}
    report = tiny.report("ProfitAndLoss", **asked)
    assert headings(report) == ["30 Apr 26", "30 Mar 26"]
    assert lines(report)["Sales"] == ["0.00", "1000.00"]
    quarter = tiny.report("ProfitAndLoss", **asked, timeframe="quarter")
    assert headings(quarter) == ["30 Apr 26", "30 Jan 26"]
    year = tiny.report("ProfitAndLoss", **asked | {"periods": "11"}, timeframe="YEAR")
    assert headings(year)[-1] == "30 Apr 15"


def test_a_timeframe_without_periods_compares_nothing(tiny: TinyBooks) -> None:
    assert headings(tiny.report("ProfitAndLoss", timeframe="YEAR")) == ["31 May 26"]


def test_balance_sheet_at_several_dates(tiny: TinyBooks) -> None:
    report = tiny.report("BalanceSheet", date="2026-05-18", periods="2", timeframe="MONTH")
    assert report["ReportTitles"] == ["Balance Sheet", "Tiny Ltd", "As at 18 May 2026"]
    assert report["ReportDate"] == "20 May 2026"
    assert headings(report) == ["18 May 2026", "18 Apr 2026", "18 Mar 2026"]
    assert titles(report) == [
        "Assets",
        "Bank",
        "Current Assets",
        "",
        "Liabilities",
        "Current Liabilities",
        "",
        "",
        "Equity",
    ]
    assert lines(report) == {
        "Business Bank Account": ["644.00", "1159.00", "0.00"],
        "Business Savings Account": ["500.00", "0.00", "0.00"],
        "Total Bank": ["1144.00", "1159.00", "0.00"],
        "Accounts Receivable": ["107.00", "0.00", "1150.00"],
        "Total Current Assets": ["107.00", "0.00", "1150.00"],
        "Total Assets": ["1251.00", "1159.00", "1150.00"],
        "Accounts Payable": ["460.00", "0.00", "0.00"],
        "GST": ["102.00", "150.00", "150.00"],
        "Total Current Liabilities": ["562.00", "150.00", "150.00"],
        "Total Liabilities": ["562.00", "150.00", "150.00"],
        "Net Assets": ["689.00", "1009.00", "1000.00"],
        "Current Year Earnings": ["-311.00", "9.00", "1000.00"],
        "Retained Earnings": ["1000.00", "1000.00", "0.00"],
        "Total Equity": ["689.00", "1009.00", "1000.00"],
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["31 May 2026", "31 May 2025"]),
        ({"date": "2025-02-28"}, ["28 Feb 2025", "29 Feb 2024"]),
        ({"date": "2026-04-30", "periods": "2"}, ["30 Apr 2026", "31 Mar 2026", "28 Feb 2026"]),
        ({"date": "2026-05-30", "periods": "1"}, ["30 May 2026", "30 Apr 2026"]),
        ({"periods": "1", "timeframe": "QUARTER"}, ["31 May 2026", "28 Feb 2026"]),
        (
            {"date": "2024-02-29", "periods": "1", "timeframe": "YEAR"},
            ["29 Feb 2024", "28 Feb 2023"],
        ),
    ],
)
def test_columns_of_a_balance_sheet(
    tiny: TinyBooks, asked: dict[str, str], found: list[str]
) -> None:
    assert headings(tiny.report("BalanceSheet", **asked)) == found


def test_each_column_of_a_balance_sheet_has_a_financial_year_of_its_own(tiny: TinyBooks) -> None:
    report = tiny.report("BalanceSheet", date="2026-04-30", periods="1")
    equity = {row["Cells"][0]["Value"]: row["Cells"] for row in report["Rows"][-1]["Rows"]}

    def spans(label: str) -> list[tuple[str, str]]:
        found = []
        for cell in equity[label][1:]:
            account, first, last = cell["Attributes"]
            assert (account["Id"], first["Id"], last["Id"]) == ("account", "fromDate", "toDate")
            found.append((first["Value"], last["Value"]))
        return found

    assert spans("Current Year Earnings") == [
        ("4/1/2026", "4/30/2026"),
        ("4/1/2025", "3/31/2026"),
    ]
    assert spans("Retained Earnings") == [("", "4/30/2026"), ("", "3/31/2026")]
    pseudo = equity["Current Year Earnings"][0]["Attributes"][0]["Value"]
    assert pseudo == "abababab-abab-abab-abab-abababababab"


def test_an_account_called_retained_earnings_is_not_the_one_of_closed_years() -> None:
    tiny = TinyBooks()
    mine = Account(tiny.new_id(), "", "Retained Earnings", "EQUITY", "NONE", AT)
    tiny.books.ledger.accounts[mine.account_id] = mine
    tiny.books.by_code["mine"] = mine
    tiny.money("RECEIVE", day(3, 31), tiny.line("10", "270", kind="NoTax"))
    tiny.money("RECEIVE", day(4, 1), tiny.line("3", "mine", kind="NoTax"))
    report = tiny.report("BalanceSheet", date="2026-04-01")
    equity = [
        (row["Cells"][0]["Value"], row["Cells"][1]["Value"], len(row["Cells"][1]["Attributes"]))
        for row in report["Rows"][-1]["Rows"][:-1]
    ]
    assert sorted(equity) == [("Retained Earnings", "10.00", 3), ("Retained Earnings", "3.00", 1)]
    trial = tiny.report("TrialBalance", date="2026-04-01")
    assert lines(trial)["Retained Earnings"] == ["", "3.00", "", "3.00"]
    assert lines(trial)["Retained Earnings (960)"] == ["", "0.00", "", "10.00"]


def test_the_first_day_of_a_year_that_ends_on_29_february() -> None:
    tiny = TinyBooks(year_end=(29, 2))
    tiny.money("RECEIVE", day(2, 28), tiny.line("10", "270", kind="NoTax"))
    tiny.money("RECEIVE", day(3, 1), tiny.line("4", "270", kind="NoTax"))
    found = {
        text: lines(tiny.report("BalanceSheet", date=text)) for text in ("2026-02-28", "2026-03-01")
    }
    assert found["2026-02-28"]["Current Year Earnings"] == ["10.00", "0.00"]
    assert "Retained Earnings" not in found["2026-02-28"]
    assert found["2026-03-01"]["Current Year Earnings"] == ["4.00", "0.00"]
    assert found["2026-03-01"]["Retained Earnings"] == ["10.00", "0.00"]


def test_an_archived_account_with_a_balance_stays_in_every_report(tiny: TinyBooks) -> None:
    before = tiny.report("BalanceSheet", date="2026-05-18")
    tiny.books.edit_account(tiny.books.account("091"), at=AT, status="ARCHIVED")
    assert tiny.report("BalanceSheet", date="2026-05-18") == before
    assert "Business Savings Account" in lines(tiny.report("BankSummary"))
