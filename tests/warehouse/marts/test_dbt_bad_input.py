"""What an organisation lacks or brings that nobody thought of: the build is green and says so."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.warehouse.marts.pretend_books import LAST_DAY


def test_a_single_draft_is_listed_and_counts_nowhere(marts):
    (draft,) = marts.table("xero_marts.fct_invoices", "one draft")
    assert (draft["invoice_id"], draft["is_approved"]) == ("draft", False)
    assert draft["total_amount"] == Decimal("11.50")
    for table in (
        "fct_ledger_postings",
        "fct_cash_basis_postings",
        "fct_account_balances",
        "fct_outstanding_documents",
        "fct_document_errors",
    ):
        assert marts.table(f"xero_marts.{table}", "one draft") == []
    days = marts.table("xero_marts.rpt_daily_statistics", "one draft")
    assert {day["receivables_outstanding_base_amount"] for day in days} == {0}
    assert {day["receivables_issued_count"] for day in days} == {0}
    # But it is shown, apart from everything else.
    assert {day["receivables_draft_count"] for day in days} == {1}
    assert {day["receivables_draft_base_amount"] for day in days} == {Decimal("11.50")}
    assert {day["receivables_submitted_count"] for day in days} == {0}


@pytest.mark.parametrize("tenant", ["empty", "one draft"])
def test_nothing_to_state_is_a_statement_without_lines(marts, tenant):
    for view in ("rpt_trial_balance", "rpt_profit_and_loss", "rpt_balance_sheet"):
        assert marts.table(f"xero_marts.{view}", tenant) == []


@pytest.mark.parametrize("tenant", ["empty", "one draft", "books"])
def test_a_report_that_could_not_be_read_is_a_row_that_says_so(marts, tenant):
    rows = marts.table("xero_marts.rpt_tie_out_summary", tenant)
    assert {
        (row["report"], row["basis"], row["report_date"])
        for row in rows
        if (row["lines"], row["difference_amount"], row["explained_ratio"]) == (0, None, None)
    } >= {
        ("TrialBalance", "accrual", LAST_DAY),
        ("ProfitAndLoss", "accrual", LAST_DAY),
        ("ProfitAndLoss", "cash", LAST_DAY),
        ("BalanceSheet", "accrual", LAST_DAY),
        ("BankSummary", "accrual", LAST_DAY),
    }
    assert marts.table("xero_marts.rpt_tie_out", tenant) == []


def test_an_account_of_an_unknown_type_is_in_no_wrong_total_and_lost_from_none(marts):
    tenant_id = marts.tenants["unknown type"].tenant_id
    where = " where tenant_id = %s and basis = 'accrual' and day = %s order by account_id"
    assert marts.rows(
        f"select account_id, section, amount from xero_marts.rpt_balance_sheet{where}",
        *(tenant_id, LAST_DAY),
    ) == [("bank", "bank", Decimal("-40.00")), ("novel", "unknown", Decimal("40.00"))]
    assert marts.rows(
        f"select account_id, account_name, amount from xero_marts.rpt_trial_balance{where}",
        *(tenant_id, LAST_DAY),
    ) == [("bank", None, Decimal("-40.00")), ("novel", "Holograms", Decimal("40.00"))]
    assert marts.table("xero_marts.rpt_profit_and_loss", "unknown type") == []


def test_a_document_without_a_rate_is_an_error_row_and_posts_nothing(marts):
    errors = marts.table("xero_marts.fct_document_errors", "books")
    without_rate = {row["document_id"] for row in errors if row["error"] == "no_rate"}
    posted = marts.table("xero_marts.fct_ledger_postings", "books")
    assert without_rate
    assert without_rate.isdisjoint(row["document_id"] for row in posted)
    assert sum(row["base_amount"] for row in posted) == 0


def test_a_financial_year_that_ends_in_no_month_ends_in_december(marts):
    (tenant,) = marts.table("xero_marts.dim_tenants", "mistyped")
    assert tenant["financial_year_end_day"] is tenant["financial_year_end_month"] is None
    days = marts.table("xero_marts.dim_dates", "mistyped")
    assert {day["financial_year_end_date"].strftime("%d %m") for day in days} == {"31 12"}


def test_a_document_of_a_mistyped_year_stands_in_the_months_of_twenty_years(marts):
    rows = marts.table("xero_marts.rpt_executive_summary", "mistyped")
    months = {row["month_end_date"] for row in rows}
    assert (min(months), max(months)) == (date(2006, 11, 30), date(2026, 11, 30))
    assert (len(months), len(rows)) == (20 * 12 + 1, 23 * (20 * 12 + 1))
    assert {row["amount"] for row in rows if row["line"] == "Debtors"} == {Decimal("40.00")}
    assert {row["amount"] for row in rows if row["line"] == "Income"} == {Decimal(0)}


def test_an_organisation_of_manual_journals_alone_has_every_day_since_the_first(marts):
    tenant_id = marts.tenants["by hand"].tenant_id
    ((first, last, count, costs),) = marts.rows(
        "select min(day), max(day), count(*), sum(operating_expenses_day_base_amount)"
        " from xero_marts.rpt_daily_statistics where tenant_id = %s",
        tenant_id,
    )
    assert (first, last, count) == (LAST_DAY - timedelta(days=300), LAST_DAY, 301)
    assert costs == Decimal("200.00")
    years = marts.rows(
        "select day, period, amount from xero_marts.rpt_profit_and_loss where tenant_id = %s"
        " and basis = 'accrual' and period = 'year_to_date' and day = any(%s) order by 1",
        *(tenant_id, [date(2026, 3, 31), LAST_DAY]),
    )
    assert years == [
        (day, "year_to_date", Decimal("100.00")) for day in (date(2026, 3, 31), LAST_DAY)
    ]


def test_a_posted_manual_journal_without_a_date_is_an_error_row_and_posts_nothing(marts):
    (error,) = marts.table("xero_marts.fct_document_errors", "by hand")
    assert (error["document_kind"], error["document_id"], error["error"]) == (
        *("manual_journal", "undated", "no_date"),
    )
    assert (error["currency_code"], error["amount"]) == ("NZD", None)
    posted = marts.table("xero_marts.fct_ledger_postings", "by hand")
    assert len(posted) == 4
    assert "undated" not in {row["document_id"] for row in posted}
    days = marts.table("xero_marts.rpt_daily_statistics", "by hand")
    assert {day["undated_document_count"] for day in days} == {1}


def test_an_allocation_of_a_credit_that_cannot_be_read_is_an_error_row(marts):
    (error,) = marts.table("xero_marts.fct_document_errors", "half read")
    assert (error["document_kind"], error["document_id"], error["error"]) == (
        *("allocation", "unread:sold", "no_document"),
    )
    assert (error["currency_code"], error["amount"]) == ("NZD", Decimal("10.00"))
    # What is outstanding knows of it, the ledger does not: the row is the difference.
    (left,) = marts.table("xero_marts.fct_outstanding_documents", "half read")
    assert left["outstanding_base_amount"] == Decimal("30.00")
    balances = marts.rows(
        "select account_id, sum(base_amount) from xero_marts.fct_ledger_postings"
        " where tenant_id = %s group by 1 order by 1",
        marts.tenants["half read"].tenant_id,
    )
    assert balances == [("debtors", Decimal("40.00")), ("sales", Decimal("-40.00"))]


def test_values_that_no_column_holds_are_error_rows_of_their_own_records(marts):
    errors = marts.table("xero_marts.fct_document_errors", "beyond measure")
    documents = [row for row in errors if row["document_kind"] in ("invoice", "payment")]
    assert {row["document_id"]: row["error"] for row in documents} == {
        "dated before all calendars": "no_date",
        "dated after all years": "no_date",
        "dated in the year nothing": "no_date",
        "of endless money": "no_amount",
        "of money in words": "no_amount",
        "of lines of endless money": "no_amount",
        "of endless cents": "no_amount",
        "at a rate of nearly nothing": "no_rate",
        "of nothing": "no_document",
        "of an endless id": "no_document",
        "of one left out": "no_document",
    }
    # The legs of transfers post no line.
    assert "bank_transaction" not in {row["document_kind"] for row in errors}


def test_quotes_and_manual_journals_that_cannot_be_counted_say_why(marts):
    errors = marts.table("xero_marts.fct_document_errors", "beyond measure")
    assert {
        (row["document_kind"], row["document_id"]): row["error"]
        for row in errors
        if row["document_kind"] in ("quote", "manual_journal")
    } == {
        ("manual_journal", "of lines of endless money"): "no_amount",
        ("quote", "of no day"): "no_date",
        ("quote", "of endless money"): "no_amount",
    }


def test_a_line_that_cannot_be_read_takes_its_record_out_of_the_ledger_and_not_to_rounding(marts):
    sources = marts.rows(
        "select distinct source_id from xero_marts.fct_ledger_postings where tenant_id = %s",
        marts.tenants["beyond measure"].tenant_id,
    )
    assert ("sold",) in sources
    assert not {("of lines of endless money",), ("of endless cents",)} & set(sources)


def test_figures_and_names_of_reports_that_no_column_holds_are_compared_as_far_as_they_go(marts):
    lines = marts.rows(
        "select length(line_key), abs(xero_amount) from xero_marts.rpt_tie_out"
        " where tenant_id = %s and report = 'BalanceSheet'"
        " and (line_key in ('bank', 'sales') or length(line_key) = 600) order by 1",
        marts.tenants["reports beyond measure"].tenant_id,
    )
    # A figure that no column holds is none; an account on two lines is compared once.
    assert lines == [
        (len("bank"), Decimal(0)),
        (len("sales"), Decimal("15.00")),
        (600, Decimal("1.00")),
    ]


@pytest.mark.parametrize("ledger", ["fct_ledger_postings", "fct_cash_basis_postings"])
def test_a_journal_that_cannot_be_read_is_an_error_row_and_the_others_are_posted(marts, ledger):
    tenant_id = marts.tenants["journals beyond measure"].tenant_id
    posted = marts.rows(
        f"select account_id, base_amount from xero_marts.{ledger} where tenant_id = %s order by 1",
        tenant_id,
    )
    assert posted == [("debtors", Decimal("40.00")), ("sales", Decimal("-40.00"))]
    kind = "journal" if ledger == "fct_ledger_postings" else "cash_journal"
    errors = marts.table("xero_marts.fct_document_errors", "journals beyond measure")
    assert {row["document_id"]: row["error"] for row in errors if row["document_kind"] == kind} == {
        "dated after all years": "no_date",
        "of no day and no source": "no_date",
        "of endless money": "no_amount",
    }


def test_records_beside_those_that_no_column_holds_count_as_ever(marts):
    left = marts.table("xero_marts.fct_outstanding_documents", "beyond measure")
    assert {
        row["document_id"]: (row["currency_code"], row["outstanding_base_amount"], row["due_date"])
        for row in left
        if row["outstanding_base_amount"]
    } == {
        "sold": ("NZD", Decimal("40.00"), LAST_DAY),
        "due after all years": ("NZD", Decimal("40.00"), None),
        "of an endless contact": ("NZD", Decimal("40.00"), LAST_DAY),
        # Xero gave a rate, whatever the currency is called.
        "in an endless currency": ("XXX", Decimal("26.67"), LAST_DAY),
    }


def test_money_of_documents_left_out_is_what_aged_lines_and_the_control_account_differ_by(marts):
    tenant_id = marts.tenants["beyond measure"].tenant_id
    ((owed,),) = marts.rows(
        "select sum(amount) from xero_marts.rpt_aged_receivables where tenant_id = %s and day = %s",
        *(tenant_id, LAST_DAY),
    )
    ((posted,),) = marts.rows(
        "select sum(base_amount) from xero_marts.fct_ledger_postings"
        " where tenant_id = %s and account_id = 'debtors'",
        tenant_id,
    )
    errors = marts.table("xero_marts.fct_document_errors", "beyond measure")
    unread = {row["document_id"]: row["amount"] for row in errors if row["error"] == "no_document"}
    assert unread == {
        "of nothing": Decimal("7.00"),
        "of an endless id": Decimal("7.00"),
        "of one left out": Decimal("7.00"),
        "of one left out:of lines of endless money": Decimal("10.00"),
    }
    assert owed - posted == sum(unread.values())
