"""The statements against the sandbox's own reports, which share no code with dbt: to the cent.

Here a few days about a year end of one organisation; twenty organisations over two years are in
test_dbt_twenty_books.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from tests.warehouse.marts.pretend_books import LAST_DAY
from tests.warehouse.marts.xeros_reports import (
    aged_by_contact,
    ageing_buckets,
    asked_for,
    balance_sheets,
    bank_summaries,
    cash_flows,
    days_about_year_ends,
    gains_as_one_line,
    lines_of,
    month_ends,
    profits_and_losses,
    report_of,
    trial_balances,
    year_start,
)

STATEMENTS = (
    "rpt_trial_balance",
    "rpt_profit_and_loss",
    "rpt_profit_and_loss_by_tracking",
    "rpt_balance_sheet",
    "rpt_bank_summary",
    "rpt_cash_flow",
    "rpt_aged_receivables",
    "rpt_aged_payables",
)
MONTHLY = (
    "rpt_trial_balance_monthly",
    "rpt_profit_and_loss_monthly",
    "rpt_balance_sheet_monthly",
    "rpt_cash_flow_monthly",
)
NAME = "one currency"
every_basis = pytest.mark.parametrize("basis", ["accrual", "cash"])
every_ledger = pytest.mark.parametrize("ledger", ["receivables", "payables"])


@pytest.fixture
def asked(marts, ledger_companies):
    """How to ask, whom, under which tenant id."""
    return marts.rows, ledger_companies[NAME], marts.tenants[NAME].tenant_id


@pytest.fixture(scope="session")
def days(ledger_companies):
    """Three about the end of the financial year, one in the midst, and the last one."""
    found = days_about_year_ends(ledger_companies[NAME], LAST_DAY)
    assert len(found) == 3
    return [LAST_DAY - timedelta(days=100), *found, LAST_DAY]


@every_basis
@pytest.mark.parametrize("statement", [trial_balances, profits_and_losses, balance_sheets])
def test_a_statement_is_xeros_at_every_day(asked, days, basis, statement):
    compared = statement(*asked, basis=basis, days=days)
    assert compared.differences == []
    assert compared.lines > 40


def test_the_bank_summary_of_a_day_is_xeros_account_by_account(asked, days):
    compared = bank_summaries(*asked, days=days)
    assert compared.differences == []
    assert compared.lines > 20


@every_ledger
def test_aged_documents_are_xeros_for_every_contact(asked, days, ledger):
    compared = aged_by_contact(*asked, ledger=ledger, days=days[-2:])
    assert compared.differences == []
    assert compared.lines > 10


@every_ledger
def test_ageing_buckets_are_those_of_days_past_due(asked, ledger):
    _, company, _ = asked
    compared = ageing_buckets(*asked, ledger=ledger, days=month_ends(company, LAST_DAY))
    assert compared.differences == []
    assert compared.lines > 8


@every_basis
def test_the_cash_flow_is_what_the_bank_balances_moved_by(asked, days, basis):
    compared = cash_flows(*asked, basis=basis, days=days)
    assert compared.differences == []
    assert compared.lines == 2 * len(days)


def test_what_reports_alone_know_makes_every_statement_xeros(marts, companies):
    """Conversion balances, payroll, depreciation, stock and revaluation, on the reported day."""
    company = companies["every kind"]
    where = " where tenant_id = %s and basis = 'accrual' and day = %s"
    first_day = year_start(company, LAST_DAY)
    span = {"fromDate": first_day.isoformat(), "toDate": LAST_DAY.isoformat()}
    for view, report, column, period in (
        ("rpt_trial_balance", "TrialBalance", "ytd_debit_amount", ""),
        ("rpt_balance_sheet", "BalanceSheet", "amount", ""),
        ("rpt_profit_and_loss", "ProfitAndLoss", "amount", " and period = 'year_to_date'"),
    ):
        found = marts.rows(
            f"select account_id, {column} from xero_marts.{view}{where}{period}",
            *(company.tenant_id, LAST_DAY),
        )
        built = {key: amount for key, amount in found if amount}
        if period:
            built = gains_as_one_line(company, built)
        asked = asked_for(LAST_DAY, "accrual", **(span if period else {}))
        place = 3 if report == "TrialBalance" else 1
        assert built == lines_of(report_of(company, report, asked), column=place), view
    ((documents, alone),) = marts.rows(
        "select sum(abs(documents_amount)), sum(abs(revaluation_amount + unexplained_amount))"
        f" from xero_marts.rpt_trial_balance{where}",
        *(company.tenant_id, LAST_DAY),
    )
    assert documents > 0
    assert alone > 0


def test_on_cash_basis_income_and_costs_are_xeros_and_balance(marts, companies):
    """Of the other side of payroll and its like no report tells the accounts: one line has it."""
    company = companies["every kind"]
    asked = (company.tenant_id, LAST_DAY)
    span: dict[str, Any] = {"days": [LAST_DAY], "periods": ["month_to_date"]}
    compared = profits_and_losses(marts.rows, company, company.tenant_id, basis="cash", **span)
    assert compared.differences == []
    ((total, *other_side),) = marts.rows(
        "select sum(amount), sum(revaluation_amount) filter (where account_id = ''),"
        " sum(unexplained_amount) filter (where account_id = '')"
        " from xero_marts.rpt_trial_balance"
        " where tenant_id = %s and day = %s and basis = 'cash' and not is_month_end",
        *asked,
    )
    assert total == 0
    assert all(other_side)
    # The daily statistics say the same.
    ((profit, stated),) = marts.rows(
        "select sum(lines.profit_amount),"
        " max(statistics.cash_basis_net_profit_month_to_date_base_amount)"
        " from xero_marts.rpt_profit_and_loss as lines"
        " inner join xero_marts.rpt_daily_statistics as statistics"
        " on lines.tenant_id = statistics.tenant_id and lines.day = statistics.day"
        " where lines.tenant_id = %s and lines.day = %s and lines.basis = 'cash'"
        " and lines.period = 'month_to_date' and not lines.is_month_end",
        *asked,
    )
    assert profit == stated


@every_basis
@pytest.mark.parametrize("tenant", [NAME, "every kind"])
def test_tracking_options_and_what_has_none_are_the_whole_profit_and_loss(marts, tenant, basis):
    """Of one organisation documents tell everything, of the other reports know more than they."""
    asked = (marts.tenants[tenant].tenant_id, basis, LAST_DAY)
    parts = ("documents_amount", "revaluation_amount", "unexplained_amount", "amount")
    whole = marts.rows(
        f"select period, account_id, {', '.join((*parts, 'profit_amount'))}"
        " from xero_marts.rpt_profit_and_loss where tenant_id = %s and basis = %s and day = %s"
        " order by 1, 2",
        *asked,
    )
    assert len(whole) > 10
    sums = [f"sum({part})" for part in parts]
    for category in (1, 2):
        by_option = marts.rows(
            f"select period, account_id, {', '.join(sums)}, sum(profit_amount), count(*)"
            " from xero_marts.rpt_profit_and_loss_by_tracking where tenant_id = %s"
            " and basis = %s and day = %s and category_number = %s"
            f" group by 1, 2 having {' <> 0 or '.join(sums)} <> 0 order by 1, 2",
            *(*asked, category),
        )
        assert [row[:-1] for row in by_option] == whole
        assert any(row[-1] > 1 for row in by_option)


def test_what_reports_alone_know_of_a_profit_has_no_tracking_option(marts):
    found = marts.rows(
        "select category_number, tracking_option_id = '', bool_or(revaluation_amount <> 0),"
        " bool_or(unexplained_amount <> 0)"
        " from xero_marts.rpt_profit_and_loss_by_tracking where tenant_id = %s"
        " and basis = 'accrual' and day = %s group by 1, 2 order by 1, 2",
        *(marts.tenants["every kind"].tenant_id, LAST_DAY),
    )
    assert found == [
        (category, is_none, is_none, is_none) for category in (1, 2) for is_none in (False, True)
    ]


@pytest.mark.parametrize("view", MONTHLY)
def test_a_monthly_view_is_its_statement_at_every_month_end(marts, view):
    tenant_id = marts.tenants[NAME].tenant_id
    period = " and period = 'month_to_date'" if "profit" in view or "cash_flow" in view else ""
    monthly = marts.rows(
        f"select month_end_date, basis, account_id, amount from xero_marts.{view}"
        " where tenant_id = %s order by 1, 2, 3, 4",
        tenant_id,
    )
    ends = sorted({row[0] for row in monthly})
    assert len(ends) >= 4
    assert {(end + timedelta(days=1)).day for end in ends} == {1}
    assert max(ends) < LAST_DAY
    each = marts.rows(
        "select day, basis, account_id, amount"
        f" from xero_marts.{view.removesuffix('_monthly')}"
        f" where tenant_id = %s and day = any(%s){period} order by 1, 2, 3, 4",
        *(tenant_id, ends),
    )
    assert monthly == each


def test_aged_lines_sum_to_the_control_account_also_when_paid_ahead(marts):
    """Xero's aged reports do not list what is dated later; its control account has the money."""
    days_ahead = 0
    for tenant, ledger in product(["books", "twin"], ["receivables", "payables"]):
        aged = marts.rows(
            "select day, sum(documents_amount),"
            " sum(documents_amount) filter (where line = 'paid_ahead')"
            f" from xero_marts.rpt_aged_{ledger} where tenant_id = %s group by day",
            marts.tenants[tenant].tenant_id,
        )
        sums = {day: whole for day, whole, _ in aged}
        ahead = {day: -part for day, _, part in aged if part}
        for row in marts.table("xero_marts.rpt_daily_statistics", tenant):
            assert sums.get(row["day"], 0) == row[f"{ledger}_control_base_amount"], row["day"]
            assert ahead.get(row["day"], 0) == row[f"{ledger}_paid_ahead_base_amount"], row["day"]
            days_ahead += row["day"] in ahead
    assert days_ahead > 0


def test_every_statement_answers_a_day_by_index(marts):
    """The plan of one organisation's day scans no large table."""
    for view in STATEMENTS:
        (((plan,),),) = (
            marts.rows(
                f"explain (format json) select * from xero_marts.{view} where tenant_id = %s"
                " and day = %s",
                *(marts.tenants[NAME].tenant_id, LAST_DAY),
            ),
        )
        scanned = [
            node["Relation Name"]
            for node in _nodes(plan[0]["Plan"])
            if node["Node Type"] == "Seq Scan"
        ]
        large = {"fct_account_balances", "fct_outstanding_documents", "fct_ledger_postings"}
        assert large.isdisjoint(scanned), (view, json.dumps(plan, indent=1))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def test_every_view_reads_with_the_rights_of_who_asks(marts):
    found = marts.rows(
        "select relname, reloptions from pg_class where relnamespace = 'xero_marts'::regnamespace"
        " and relkind = 'v' order by relname"
    )
    assert {name for name, _ in found} >= {*STATEMENTS, *MONTHLY}
    assert [name for name, options in found if options != ["security_invoker=true"]] == []
