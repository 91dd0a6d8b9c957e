"""Parameters of reports: dates without documents, what cannot be read, and how it is refused."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.sandbox.report_reading import TinyBooks, lines, small_business, titles
from xero_sandbox.errors import ValidationError


@pytest.fixture
def tiny() -> TinyBooks:
    return small_business()


def test_before_the_first_document_everything_is_empty(tiny: TinyBooks) -> None:
    assert lines(tiny.report("TrialBalance", date="1999-12-31")) == {"Total": ["0.00"] * 4}
    assert lines(tiny.report("BankSummary", fromDate="1999-01-01", toDate="1999-12-31")) == {
        "Total": ["0.00"] * 4
    }
    balance = tiny.report("BalanceSheet", date="1999-12-31")
    assert titles(balance) == ["Assets", "", "Liabilities", "", "", "Equity"]
    assert set(map(tuple, lines(balance).values())) == {("0.00", "0.00")}
    profit = tiny.report("ProfitAndLoss", fromDate="1999-01-01", toDate="1999-12-31")
    assert lines(profit) == {"Gross Profit": ["0.00"], "Net Profit": ["0.00"]}
    summary = lines(tiny.report("ExecutiveSummary", date="1999-12-31"))
    assert len(summary) == 23
    assert summary["Gross profit margin"] == ["", "", "0.0%"]


def test_what_lies_ahead_counts_from_its_date(tiny: TinyBooks) -> None:
    tiny.document("ACCREC", tiny.books.today + timedelta(days=90), tiny.line("60", "200"))
    assert lines(tiny.report("TrialBalance", date="2026-09-01"))["Sales (200)"][3] == "60.00"
    assert "Sales (200)" not in lines(tiny.report("TrialBalance"))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("TrialBalance", {"date": "yesterday"}),
        ("TrialBalance", {"date": "2026-02-30"}),
        ("TrialBalance", {"date": "2026-05-1"}),
        ("TrialBalance", {"date": "2026-05-01-or-so"}),
        ("TrialBalance", {"date": "0001-01-01"}),
        ("TrialBalance", {"date": "9999-12-31"}),
        ("TrialBalance", {"paymentsOnly": "perhaps"}),
        ("ProfitAndLoss", {"fromDate": "2026-06-01"}),
        ("ProfitAndLoss", {"periods": "0"}),
        ("ProfitAndLoss", {"periods": "12"}),
        ("ProfitAndLoss", {"periods": "-1"}),
        ("ProfitAndLoss", {"periods": "²"}),
        ("ProfitAndLoss", {"timeframe": "WEEK"}),
        ("BalanceSheet", {"periods": "12"}),
        ("BalanceSheet", {"timeframe": "1"}),
        ("BalanceSheet", {"trackingOptionID1": "none"}),
        ("BankSummary", {"toDate": "31/05/2026"}),
        ("ExecutiveSummary", {"date": "May"}),
        ("BudgetSummary", {"periods": "13"}),
        ("BudgetSummary", {"timeframe": "MONTH"}),
        ("AgedReceivablesByContact", {}),
        ("AgedPayablesByContact", {"contactID": "11111111-2222-3333-4444-555555555555"}),
        ("AgedPayablesByContact", {"contactID": "' or 1=1"}),
    ],
)
def test_a_parameter_that_cannot_be_read_is_a_validation_error(
    name: str, asked: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        TinyBooks().report(name, **asked)
    answer = refusal.value.answer("correlation")
    body = json.loads(answer.body)
    assert (answer.status, body["ErrorNumber"], body["Type"]) == (400, 10, "ValidationException")
    assert body["Elements"] == [{"ValidationErrors": [{"Message": str(refusal.value)}]}]


def test_a_time_behind_a_date_and_any_case_are_read(tiny: TinyBooks) -> None:
    plain = tiny.report("TrialBalance", date="2026-05-18")
    assert tiny.report("TrialBalance", DATE="2026-05-18T00:00:00") == plain
    assert tiny.report("TrialBalance", date=" 2026-05-18 ", paymentsonly="FALSE") == plain
