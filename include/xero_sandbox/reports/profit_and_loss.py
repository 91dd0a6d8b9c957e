"""The profit and loss: income less costs over a span, beside earlier spans or by tracking.

Knows the layout and its columns. Must not know how figures come about. There are no custom
layouts here, so `standardLayout` changes nothing, once it could be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from xero_sandbox.books.ledger import Account
from xero_sandbox.errors import ValidationError
from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.calendar import months_later
from xero_sandbox.reports.figures import Amounts
from xero_sandbox.reports.headings import (
    DIRECT_COSTS,
    EXPENSES,
    INCOME,
    OTHER_INCOME,
    StatementLine,
    column_totals,
    lines_under,
)
from xero_sandbox.reports.layout import (
    Report,
    Row,
    attribute,
    cell,
    header,
    money,
    plain_row,
    report_of,
    row,
    section,
    shorter,
    spoken,
    summary_row,
)
from xero_sandbox.reports.tracking_columns import tracked_columns, tracking_of

_CURRENCY_GAINS = frozenset(("REALISEDCURRENCYGAIN", "UNREALISEDCURRENCYGAIN", "BANKCURRENCYGAIN"))
_A_YEAR = timedelta(days=365)
_GROUP_LABEL = "Foreign Currency Gains and Losses"
_GROUP_ID = "FXGROUPID"


def build(asked: Asked) -> Report:
    """Return the profit and loss from `fromDate` to `toDate` (the current month), a year at most.

    `periods` (1 to 11) earlier spans, each by `timeframe`; or columns by `trackingCategoryID`
    and `trackingCategoryID2`, narrowed to `trackingOptionID` and `trackingOptionID2`;
    `paymentsOnly` for the cash basis.
    """
    asked.switch("standardLayout")
    first, last = asked.span(longest=_A_YEAR)
    columns = _columns(asked, first, last)
    headings = [heading for heading, _ in columns]
    amounts = [each for _, each in columns]
    accounts = asked.books.ledger.accounts
    groups = asked.books.country.code != "US"
    under = {
        heading: _lines(heading, accounts, amounts, groups=groups)
        for heading in (INCOME, DIRECT_COSTS, OTHER_INCOME, EXPENSES)
    }
    titles = ("Profit & Loss", asked.title, f"{spoken(first)} to {spoken(last)}")
    rows = [header(("", *headings)), *_body(under, len(columns))]
    return report_of("ProfitAndLoss", "Profit and Loss", titles=titles, now=asked.now, rows=rows)


def _body(under: Mapping[str, list[StatementLine]], count: int) -> list[Row]:
    total = {heading: column_totals(lines, count) for heading, lines in under.items()}
    gross = tuple(
        income - costs for income, costs in zip(total[INCOME], total[DIRECT_COSTS], strict=True)
    )
    net = tuple(
        profit + other - expenses
        for profit, other, expenses in zip(gross, total[OTHER_INCOME], total[EXPENSES], strict=True)
    )
    return [
        *_section("Income", under[INCOME], total[INCOME]),
        *_section("Less Cost of Sales", under[DIRECT_COSTS], total[DIRECT_COSTS]),
        _result("Gross Profit", gross),
        *_section("Plus Other Income", under[OTHER_INCOME], total[OTHER_INCOME]),
        *_section("Less Operating Expenses", under[EXPENSES], total[EXPENSES]),
        _result("Net Profit", net),
    ]


def _columns(asked: Asked, first: date, last: date) -> list[tuple[str, Amounts]]:
    """Heading and amounts of each column."""
    periods, months = asked.compared()
    tracking = tracking_of(asked)
    if tracking.is_one_column:
        figures = asked.figures_tracked_with(tracking.options)
        spans = [
            (months_later(first, -months * back), months_later(last, -months * back))
            for back in range((periods or 0) + 1)
        ]
        return [(shorter(end), figures.movement(start, end)) for start, end in spans]
    if periods:
        raise ValidationError("Periods cannot be compared beside the options of a category.")
    return tracked_columns(asked, tracking, span=(first, last))


def _lines(
    heading: str,
    accounts: Mapping[str, Account],
    columns: Sequence[Mapping[str, Decimal]],
    *,
    groups: bool,
) -> list[StatementLine]:
    """The lines of a heading; outside the United States currency gains are one line."""
    lines = lines_under(heading, accounts, columns)
    gains = [line for line in lines if accounts[line.account_id].system in _CURRENCY_GAINS]
    if not groups or not gains:
        return lines
    one = replace(
        gains[0],
        label=_GROUP_LABEL,
        account_id=_GROUP_ID,
        amounts=column_totals(gains, len(columns)),
    )
    others = [line for line in lines if line not in gains]
    return sorted([*others, one], key=lambda line: line.label.casefold())


def _section(title: str, lines: Sequence[StatementLine], total: Sequence[Decimal]) -> list[Row]:
    """A section that ends with the total of what its title names; none without a line."""
    if not lines:
        return []
    rows = []
    for line in lines:
        reference = attribute("account", line.account_id)
        values = (line.label, *map(money, line.amounts))
        rows.append(row(cell(value, reference) for value in values))
    what = title.removeprefix("Less ").removeprefix("Plus ")
    rows.append(summary_row((f"Total {what}", *map(money, total))))
    return [section(title, rows)]


def _result(label: str, amounts: Sequence[Decimal]) -> Row:
    return section("", [plain_row((label, *map(money, amounts)))])
