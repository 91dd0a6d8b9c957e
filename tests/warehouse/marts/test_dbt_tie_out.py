"""The tie-out: Xero's own reports held against what dbt makes of the documents.

The sandbox's reports are code of their own. Organisations whose documents tell everything differ
nowhere; what no document tells of is named by its cause, to the cent; a wrong posting is broken.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_xero.dbt_build import require_tolerated, tell_of_broken_tie_outs
from airflow_xero.errors import PublishError
from airflow_xero.tie_outs import broken_tie_outs
from tests.warehouse.marts.ledger_books import (
    balances_of,
    by_cause,
    possible_causes,
    without_documents,
)
from tests.warehouse.marts.mistakes import ABROAD, MISTAKES, build_with, state_with
from tests.warehouse.marts.pretend_books import LAST_DAY

EVERYTHING_TOLD = (
    "every document",
    "every document, journals",
    "one currency",
    "one currency, journals",
)
CAUSES = {
    "CONVERSION",
    "DEPRECIATION",
    "EXPENSE_CLAIMS",
    "INVENTORY",
    "PAYROLL",
    "ROUNDING",
}


@pytest.mark.parametrize("name", EVERYTHING_TOLD)
def test_documents_that_tell_everything_tie_on_every_line(marts, name):
    lines = marts.table("xero_marts.rpt_tie_out", name)
    assert [line for line in lines if (line["status"], line["difference"]) != ("tied", 0)] == []
    assert {line["report"] for line in lines} >= {
        "TrialBalance",
        "ProfitAndLoss",
        "BalanceSheet",
        "BankSummary",
    }


def test_revaluation_is_what_reports_add_and_sums_to_zero(marts):
    [(accounts, total, gains)] = marts.rows(
        "select count(*), sum(revaluation_amount),"
        " sum(revaluation_amount) filter (where line_label similar to '%%(497|498)%%')"
        " from xero_marts.rpt_tie_out where tenant_id = %s and report = 'TrialBalance'"
        " and measure = 'balance' and revaluation_amount <> 0",
        marts.tenants["every document"].tenant_id,
    )
    assert accounts > 4
    assert total == 0
    assert gains != 0


def test_what_no_document_tells_of_has_its_causes_and_the_sandboxs_amount(marts, companies):
    company = companies["every kind"]
    found = marts.rows(
        "select line_key, difference, cause, status from xero_marts.rpt_tie_out"
        " where tenant_id = %s and measure = 'balance' and report = 'TrialBalance'"
        " and difference <> 0",
        company.tenant_id,
    )
    posted = balances_of(without_documents(company, "accrual"), LAST_DAY)
    assert {account: amount for account, amount, _, _ in found} == posted
    assert {status for *_, status in found} == {"explained"}
    assert {cause for each in found for cause in each[2].split(", ")} == CAUSES


def test_a_line_names_what_was_posted_on_it_and_nothing_that_its_account_cannot_have(
    marts, companies
):
    company = companies["every kind"]
    posted = {
        cause: balances_of(movements, LAST_DAY)
        for cause, movements in by_cause(company, "accrual").items()
    }
    found = marts.rows(
        "select line_key, cause from xero_marts.rpt_tie_out where tenant_id = %s"
        " and report = 'TrialBalance' and measure = 'balance' and difference <> 0",
        company.tenant_id,
    )
    assert len(found) > 20
    for account_id, named in found:
        account = company.books.ledger.accounts[account_id]
        causes = set(named.split(", "))
        expected = {cause for cause, amounts in posted.items() if amounts.get(account_id)}
        assert expected <= causes <= possible_causes(account), account
        # What balances by itself is told apart from what the account may have besides.
        if "INVENTORY" in expected:
            assert causes == expected, account


def test_the_summary_counts_what_the_lines_say(marts, ledger_companies):
    counted = marts.rows(
        "select tenant_id, report, basis, count(*), count(*) filter (where status = 'tied'),"
        " count(*) filter (where status = 'explained'), count(*) filter (where status = 'broken')"
        " from xero_marts.rpt_tie_out group by 1, 2, 3 order by 1, 2, 3"
    )
    assert counted == marts.rows(
        "select tenant_id, report, basis, lines, tied_lines, explained_lines, broken_lines"
        " from xero_marts.rpt_tie_out_summary where lines > 0 order by 1, 2, 3"
    )
    ratios = dict(
        marts.rows(
            "select tenant_id::text, explained_ratio from xero_marts.rpt_tie_out_summary"
            " where report = 'TrialBalance' and lines > 0"
        )
    )
    for name in EVERYTHING_TOLD:
        assert ratios[marts.tenants[name].tenant_id] == 1
    assert 0 < ratios[marts.tenants["every kind"].tenant_id] < 1


def test_money_that_is_lost_counts_once_on_each_account(built):
    name = "one currency"
    tenant_id = built.warehouse.tenants[name].tenant_id
    with built.warehouse.connect() as connection:
        build_with(connection, built.compiled, "money received that is lost", tenant_id=tenant_id)
        lost = connection.execute(
            "select measure, difference from xero_marts.rpt_tie_out where tenant_id = %s"
            " and report = 'BankSummary' and difference <> 0 order by measure",
            (tenant_id,),
        ).fetchall()
        counted = connection.execute(
            "select report, difference_amount, broken_amount from xero_marts.rpt_tie_out_summary"
            " where tenant_id = %s and report in ('TrialBalance', 'BankSummary',"
            " 'ExecutiveSummary')",
            (tenant_id,),
        ).fetchall()
        [told] = broken_tie_outs(connection, runs_of(connection, tenant_id))
        connection.rollback()
    [(_, amount), _] = lost
    assert lost == [("balance", amount), ("received", amount)]
    assert amount > 0
    assert {report: amounts for report, *amounts in counted} == {
        "TrialBalance": [2 * amount] * 2,
        "BankSummary": [amount] * 2,
        "ExecutiveSummary": [amount] * 2,
    }
    assert told.amount == 2 * amount


def test_a_published_balance_that_is_not_xeros_is_told(built):
    test = built.compiled["assert_last_trial_balance_is_xeros"]
    with built.warehouse.connect() as connection:
        assert connection.execute(test).fetchall() == []
        connection.execute(
            "update xero_marts.fct_account_balances as shown"
            " set documents_closing_amount = documents_closing_amount + 0.01"
            " from xero_marts.dim_accounts as accounts"
            " where shown.tenant_id = accounts.tenant_id"
            " and shown.account_id = accounts.account_id"
            " and accounts.system_account = 'DEBTORS'"
        )
        found = connection.execute(
            f"select tenant_id::text, amount - xero_amount from ({test}) as differing"
        ).fetchall()
        connection.rollback()
    compared = built.warehouse.rows(
        "select distinct tenant_id::text from xero_marts.rpt_tie_out"
        " inner join xero_marts.dim_tenants using (tenant_id)"
        " where report = 'TrialBalance' and status <> 'not_compared'"
        " and report_date = complete_day"
    )
    names = (*EVERYTHING_TOLD, "ledger", "foreign ledger", "every kind")
    assert set(compared) >= {(built.warehouse.tenants[name].tenant_id,) for name in names}
    assert sorted(found) == sorted((*each, Decimal("0.01")) for each in compared)


# --- A wrong rule is seen ------------------------------------------------------------------------

FAST = ("none", "a wrong sign", "a transfer counted twice")


@pytest.mark.parametrize(
    "mistake",
    [pytest.param(name, marks=[] if name in FAST else [pytest.mark.campaign]) for name in MISTAKES],
)
def test_one_mistake_breaks_the_tie_out(built, mistake):
    statuses = statuses_with(built, mistake, "every document")
    assert "tied" in statuses
    assert ("broken" in statuses) == (mistake != "none")
    assert "explained" not in statuses


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(name, marks=[] if name in FAST else [pytest.mark.campaign])
        for name in MISTAKES
        if name not in ABROAD
    ],
)
def test_no_cause_takes_in_a_mistake(built, mistake):
    """Claims, payroll, stock, depreciation, a conversion and rounding explain what is theirs."""
    statuses = statuses_with(built, mistake, "every kind")
    assert statuses >= {"tied", "explained"}
    assert ("broken" in statuses) == (mistake != "none")


def statuses_with(built, mistake, name):
    """Those of the organisation's lines in all reports."""
    tenant_id = built.warehouse.tenants[name].tenant_id
    with built.warehouse.connect() as connection:
        build_with(connection, built.compiled, mistake, tenant_id=tenant_id)
        rows = connection.execute(
            "select distinct status from xero_marts.rpt_tie_out where tenant_id = %s",
            (tenant_id,),
        ).fetchall()
        connection.rollback()
    return {status for (status,) in rows}


@pytest.mark.parametrize(
    ("code", "amount", "is_broken"),
    [
        pytest.param("416", "0.00", False, id="nothing"),
        pytest.param("416", "0.01", True, id="a cent of depreciation, which no basis delays"),
        pytest.param("477", "5000.00", True, id="more than claims of other months were paid"),
        pytest.param("477", "-5000.00", True, id="less than nothing of them"),
    ],
)
def test_a_wrong_amount_on_cash_basis_is_broken_where_its_account_has_a_cause(
    built, companies, code, amount, is_broken
):
    company = companies["every kind"]
    posting = (company.books.account(code).account_id, LAST_DAY, Decimal(amount))
    with built.warehouse.connect() as connection:
        state_with(connection, built.compiled, posting, tenant_id=company.tenant_id)
        rows = connection.execute(
            "select line_key from xero_intermediate.int_statements_explained"
            " where basis = 'cash' and cause = 'OTHER'"
        ).fetchall()
        connection.rollback()
    assert ((posting[0],) in rows) == is_broken
    assert bool(rows) == is_broken


# --- People are told -----------------------------------------------------------------------------

BROKEN = {"every document": Decimal("12.34"), "every kind": Decimal("0.01")}


@pytest.fixture
def runs(marts):
    """The extractions of the organisations that tie, or whose differences have a cause."""
    with marts.connect() as connection:
        return runs_of(connection, *(marts.tenants[name].tenant_id for name in BROKEN))


def runs_of(connection, *tenant_ids):
    """The extractions of some organisations."""
    found = connection.execute(
        "select run_id from xero_ops.extract_runs where tenant_id::text = any(%s)",
        (list(tenant_ids),),
    )
    return [run for (run,) in found]


@pytest.fixture
def broken(marts):
    """Two organisations, one account of each broken, one of them by a cent."""
    with marts.connect() as connection:
        for name, amount in BROKEN.items():
            connection.execute(
                "update xero_marts.rpt_tie_out set status = 'broken', cause = 'OTHER',"
                " difference = %s where tenant_id = %s and measure = 'balance'"
                " and report = 'TrialBalance' and line_label like 'Accounts Receivable%%'",
                (amount, marts.tenants[name].tenant_id),
            )
            connection.execute(
                "update xero_marts.rpt_tie_out_summary set broken_amount = %s"
                " where tenant_id = %s and report = 'TrialBalance'",
                (amount, marts.tenants[name].tenant_id),
            )
        yield connection
        connection.rollback()


def test_a_broken_tie_out_is_told_once_a_day_and_read_again(marts, broken, runs):
    for _ in range(2):
        found = tell_of_broken_tie_outs(broken, runs, link=None)
    ids = {name: marts.tenants[name].tenant_id for name in BROKEN}
    assert {(each.tenant_id, each.amount, each.is_new) for each in found} == {
        (ids[name], amount, True) for name, amount in BROKEN.items()
    }
    assert {tuple(each.accounts) for each in found} == {("Accounts Receivable (610)",)}
    told = broken.execute("select cause, advice from xero_ops.notices order by cause").fetchall()
    assert [cause for cause, _ in told] == sorted(f"tie_out_broken:{each}" for each in ids.values())
    assert all("Accounts Receivable (610)" in advice for _, advice in told)
    wanted = broken.execute(
        "select endpoint, count(*) from xero_ops.rereads where wanted_reason is not null"
        " group by endpoint"
    ).fetchall()
    assert {endpoint for endpoint, _ in wanted} == {
        *("invoices", "credit_notes", "payments", "prepayments", "overpayments"),
        *("bank_transactions", "manual_journals"),
    }
    assert {count for _, count in wanted} == {2}


def test_nobody_is_told_when_everything_ties_or_is_explained(marts, runs):
    with marts.connect() as connection:
        assert runs
        assert tell_of_broken_tie_outs(connection, runs, link=None) == []
        assert connection.execute("select * from xero_ops.notices").fetchall() == []
        connection.rollback()


def test_a_run_fails_above_the_tolerance_only(broken, runs):
    found = tell_of_broken_tie_outs(broken, runs, link=None)
    require_tolerated(found, None)
    require_tolerated(found, Decimal("12.34"))
    with pytest.raises(PublishError, match="tie-out"):
        require_tolerated(found, Decimal("12.33"))
    with pytest.raises(PublishError, match=r"0\.00"):
        require_tolerated(found, Decimal("0.00"))
