"""What Xero's reports alone know, as rows that make a ledger sum to Xero's own balances."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from tests.warehouse.marts.ledger_books import LEDGERS
from tests.warehouse.marts.loaded import Warehouse
from tests.warehouse.marts.pretend_books import LAST_DAY
from tests.warehouse.marts.xeros_reports import asked_for, lines_of, report_of
from xero_sandbox.business.company import Company

SUMS = """
    select account_id, sum(base_amount)
    from (
        select account_id, base_amount from xero_marts.{ledger}
        where tenant_id = %(tenant)s and posting_date <= %(day)s
        union all
        select account_id, base_amount from xero_marts.fct_reported_movements
        where tenant_id = %(tenant)s and basis = %(basis)s and day <= %(day)s
    ) as united
    group by account_id having sum(base_amount) <> 0
"""
# Reports show these since the beginning of the financial year, and closed years in the second.
OF_THE_YEAR = ("REVENUE", "EXPENSE"), "RETAINEDEARNINGS"


def standing(company: Company, found: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Balances of the accounts that no financial year closes."""
    classes, retained = OF_THE_YEAR
    accounts = company.books.ledger.accounts
    return {
        key: amount
        for key, amount in found.items()
        if key not in accounts
        or (accounts[key].account_class not in classes and accounts[key].system != retained)
    }


@pytest.mark.parametrize("name", ["every kind", "foreign ledger"])
def test_postings_and_what_reports_alone_know_sum_to_xeros_trial_balance(
    marts: Warehouse, companies: Mapping[str, Company], name: str
):
    company = companies[name]
    report = report_of(company, "TrialBalance", asked_for(LAST_DAY, "accrual"))
    debited, credited = (lines_of(report, column=place) for place in (3, 4))
    xeros = {
        key: debited.get(key, Decimal(0)) - credited.get(key, Decimal(0))
        for key in {*debited, *credited}
    }
    asked = {"tenant": company.tenant_id, "basis": "accrual", "day": LAST_DAY}
    with marts.connect() as connection:
        query = SUMS.format(ledger=LEDGERS["accrual"])
        built = dict(connection.execute(query, asked).fetchall())
    assert len(standing(company, xeros)) > 3
    assert standing(company, built) == standing(company, xeros)


def test_every_reported_difference_is_a_row_with_its_cause(
    marts: Warehouse, companies: Mapping[str, Company]
):
    tenant_id = companies["every kind"].tenant_id
    compared = marts.rows(
        "select line_key, cause, difference from xero_marts.rpt_tie_out where tenant_id = %s"
        " and report = 'TrialBalance' and measure = 'balance' and basis = 'accrual'"
        " and difference <> 0",
        tenant_id,
    )
    found = marts.rows(
        "select account_id, cause, base_amount from xero_marts.fct_reported_movements"
        " where tenant_id = %s and basis = 'accrual' and source_type = 'UNEXPLAINED' and day = %s",
        *(tenant_id, LAST_DAY),
    )
    assert {cause for _, cause, _ in compared} >= {"CONVERSION", "DEPRECIATION", "ROUNDING"}
    assert {row[:2] for row in found} == {row[:2] for row in compared}


def test_revaluation_is_a_row_on_each_account_and_sums_to_zero(
    marts: Warehouse, companies: Mapping[str, Company]
):
    found = marts.rows(
        "select base_amount, closing_base_amount, cause, rule"
        " from xero_marts.fct_reported_movements"
        " where tenant_id = %s and basis = 'accrual' and source_type = 'REVALUATION'",
        companies["foreign ledger"].tenant_id,
    )
    assert len(found) > 1
    assert sum(row[0] for row in found) == 0
    assert {row[2:] for row in found} == {(None, "revaluation")}
    assert all(moved == level for moved, level, _, _ in found)
