"""The layout of every report, beside what the real Xero sent or published."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.report_reading import all_rows
from xero_sandbox.books.paper_records import Budget
from xero_sandbox.business.company import Company, build_company

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONTACT_REPORTS = ("AgedReceivablesByContact", "AgedPayablesByContact")
RECORDED = [
    ("openapi-examples/get_Reports_AgedPayablesByContact_200.json", {"fromDate": "2026-08-01"}),
    ("openapi-examples/get_Reports_AgedReceivablesByContact_200.json", {"fromDate": "2026-08-01"}),
    (
        "openapi-examples/get_Reports_BalanceSheet_200.json",
        {"date": "2026-10-31", "periods": "2", "timeframe": "MONTH"},
    ),
    ("openapi-examples/get_Reports_BankSummary_200.json", {}),
    ("openapi-examples/get_Reports_BudgetSummary_200.json", {"timeframe": "3"}),
    ("openapi-examples/get_Reports_ExecutiveSummary_200.json", {}),
    ("openapi-examples/get_Reports_TrialBalance_200.json", {}),
    ("report-shapes-nz/aged_payables_by_contact.json", {}),
    ("report-shapes-nz/aged_receivables_by_contact.json", {}),
    ("report-shapes-nz/balance_sheet.json", {}),
    ("report-shapes-nz/bank_summary.json", {}),
    ("report-shapes-nz/budget_summary.json", {}),
    ("report-shapes-nz/executive_summary.json", {}),
    ("report-shapes-nz/profit_and_loss.json", {}),
    ("report-shapes-nz/trial_balance.json", {}),
    ("demo-company-au-2011/trial_balance.json", {}),
]
# Recordings of before 2015: no Fields, no title at all where it is empty today, no Value in an
# empty cell, dates with a time zone. What is cut from them is noted in their README.
_OLD = ("report-shapes-nz", "demo-company-au-2011")


@pytest.fixture(scope="module")
def company() -> Company:
    each = build_company("Layout Ltd", seed=11, days=300, now=NOW, traits={"invoices_per_day": 1})
    each.advance(NOW)
    desk = {"lines": [{"unit_amount": "900", "account_code": "710"}]}
    each.act("create_bank_transaction", desk, now=NOW)
    sales, costs, rent = (each.books.account(code).account_id for code in ("200", "310", "469"))
    planned = {key: {date(2026, 11, 1): Decimal(5000)} for key in (sales, costs, rent)}
    each.books.budgets["b"] = Budget("b", "OVERALL", "Overall Budget", NOW, planned)
    return each


def ask(company: Company, name: str, params: dict[str, str]) -> Any:
    if name in CONTACT_REPORTS:
        kind = "ACCREC" if name == "AgedReceivablesByContact" else "ACCPAY"
        open_one = next(
            document
            for document in company.books.documents.values()
            if document.type == kind and document.due and document.due_date < company.books.today
        )
        params = {**params, "contactID": open_one.contact.contact_id}
    report = company.report(name, params)
    assert report is not None
    return report


def recorded(folder: Path, file: str) -> Any:
    return json.loads((folder / file).read_text())["Reports"][0]


def pattern(text: str | None) -> str:
    """A text with its figures and names of months taken out: `9 May 2026` is `# month #`."""
    text = re.sub(
        r"\b(January|February|March|April|May|June|July|August|September|October|November|"
        r"December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b",
        "month",
        text or "",
    )
    return re.sub(r"-?\d+", "#", text)


def cell_shape(cell: Any) -> tuple[str, ...]:
    return tuple(attribute["Id"] for attribute in cell.get("Attributes", ()))


def row_shape(row: Any) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """The kind of a row and what each cell refers to; the columns of periods count once."""
    cells = [cell_shape(cell) for cell in row["Cells"]]
    return row["RowType"], (cells[0], *dict.fromkeys(cells[1:]))


@pytest.mark.real_payloads
@pytest.mark.parametrize(("file", "params"), RECORDED, ids=[file for file, _ in RECORDED])
def test_frame_sections_rows_and_attributes_are_those_of_the_recording(
    real_payloads: Path, company: Company, file: str, params: dict[str, str]
) -> None:
    theirs = recorded(real_payloads, file)
    ours = ask(company, theirs["ReportType"], params)
    is_old = file.startswith(_OLD)
    assert set(ours) - set(theirs) <= {"ReportID", "Fields"}
    assert set(theirs) <= set(ours)
    assert ours["ReportName"] == theirs["ReportName"]
    assert ours["ReportType"] == theirs["ReportType"]
    assert len(ours["ReportTitles"]) == len(theirs["ReportTitles"])
    assert pattern(ours["ReportTitles"][-1]) == pattern(theirs["ReportTitles"][-1])
    assert pattern(ours["ReportDate"]) == pattern(theirs["ReportDate"])

    header, *sections = ours["Rows"]
    their_header, *their_sections = theirs["Rows"]
    assert set(header) == set(their_header)
    assert list(dict.fromkeys(pattern(cell["Value"]) for cell in header["Cells"])) == list(
        dict.fromkeys(pattern(cell["Value"]) for cell in their_header["Cells"])
    )
    if not is_old:
        assert {frozenset(part) for part in sections} == {frozenset(p) for p in their_sections}
    # Sections in the same order; those that one organisation has nothing for may be missing.
    found = [part["Title"] for part in sections]
    their_titles = [part.get("Title", "") for part in their_sections]
    assert [t for t in found if t in their_titles] == [t for t in their_titles if t in found]
    assert {row_shape(row) for row in all_rows(theirs)} <= {
        row_shape(row) for row in all_rows(ours)
    }


@pytest.mark.real_payloads
@pytest.mark.parametrize(("file", "params"), RECORDED, ids=[file for file, _ in RECORDED])
def test_every_value_is_written_as_in_the_recording(
    real_payloads: Path, company: Company, file: str, params: dict[str, str]
) -> None:
    theirs = recorded(real_payloads, file)
    ours = ask(company, theirs["ReportType"], params)
    cells = [cell for row in all_rows(ours) for cell in row["Cells"]]
    assert all(isinstance(cell["Value"], str) for cell in cells)
    kinds = {form(cell["Value"]) for row in all_rows(ours) for cell in row["Cells"][1:]}
    # Both spellings of recorded dates are older than the one that is documented today.
    dated = {"old date"} if file.startswith(_OLD) else {"date with a blank"}
    recorded_kinds = {
        form(cell.get("Value")) for row in all_rows(theirs) for cell in row["Cells"][1:]
    }
    assert kinds - {"date", "number", "text"} <= recorded_kinds | {"empty", "amount"}
    assert recorded_kinds - dated <= kinds | {"empty", "overdue", "text"}


def form(value: str | None) -> str:
    """What kind of text a cell holds."""
    forms = {
        "empty": r"",
        "amount": r"-?\d+\.\d\d",
        "percentage": r"-?\d+\.\d%",
        "number": r"-?\d+|-?\d+\.\d{24,28}",
        "date": r"\d{4}-\d\d-\d\dT00:00:00",
        "date with a blank": r"\d{4}-\d\d-\d\d 00:00:00",
        "old date": r"/Date\(\d+\+0000\)/",
        "overdue": r"\d+ days? overdue",
    }
    return next((name for name, by in forms.items() if re.fullmatch(by, value or "")), "text")


@pytest.mark.real_payloads
def test_labels_of_fixed_rows_are_xeros_own(real_payloads: Path, company: Company) -> None:
    for name, file in {
        "ExecutiveSummary": "openapi-examples/get_Reports_ExecutiveSummary_200.json",
        "BalanceSheet": "report-shapes-nz/balance_sheet.json",
        "ProfitAndLoss": "report-shapes-nz/profit_and_loss.json",
        "BudgetSummary": "report-shapes-nz/budget_summary.json",
        "BankSummary": "report-shapes-nz/bank_summary.json",
    }.items():
        fixed, their_fixed = (
            [
                row["Cells"][0]["Value"]
                for row in all_rows(report)
                if "Attributes" not in row["Cells"][0]
            ]
            for report in (ask(company, name, {}), recorded(real_payloads, file))
        )
        assert [label for label in fixed if label in their_fixed] == their_fixed
    summary = ask(company, "ExecutiveSummary", {})
    assert len(list(all_rows(summary))) == 23


@pytest.mark.real_payloads
def test_real_trial_balances_add_up_as_ours_do(real_payloads: Path) -> None:
    """The recorded one is in balance, so our reading of its columns is right."""
    report = recorded(real_payloads, "demo-company-au-2011/trial_balance.json")
    sums = [Decimal(0)] * 4
    for row in all_rows(report):
        if row["RowType"] == "Row":
            cells = [Decimal(cell.get("Value") or 0) for cell in row["Cells"][1:]]
            sums = [total + cell for total, cell in zip(sums, cells, strict=True)]
    total = [Decimal(cell["Value"]) for cell in list(all_rows(report))[-1]["Cells"][1:]]
    assert sums == total
