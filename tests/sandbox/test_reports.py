"""The door to the reports, and the trial balance of whole companies: layout and figures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.report_reading import lines, titles, trial_balance
from xero_sandbox.books.money import ZERO
from xero_sandbox.books.revaluation import revaluation
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.reports import REPORT_NAMES
from xero_sandbox.reports.calendar import month_end, months_later, months_later_at_end, year_start

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def company() -> Company:
    each = build_company(
        "Report & Sons",
        seed=5,
        days=400,
        now=NOW,
        traits={"currencies": ["EUR", "JPY"], "invoices_per_day": 1.2, "customers": 8},
    )
    each.advance(NOW)
    return each


@pytest.fixture(scope="module")
def plain() -> Company:
    each = build_company("Plain", seed=5, days=400, now=NOW, traits={"invoices_per_day": 1})
    each.advance(NOW)
    return each


def test_debits_equal_credits_at_any_date(company: Company) -> None:
    for back in range(0, 440, 13):
        on = date(2027, 6, 1) - timedelta(days=back)
        total = lines(company.report("TrialBalance", {"date": on.isoformat()}))["Total"]
        assert total[0] == total[1]
        assert total[2] == total[3]


def test_columns_are_the_month_so_far_and_the_year_to_date(plain: Company) -> None:
    on, month, year = date(2026, 11, 18), date(2026, 11, 1), date(2026, 4, 1)
    found = trial_balance(plain.report("TrialBalance", {"date": "2026-11-18"}))
    ledger = plain.books.ledger
    before = ledger.balances(year - timedelta(days=1))
    closed = sum((before[key] for key in before if ledger.accounts[key].is_temporary), ZERO)
    assert closed != 0
    for key, account in ledger.accounts.items():
        movement = ledger.balances(on, first=month).get(key, ZERO)
        first = year if account.is_temporary else date.min
        to_date = ledger.balances(on, first=first).get(key, ZERO)
        if account.system == "RETAINEDEARNINGS":
            to_date += closed
        assert found.pop(key, (ZERO, ZERO)) == (movement, to_date)
    assert not found


def test_the_first_day_of_a_year_has_moved_the_last_one_to_retained_earnings(
    plain: Company,
) -> None:
    accounts = plain.books.ledger.accounts
    last, first = (
        trial_balance(plain.report("TrialBalance", {"date": text}))
        for text in ("2026-03-31", "2026-04-01")
    )
    temporary = [pair[1] for key, pair in last.items() if accounts[key].is_temporary]
    profit = sum(temporary, ZERO)
    retained = plain.books.ledger.system("RETAINEDEARNINGS")
    assert retained not in last
    assert first[retained] == (ZERO, profit)
    assert profit != 0


def test_the_layout_is_xeros(plain: Company) -> None:
    report: Any = plain.report("TrialBalance", {"date": "2026-11-09"})
    assert list(report) == [
        "ReportID",
        "ReportName",
        "ReportType",
        "ReportTitles",
        "ReportDate",
        "UpdatedDateUTC",
        "Fields",
        "Rows",
    ]
    assert report["ReportTitles"] == ["Trial Balance", "Plain", "As at 9 November 2026"]
    assert titles(report) == ["Revenue", "Expenses", "Assets", "Liabilities", "Equity", ""]
    header, *_, equity, total = report["Rows"]
    assert [cell["Value"] for cell in header["Cells"]] == [
        "Account",
        "Debit",
        "Credit",
        "YTD Debit",
        "YTD Credit",
    ]
    assert total["Rows"][0]["RowType"] == "SummaryRow"
    retained = equity["Rows"][-1]
    account = {"Value": plain.books.ledger.system("RETAINEDEARNINGS"), "Id": "account"}
    assert retained["Cells"][0] == {
        "Value": "Retained Earnings (960)",
        "Attributes": [account],
    }
    assert retained["Cells"][1] == {
        "Value": "",
        "Attributes": [
            account,
            {"Value": "", "Id": "fromDate"},
            {"Value": "3/31/2026", "Id": "toDate"},
        ],
    }
    assert "Current Year Earnings" not in str(report)


def test_an_amount_stands_on_one_side_and_a_zero_on_its_accounts_own(plain: Company) -> None:
    for name, columns in lines(plain.report("TrialBalance", {"date": "2026-11-01"})).items():
        if name != "Total":
            assert [bool(value) for value in columns].count(True) == 2
            assert bool(columns[0]) != bool(columns[1])
            assert all(not value.startswith("-") for value in columns)


def test_open_foreign_documents_are_revalued_in_reports_and_never_posted(
    company: Company,
) -> None:
    ledger, on = company.books.ledger, date(2026, 11, 15)
    level = revaluation(company.books, on, company._rate_on)
    assert sum(level.values()) == 0
    debtors = ledger.system("DEBTORS")
    assert level[debtors] != 0
    assert ledger.balance(ledger.system("UNREALISEDCURRENCYGAIN"), date.max) == 0
    found = trial_balance(company.report("TrialBalance", {"date": on.isoformat()}))
    assert found[debtors][1] == ledger.balance(debtors, on) + level[debtors]


def test_no_date_means_the_organisations_own_today_and_reports_are_dated_in_utc(
    plain: Company,
) -> None:
    report: Any = plain.report("TrialBalance", {})
    assert report["ReportTitles"][2] == "As at 21 November 2026"
    assert report["ReportDate"] == "20 November 2026"


def test_every_report_is_a_function_of_books_and_moment(plain: Company) -> None:
    contact = next(iter(plain.books.contacts))
    for name in REPORT_NAMES:
        params = {"contactId": contact, "date": "2026-11-02"}
        assert plain.report(name, params) == plain.report(name, params)
        assert (plain.report(name, params) is None) == (name == "TenNinetyNine")
    assert plain.report("Nonsense", {}) is None


@pytest.mark.parametrize(
    ("on", "year_end", "start"),
    [
        (date(2026, 3, 31), (31, 3), date(2025, 4, 1)),
        (date(2026, 4, 1), (31, 3), date(2026, 4, 1)),
        (date(2026, 12, 31), (31, 12), date(2026, 1, 1)),
        (date(2027, 1, 1), (31, 12), date(2027, 1, 1)),
        (date(2026, 2, 28), (29, 2), date(2025, 3, 1)),
        (date(2026, 3, 1), (29, 2), date(2026, 3, 1)),
        (date(2028, 2, 29), (29, 2), date(2027, 3, 1)),
        (date(2028, 3, 1), (29, 2), date(2028, 3, 1)),
        (date(2026, 4, 6), (5, 4), date(2026, 4, 6)),
        (date(2026, 6, 30), (31, 6), date(2025, 7, 1)),
    ],
)
def test_a_financial_year_starts_after_its_end_also_on_29_february(
    on: date, year_end: tuple[int, int], start: date
) -> None:
    assert year_start(on, year_end) == start


def test_months_are_counted_over_year_ends_and_short_months() -> None:
    assert month_end(date(2028, 2, 3)) == date(2028, 2, 29)
    assert month_end(date(2026, 12, 31)) == date(2026, 12, 31)
    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2026, 1, 15), -13) == date(2024, 12, 15)
    assert months_later(date(2026, 2, 28), -12) == date(2025, 2, 28)
    assert months_later_at_end(date(2025, 2, 28), -12) == date(2024, 2, 29)
    assert months_later_at_end(date(2025, 2, 27), -12) == date(2024, 2, 27)
