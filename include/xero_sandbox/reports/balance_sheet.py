"""The balance sheet: assets less liabilities, and the equity they equal, at one or more dates.

Knows the layout, and that the open year's profit stands under an account of its own that no
chart has. Must not know how figures come about. There are no custom layouts here, so
`standardLayout` changes nothing, once it could be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.calendar import month_end, months_later_at_end
from xero_sandbox.reports.figures import Amounts, Figures
from xero_sandbox.reports.headings import (
    BANK,
    CURRENT_ASSETS,
    CURRENT_LIABILITIES,
    EQUITY,
    FIXED_ASSETS,
    OTHER_ASSETS,
    OTHER_LIABILITIES,
    StatementLine,
    column_totals,
    lines_under,
)
from xero_sandbox.reports.layout import (
    Report,
    Row,
    american,
    attribute,
    cell,
    header,
    money,
    plain_row,
    report_of,
    row,
    section,
    short,
    spoken,
    summary_row,
)

CURRENT_YEAR_EARNINGS = "abababab-abab-abab-abab-abababababab"
"""The account id under which Xero shows the open year's profit; no chart has it."""


def build(asked: Asked) -> Report:
    """Return the balance sheet at `date` (the end of the current month).

    Beside it the same day a year before, or `periods` (1 to 11) earlier dates by `timeframe`;
    only what is tracked with `trackingOptionID1` and `trackingOptionID2`; `paymentsOnly` for the
    cash basis. Xero's documentation says that it is about the end of the month of `date`; here
    it is about `date` itself, so that it can be held against a trial balance of any day.
    """
    asked.switch("standardLayout")
    days = _days(asked)
    options = (asked.option("trackingOptionID1"), asked.option("trackingOptionID2"))
    figures = asked.figures_tracked_with([each for each in options if each is not None])
    columns = [figures.to_date(day) for day in days]
    titles = ("Balance Sheet", asked.title, f"As at {spoken(days[0])}")
    rows = [header(("", *(short(day) for day in days))), *_body(figures, days, columns)]
    return report_of("BalanceSheet", "Balance Sheet", titles=titles, now=asked.now, rows=rows)


def _days(asked: Asked) -> list[date]:
    day = asked.day("date", month_end(asked.books.today))
    periods, months = asked.compared()
    if periods is None:
        periods, months = 1, 12
    return [months_later_at_end(day, -months * back) for back in range(periods + 1)]


def _body(figures: Figures, days: Sequence[date], columns: Sequence[Amounts]) -> list[Row]:
    assets, assets_total = _side(
        figures, columns, (BANK, CURRENT_ASSETS, FIXED_ASSETS, OTHER_ASSETS)
    )
    owed, owed_total = _side(figures, columns, (CURRENT_LIABILITIES, OTHER_LIABILITIES))
    net = [own - owe for own, owe in zip(assets_total, owed_total, strict=True)]
    return [
        section("Assets", []),
        *assets,
        section("", [_total("Total Assets", assets_total)]),
        section("Liabilities", []),
        *owed,
        section("", [_total("Total Liabilities", owed_total)]),
        section("", [plain_row(("Net Assets", *map(money, net)))]),
        _equity(figures, days, columns),
    ]


def _side(
    figures: Figures, columns: Sequence[Amounts], headings: Sequence[str]
) -> tuple[list[Row], Sequence[Decimal]]:
    """The sections of some headings, those without a line left out, and their sum per column."""
    sections = []
    lines: list[StatementLine] = []
    for heading in headings:
        under = lines_under(heading, figures.accounts, columns)
        lines += under
        if under:
            rows = [_line(line, ()) for line in under]
            total = _total(f"Total {heading}", column_totals(under, len(columns)))
            sections.append(section(heading, [*rows, total]))
    return sections, column_totals(lines, len(columns))


def _equity(figures: Figures, days: Sequence[date], columns: Sequence[Amounts]) -> Row:
    """Equity by name, the open year's profit among it; each column since its own year's start."""
    lines = lines_under(EQUITY, figures.accounts, columns)
    profit = StatementLine(
        "Current Year Earnings",
        CURRENT_YEAR_EARNINGS,
        tuple(figures.profit(column) for column in columns),
    )
    if any(profit.amounts):
        lines = sorted([*lines, profit], key=lambda line: line.label.casefold())
    year = [(american(figures.year_start(day)), american(day)) for day in days]
    ever = [("", american(day)) for day in days]
    rows = []
    for line in lines:
        spans: Sequence[tuple[str, str]] = ()
        if line is profit:
            spans = year
        elif figures.accounts[line.account_id].system == "RETAINEDEARNINGS":
            spans = ever
        rows.append(_line(line, spans))
    total = _total("Total Equity", column_totals(lines, len(columns)))
    return section("Equity", [*rows, total])


def _line(line: StatementLine, spans: Sequence[tuple[str, str]]) -> Row:
    """A row of amounts, each of which says the span it is about where `spans` are given."""
    reference = attribute("account", line.account_id)
    cells = [cell(line.label, reference)]
    for index, amount in enumerate(line.amounts):
        references = [reference]
        if spans:
            first, last = spans[index]
            references += [attribute("fromDate", first), attribute("toDate", last)]
        cells.append(cell(money(amount), *references))
    return row(cells)


def _total(label: str, amounts: Sequence[Decimal]) -> Row:
    return summary_row((label, *map(money, amounts)))
