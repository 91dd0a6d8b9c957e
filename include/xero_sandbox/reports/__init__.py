"""The reports: figures of the ledgers in Xero's layouts.

The door is `build_report`; each report is a module of its own:

    asking.py       what a request asks for: parameters read, figures of the basis it wants
    figures.py      balances at any date and since the start of a year, revaluation included
    headings.py     where an account stands in a statement
    layout.py       rows, sections, titles and spelling, the same in every report

Knows Xero's reports by name. Must not know HTTP, how the ledgers came about or how a business
behaves. Everything follows from the books, the parameters and the moment given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from xero_sandbox.books.books import Books
from xero_sandbox.reports import (
    aged_by_contact,
    balance_sheet,
    bank_summary,
    budget_summary,
    executive_summary,
    profit_and_loss,
    ten_ninety_nine,
    trial_balance,
)
from xero_sandbox.reports.asking import Asked, RateOn
from xero_sandbox.reports.layout import Report

__all__ = ["REPORT_NAMES", "build_report"]

_BUILDERS: Mapping[str, Callable[[Asked], Report | None]] = {
    "TrialBalance": trial_balance.build,
    "ProfitAndLoss": profit_and_loss.build,
    "BalanceSheet": balance_sheet.build,
    "BankSummary": bank_summary.build,
    "ExecutiveSummary": executive_summary.build,
    "BudgetSummary": budget_summary.build,
    "AgedReceivablesByContact": aged_by_contact.build_receivables,
    "AgedPayablesByContact": aged_by_contact.build_payables,
    "TenNinetyNine": ten_ninety_nine.build,
}

REPORT_NAMES: tuple[str, ...] = tuple(_BUILDERS)
"""Every report that can be asked for, as it stands in the path."""


def build_report(
    name: str,
    params: Mapping[str, str],
    *,
    books: Books,
    title: str,
    year_end: tuple[int, int],
    rate_on: RateOn,
    now: datetime,
) -> dict[str, Any] | None:
    """Return the report of a name (`TrialBalance`) as Xero's `Reports[0]`, or None.

    `params` are those of the request, their names in any case; `title` is the organisation's
    name, `year_end` is (day, month), `rate_on` gives the rate of a day and a currency, `now`
    (aware UTC) is when the report is made. None for an unknown report and for one that this
    country does not have. Raises ValidationError for parameters that cannot be read.
    """
    builder = _BUILDERS.get(name)
    if builder is None:
        return None
    given = {key.lower(): value for key, value in params.items()}
    return builder(
        Asked(given, books=books, title=title, year_end=year_end, rate_on=rate_on, now=now)
    )
