"""The tie-out to the control accounts: which remarks of an extraction leave an organisation out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from airflow_xero.catching_up import CatchingUp

REFUSED = "not read: Xero refuses this: the consent lacks a scope; connect again"
VANISHED = "Xero lists 0 of 9 records: the others are kept; if they were deleted, say so"


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
