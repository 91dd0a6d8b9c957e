"""Aged receivables and payables of a contact: every cell is known beforehand."""

from __future__ import annotations

import pytest

from tests.sandbox.report_reading import TinyBooks, day, headings, lines, small_business, titles


@pytest.fixture
def tiny() -> TinyBooks:
    return small_business()


def test_aged_receivables_show_every_document_and_what_is_due_of_it(tiny: TinyBooks) -> None:
    report = tiny.report("AgedReceivablesByContact", contactID=tiny.contact.contact_id.upper())
    assert report["ReportTitles"] == [
        "Invoices",
        "Ridgeway",
        "To 31 May 2026",
        "Showing payments to 31 May 2026",
    ]
    rows = [[cell["Value"] for cell in row["Cells"]] for row in report["Rows"][1]["Rows"]]
    assert [row[:4] for row in rows] == [
        ["2026-03-10T00:00:00", "INV-1", "2026-03-10T00:00:00", ""],
        ["2026-04-20T00:00:00", "INV-2", "2026-05-10T00:00:00", "10 days overdue"],
        ["2026-05-18T00:00:00", "CN-1", "2026-05-18T00:00:00", ""],
        ["Total", "", "", ""],
    ]
    assert [row[4:] for row in rows] == [
        ["1150.00", "1150.00", "0.00", "0.00"],
        ["230.00", "100.00", "23.00", "107.00"],
        ["-23.00", "0.00", "-23.00", "0.00"],
        ["1357.00", "1250.00", "0.00", "107.00"],
    ]
    assert titles(report) == [""]


def test_aged_receivables_from_a_date_open_and_close_with_a_balance(tiny: TinyBooks) -> None:
    report = tiny.report(
        "AgedReceivablesByContact",
        contactId=tiny.contact.contact_id,
        date="2026-04-04",
        fromDate="2026-04-01",
        toDate="2026-04-30",
    )
    assert report["ReportTitles"][2:] == [
        "From 1 April 2026 to 30 April 2026",
        "Showing payments to 4 April 2026",
    ]
    opening, listed, closing = report["Rows"][1:]
    [row] = opening["Rows"]
    assert [cell["Value"] for cell in row["Cells"]] == [
        "2026-04-01T00:00:00",
        "Opening Balance",
        *[""] * 5,
        "1150.00",
    ]
    total = [cell["Value"] for cell in listed["Rows"][-1]["Cells"]]
    assert total == ["Total", "", "", "", "230.00", "0.00", "0.00", "230.00"]
    [row] = closing["Rows"]
    end = [cell["Value"] for cell in row["Cells"]]
    assert end == ["Closing Balance", "", "", "", "230.00", "0.00", "0.00", "1380.00"]


def test_aged_payables_call_the_number_a_reference(tiny: TinyBooks) -> None:
    report = tiny.report("AgedPayablesByContact", contactID=tiny.contact.contact_id)
    assert headings(report)[0] == "Reference"
    bill, _ = report["Rows"][1]["Rows"]
    assert [cell["Value"] for cell in bill["Cells"]] == [
        "2026-05-02T00:00:00",
        "B-7",
        "2026-06-01T00:00:00",
        "",
        "460.00",
        "0.00",
        "0.00",
        "460.00",
    ]


def test_prepayments_are_owed_by_nobody_and_overpayments_are_credit() -> None:
    tiny = TinyBooks()
    tiny.money("RECEIVE-PREPAYMENT", day(5, 2), tiny.line("115", "200", kind="Inclusive"))
    tiny.money("RECEIVE-OVERPAYMENT", day(5, 3), tiny.line("30", "610", kind="NoTax"))
    aged = tiny.report("AgedReceivablesByContact", contactID=tiny.contact.contact_id)
    assert lines(aged)["Total"][3:] == ["-30.00", "0.00", "0.00", "-30.00"]
    balance = lines(tiny.report("BalanceSheet", date="2026-05-20"))
    assert balance["Accounts Receivable"][0] == "-30.00"
    assert balance["Business Bank Account"][0] == "145.00"
