"""The tie-out to the control accounts: which remarks of an extraction leave an organisation out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from airflow_xero.catching_up import CatchingUp
from tests.warehouse.marts.pretend_books import LAST_DAY

REFUSED = "not read: Xero refuses this: the consent lacks a scope; connect again"
VANISHED = "Xero lists 0 of 9 records: the others are kept; if they were deleted, say so"
CLOSED = """
update xero_marts.rpt_daily_statistics_by_currency
set receivables_outstanding_amount = 0, receivables_unapplied_credit_amount = 0
where tenant_id = %(tenant_id)s and currency_code <> base_currency_code
"""
AS_REPORTED = """
update xero_marts.rpt_daily_statistics as statistics
set receivables_control_base_amount = 0.01 * %(cents)s + (
    select sum(lines.ytd_debit_amount - lines.ytd_credit_amount)
    from xero_intermediate.int_trial_balance_lines_unnested as lines
    inner join xero_marts.dim_accounts as accounts using (tenant_id, account_id)
    where
        lines.tenant_id = statistics.tenant_id
        and lines.report_date = statistics.day
        and lines.basis = 'accrual'
        and accounts.system_account = 'DEBTORS'
)
where tenant_id = %(tenant_id)s and day = %(day)s
"""


@pytest.fixture
def differs(marts):
    """Whether a difference of a cent is named, with these gaps of the extraction."""
    compiled = next(
        (marts.target / "compiled").rglob(
            "assert_open_receivables_tie_to_trial_balance_debtors.sql"
        )
    ).read_text(encoding="utf-8")
    tenant_id = marts.tenants["ledger"].tenant_id

    def ask(**gaps: str) -> bool:
        with marts.connect() as connection:
            connection.execute(
                "update xero_marts.rpt_daily_statistics set"
                " receivables_control_base_amount = receivables_control_base_amount + 0.01"
                " where tenant_id = %s",
                (tenant_id,),
            )
            connection.execute(
                "update xero_ops.extract_runs set state_reason = %s where tenant_id = %s",
                (CatchingUp.remark(cast(Any, SimpleNamespace(gaps=gaps))), tenant_id),
            )
            named = [str(row[0]) for row in connection.execute(compiled).fetchall()]
            connection.rollback()
        assert set(named) <= {tenant_id}
        return bool(named)

    return ask


def test_a_remark_about_what_is_not_compared_hides_no_difference(differs):
    assert differs()
    assert differs(users=REFUSED)
    assert differs(budgets=REFUSED, tax_rates=VANISHED, manual_journals=REFUSED)


@pytest.mark.parametrize("name", ["accounts", "invoices", "credit_notes", "trial_balances"])
def test_documents_of_which_some_may_be_missing_are_not_compared(differs, name):
    assert not differs(**{name: VANISHED})
    assert not differs(users=REFUSED, **{name: REFUSED}, budgets=REFUSED)


def test_a_cent_is_tolerated_per_foreign_document_that_was_settled_in_parts(built):
    """Foreign documents that are still open are closed first: revaluation is on those."""
    name = "assert_open_receivables_tie_to_trial_balance_debtors"
    tenant_id = built.warehouse.tenants["foreign ledger"].tenant_id
    in_parts, at_once = (
        built.warehouse.rows(
            "select count(*) from (select document_id"
            " from xero_intermediate.int_settlements_dated where tenant_id = %s"
            " and ledger = 'receivables' and currency_code <> 'USD'"
            f" group by document_id having count(*) {parts} 1) as settled",
            tenant_id,
        )[0][0]
        for parts in (">", "=")
    )
    assert at_once > 0

    def is_named(cents: int) -> bool:
        with built.warehouse.connect() as connection:
            connection.execute(CLOSED, {"tenant_id": tenant_id})
            asked = {"tenant_id": tenant_id, "day": LAST_DAY, "cents": cents}
            connection.execute(AS_REPORTED, asked)
            named = [str(row[0]) for row in connection.execute(built.compiled[name]).fetchall()]
            connection.rollback()
        return tenant_id in named

    assert not is_named(in_parts)
    assert is_named(in_parts + 1)
