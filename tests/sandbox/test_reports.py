"""The trial balance: Xero's layout, and figures that follow from the ledger at any date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from xero_sandbox.company import Company, build_company
from xero_sandbox.errors import QueryParseError
from xero_sandbox.money import ZERO
from xero_sandbox.reports import trial_balance_figures, year_start
from xero_sandbox.revaluation import revaluation

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FAR = date(2027, 6, 1)


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


def rows(report: Any) -> dict[str, list[str]]:
    """Account's name and code to its four columns."""
    return {
        row["Cells"][0]["Value"]: [cell["Value"] for cell in row["Cells"][1:]]
        for section in report["Rows"]
        for row in section.get("Rows", [])
    }


def net(columns: list[str]) -> tuple[Decimal, Decimal]:
    debit, credit, year_debit, year_credit = (Decimal(value or 0) for value in columns)
    return debit - credit, year_debit - year_credit


def test_debits_equal_credits_at_any_date(company: Company) -> None:
    for back in range(0, 440, 13):
        on = FAR - timedelta(days=back)
        total = rows(company.report("TrialBalance", {"date": on.isoformat()}))["Total"]
        assert total[0] == total[1]
        assert total[2] == total[3]


def test_columns_are_the_month_so_far_and_the_year_to_date(plain: Company) -> None:
    on, month, year = date(2026, 11, 18), date(2026, 11, 1), date(2026, 4, 1)
    found = rows(plain.report("TrialBalance", {"date": "2026-11-18"}))
    ledger = plain.books.ledger
    for account in ledger.accounts.values():
        movement = ledger.balances(on, first=month).get(account.account_id, ZERO)
        first = year if account.is_temporary else date.min
        to_date = ledger.balances(on, first=first).get(account.account_id, ZERO)
        if account.system == "RETAINEDEARNINGS":
            before = ledger.balances(year - timedelta(days=1))
            to_date = sum(
                (before[key] for key in before if ledger.accounts[key].is_temporary), ZERO
            )
            assert to_date != 0
        shown = found.pop(f"{account.name} ({account.code})", ["", "", "", ""])
        assert net(shown) == (movement, to_date)
    assert list(found) == ["Total"]


def test_the_first_day_of_a_year_has_moved_the_last_one_to_retained_earnings(
    plain: Company,
) -> None:
    figures = {
        on: trial_balance_figures(plain.books, on, year_end=(31, 3), rate_on=lambda *_: Decimal(1))
        for on in (date(2026, 3, 31), date(2026, 4, 1))
    }
    accounts = plain.books.ledger.accounts
    profit = sum(
        pair[1] for key, pair in figures[date(2026, 3, 31)].items() if accounts[key].is_temporary
    )
    retained = plain.books.ledger.system("RETAINEDEARNINGS")
    assert figures[date(2026, 3, 31)][retained][1] == 0
    assert figures[date(2026, 4, 1)][retained][1] == profit != 0


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
    assert [section.get("Title") for section in report["Rows"]] == [
        None,
        "Revenue",
        "Expenses",
        "Assets",
        "Liabilities",
        "Equity",
        "",
    ]
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
    for name, columns in rows(plain.report("TrialBalance", {"date": "2026-11-01"})).items():
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
    assert level[ledger.system("DEBTORS")] != 0
    assert ledger.balance(ledger.system("UNREALISEDCURRENCYGAIN"), FAR) == 0
    found = rows(company.report("TrialBalance", {"date": on.isoformat()}))
    debtors = ledger.balance(ledger.system("DEBTORS"), on) + level[ledger.system("DEBTORS")]
    assert net(found["Accounts Receivable (610)"])[1] == debtors


def test_no_date_means_the_organisations_own_today(plain: Company) -> None:
    report: Any = plain.report("TrialBalance", {})
    assert report["ReportDate"] == "21 November 2026"


def test_what_cannot_be_answered_is_refused(plain: Company) -> None:
    assert plain.report("Nonsense", {}) is None
    with pytest.raises(QueryParseError):
        plain.report("TrialBalance", {"date": "yesterday"})
    with pytest.raises(QueryParseError):
        plain.report("TrialBalance", {"paymentsOnly": "true"})


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
