"""The budget summary: the overall budget's income and costs, period by period.

Knows the layout, and how months are put together to periods. Must not know the ledger's amounts:
a budget is a plan, not a posting.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ZERO
from xero_sandbox.books.paper_records import Budget
from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.calendar import months_later
from xero_sandbox.reports.headings import (
    DIRECT_COSTS,
    EXPENSES,
    INCOME,
    OTHER_INCOME,
    StatementLine,
    column_totals,
    heading_of,
)
from xero_sandbox.reports.layout import (
    Report,
    Row,
    attribute,
    cell,
    header,
    money,
    report_of,
    row,
    section,
    summary_row,
)

_MOST_PERIODS = 12
_TIMEFRAMES = ("1", "3", "12")


def build(asked: Asked) -> Report:
    """Return the budget from the month of `date` (today) on.

    `periods` (1 to 12, else 12) columns of `timeframe` months each (1, 3 or 12).
    """
    start = asked.day("date", asked.books.today).replace(day=1)
    count = asked.whole("periods", lowest=1, highest=_MOST_PERIODS) or _MOST_PERIODS
    months = int(asked.choice("timeframe", _TIMEFRAMES))
    periods = [
        [months_later(start, period * months + month) for month in range(months)]
        for period in range(count)
    ]
    last = periods[-1][-1]
    titles = (
        "Overall Budget",
        "Budget Summary",
        asked.title,
        f"{start:%B} {start.year} to {last:%B} {last.year}",
    )
    # A column is named after the last of its months.
    names = (f"{period[-1]:%b}-{period[-1].year % 100:02d}" for period in periods)
    rows = [header(("Account", *names)), *_body(asked, periods)]
    return report_of("BudgetSummary", "Budget Summary", titles=titles, now=asked.now, rows=rows)


def _body(asked: Asked, periods: Sequence[Sequence[date]]) -> list[Row]:
    budget = next((b for b in asked.books.budgets.values() if b.type == "OVERALL"), None)
    under: dict[str, list[StatementLine]] = {
        heading: [] for heading in (INCOME, DIRECT_COSTS, OTHER_INCOME, EXPENSES)
    }
    accounts = asked.books.ledger.accounts.values()
    for account in sorted(accounts, key=lambda account: account.name.casefold()):
        line = _line(budget, account, periods) if budget else None
        if line is not None and heading_of(account) in under:
            under[heading_of(account)].append(line)
    total = {heading: column_totals(lines, len(periods)) for heading, lines in under.items()}
    gross = [i - c for i, c in zip(total[INCOME], total[DIRECT_COSTS], strict=True)]
    net = [
        profit + other - expenses
        for profit, other, expenses in zip(gross, total[OTHER_INCOME], total[EXPENSES], strict=True)
    ]
    return [
        *_section("Income", under[INCOME], _sum("Total Income", total[INCOME])),
        *_section(
            "Less Cost of Sales",
            under[DIRECT_COSTS],
            _sum("Total Cost of Sales", total[DIRECT_COSTS]),
        ),
        section("", [_sum("Gross Profit", gross)]),
        *_section(
            "Plus Other Income",
            under[OTHER_INCOME],
            _sum("Total Other Income", total[OTHER_INCOME]),
        ),
        *_section("Less Overheads", under[EXPENSES]),
        section("", [_sum("Total Expenses", total[EXPENSES])]),
        section("", [_sum("Net Profit", net)]),
    ]


def _line(
    budget: Budget, account: Account, periods: Sequence[Sequence[date]]
) -> StatementLine | None:
    """The planned amounts of an account, None when nothing is planned in any period."""
    planned = budget.amounts.get(account.account_id, {})
    amounts = tuple(sum((planned.get(month, ZERO) for month in period), ZERO) for period in periods)
    return StatementLine(account.name, account.account_id, amounts) if any(amounts) else None


def _section(title: str, lines: Sequence[StatementLine], *totals: Row) -> list[Row]:
    if not lines:
        return []
    rows = [
        row(
            (
                cell(line.label, attribute("account", line.account_id)),
                *(cell(money(amount)) for amount in line.amounts),
            )
        )
        for line in lines
    ]
    return [section(title, [*rows, *totals])]


def _sum(label: str, amounts: Sequence[Decimal]) -> Row:
    return summary_row((label, *map(money, amounts)))
