"""Foreign documents and bank accounts in the reports of tiny books."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.sandbox.report_reading import TinyBooks, day, lines


def test_open_foreign_documents_are_revalued_at_the_report_date() -> None:
    tiny = TinyBooks(currencies=("EUR",))
    tiny.rates = {date.min: "0.5", day(5, 10): "0.4", day(6, 1): "0.1"}
    tiny.document("ACCREC", day(5, 6), tiny.line("100", "270"), currency="EUR", rate="0.5")
    before, after = (
        tiny.report("TrialBalance", date=text) for text in ("2026-05-09", "2026-05-10")
    )
    assert lines(before)["Accounts Receivable (610)"][2] == "200.00"
    assert lines(after)["Accounts Receivable (610)"][2] == "250.00"
    assert lines(after)["Unrealised Currency Gains (498)"] == ["", "50.00", "", "50.00"]
    # A rate that nobody knows yet is not used: today is 20 May.
    later = tiny.report("TrialBalance", date="2026-06-30")
    assert lines(later)["Accounts Receivable (610)"][2] == "250.00"
    cash = tiny.report("TrialBalance", date="2026-05-20", paymentsOnly="true")
    assert list(lines(cash)) == ["Total"]


def test_a_foreign_bank_account_is_revalued_in_every_report_that_shows_it() -> None:
    tiny = TinyBooks(currencies=("EUR",), foreign_banks=("EUR",))
    tiny.rates = {date.min: "0.5", day(5, 10): "0.4", day(5, 15): "1"}
    tiny.money("RECEIVE", day(5, 6), tiny.line("100", "270"), code="093", rate="0.5")
    gained = tiny.report("BankSummary", fromDate="2026-05-01", toDate="2026-05-12")
    assert lines(gained)["Total"] == ["0.00", "250.00", "0.00", "250.00"]
    lost = tiny.report("BankSummary", fromDate="2026-05-01", toDate="2026-05-31")
    assert lines(lost)["Total"] == ["0.00", "200.00", "100.00", "100.00"]
    moved = tiny.report("BankSummary", fromDate="2026-05-13", toDate="2026-05-31")
    assert lines(moved)["Total"] == ["250.00", "0.00", "150.00", "100.00"]
    for basis in ("false", "true"):
        asked = {"date": "2026-05-12", "paymentsOnly": basis}
        trial = lines(tiny.report("TrialBalance", **asked))
        assert trial["Bank Revaluations (497)"] == ["", "50.00", "", "50.00"]
        assert trial["Interest Income (270)"] == ["", "200.00", "", "200.00"]
        balance = lines(tiny.report("BalanceSheet", **asked))
        assert balance["Total Bank"][0] == balance["Current Year Earnings"][0] == "250.00"


def test_currency_gains_are_one_line_but_not_in_the_united_states() -> None:
    found = {}
    for country in ("NZ", "US"):
        tiny = TinyBooks(country, currencies=("EUR",))
        tiny.rates = {date.min: "0.5", day(5, 10): "0.4"}
        paid = tiny.document(
            "ACCREC", day(5, 6), tiny.line("80", "270"), currency="EUR", rate="0.5"
        )
        tiny.pay(paid, "40", day(5, 12))
        report: Any = tiny.report("ProfitAndLoss")
        [expenses] = [part for part in report["Rows"] if part.get("Title", "")[:8] == "Less Ope"]
        found[country] = [
            [cell["Value"] for cell in row["Cells"]]
            + [cell["Attributes"][0]["Value"] for cell in row["Cells"] if "Attributes" in cell]
            for row in expenses["Rows"]
        ]
    us = TinyBooks("US")
    assert found["NZ"] == [
        ["Foreign Currency Gains and Losses", "-40.00", "FXGROUPID", "FXGROUPID"],
        ["Total Operating Expenses", "-40.00"],
    ]
    realised, unrealised = us.account_id("499"), us.account_id("498")
    assert found["US"] == [
        ["Realised Currency Gains", "-20.00", realised, realised],
        ["Unrealised Currency Gains", "-20.00", unrealised, unrealised],
        ["Total Operating Expenses", "-40.00"],
    ]
