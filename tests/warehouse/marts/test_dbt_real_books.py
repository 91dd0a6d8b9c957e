"""The trial balance of Xero's own demo company beside the documents recorded of it.

The recordings are no single extraction: nobody recorded the bank transactions (wages, rent, fees),
and all but a few documents are of February 2011 and later, some later than the report, whose year
began in July. So the two differ; the differences are stated here, and balance.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

pytestmark = pytest.mark.real_payloads

# What only bank transactions of the demo company are about, and conversion balances.
OF_UNRECORDED = {
    "Advertising (400)",
    "Bank Fees (404)",
    "Computer Equipment (720)",
    "Consulting & Accounting (412)",
    "Historical Adjustment (840)",
    "Interest Income (270)",
    "Owner A Funds Introduced (881)",
    "PAYG Withholdings Payable (825)",
    "Printing & Stationery (461)",
    "Purchases (300)",
    "Rent (469)",
    "Subscriptions (485)",
    "Wages and Salaries (477)",
}
OF_BOTH = {
    "ANZ Business Account": "-11350.68",
    "Accounts Payable (800)": "-8341.60",
    "Accounts Receivable (610)": "7709.17",
    "Cleaning (408)": "310.00",
    "Entertainment (420)": "-34.09",
    "GST (820)": "52.50",
    "Light, Power, Heating (445)": "596.00",
    "Motor Vehicle Expenses (449)": "1185.00",
    "Office Equipment (710)": "6300.00",
    "Office Expenses (453)": "790.92",
    "Sales (200)": "-21258.34",
    "Telephone & Internet (489)": "65.00",
    "Travel - National (493)": "301.32",
}
TIED = {"Less Accumulated Depreciation on Office Equipment (711)", "Ridgeway Savings (099)"}


@pytest.fixture
def lines(marts, real_payloads):
    """The balances of the report's accounts, by Xero's label."""
    found = {
        line["line_label"]: line
        for line in marts.table("xero_marts.rpt_tie_out", "australia")
        if (line["report"], line["measure"]) == ("TrialBalance", "balance")
    }
    assert {line["report_date"] for line in found.values()} == {date(2011, 3, 23)}
    return found


def test_the_trial_balance_differs_by_what_nobody_recorded(lines):
    assert lines.keys() == OF_UNRECORDED | OF_BOTH.keys() | TIED
    for name in OF_UNRECORDED:
        assert lines[name]["documents_amount"] == 0
        assert lines[name]["difference"] == lines[name]["xero_amount"] != 0
    for name, difference in OF_BOTH.items():
        assert lines[name]["difference"] == Decimal(difference)
    assert {name for name, line in lines.items() if line["status"] == "tied"} == TIED


def test_the_differences_balance_and_none_is_given_a_cause_that_is_not_proved(lines):
    assert sum(line["difference"] for line in lines.values()) == 0
    different = [line for name, line in lines.items() if name not in TIED]
    assert {(line["cause"], line["status"]) for line in different} == {("OTHER", "broken")}


def test_the_trial_balance_of_the_day_is_xeros_account_by_account(marts, lines):
    """Documents and what nobody recorded of them together, on the report's own day."""
    found = marts.rows(
        "select account_id, amount from xero_marts.rpt_trial_balance"
        " where tenant_id = %s and basis = 'accrual' and day = %s and amount <> 0",
        *(marts.tenants["australia"].tenant_id, date(2011, 3, 23)),
    )
    xeros = {line["line_key"]: line["xero_amount"] for line in lines.values()}
    assert dict(found) == {account: amount for account, amount in xeros.items() if amount}
    assert len(found) > 20
