"""The executive summary: a month beside the one before, in 23 rows that are Xero's own.

Knows the formulas, checked against the published examples, and how each row is written. Must not
know how figures come about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from xero_sandbox.books.money import ZERO, in_base, places
from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.bank_summary import bank_lines
from xero_sandbox.reports.calendar import DAY, month_end
from xero_sandbox.reports.figures import Figures
from xero_sandbox.reports.headings import (
    BANK,
    CURRENT_ASSETS,
    CURRENT_LIABILITIES,
    DIRECT_COSTS,
    EXPENSES,
    FIXED_ASSETS,
    INCOME,
    OTHER_ASSETS,
    OTHER_INCOME,
    OTHER_LIABILITIES,
    totals,
)
from xero_sandbox.reports.layout import Report, header, money, plain_row, report_of, section
from xero_sandbox.reports.long_decimals import divided, multiplied, written

_HUNDRED = Decimal(100)
_MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class MonthFigures:
    """The figures of one month; a ratio that has no denominator is None (days are 0 then)."""

    received: Decimal
    spent: Decimal
    bank: Decimal
    income: Decimal
    direct_costs: Decimal
    other_income: Decimal
    expenses: Decimal
    debtors: Decimal
    creditors: Decimal
    net_assets: Decimal
    invoices: int
    invoiced: Decimal
    current_assets: Decimal
    current_liabilities: Decimal
    term_assets: Decimal
    term_liabilities: Decimal
    days: int

    @property
    def surplus(self) -> Decimal:
        """Cash received less cash spent."""
        return self.received - self.spent

    @property
    def gross_profit(self) -> Decimal:
        """Income less direct costs."""
        return self.income - self.direct_costs

    @property
    def profit(self) -> Decimal:
        """Net profit of the month."""
        return self.gross_profit + self.other_income - self.expenses

    @property
    def average_invoice(self) -> Decimal:
        """What an invoice of the month came to without tax."""
        return places(self.invoiced / self.invoices, 2) if self.invoices else ZERO

    @property
    def gross_margin(self) -> Decimal | None:
        """Gross profit in per cent of income."""
        return _ratio(self.gross_profit * _HUNDRED, self.income)

    @property
    def net_margin(self) -> Decimal | None:
        """Net profit in per cent of income."""
        return _ratio(self.profit * _HUNDRED, self.income)

    @property
    def annual_return(self) -> Decimal | None:
        """Twelve times the month's profit in per cent of net assets."""
        return _ratio(self.profit * _MONTHS_A_YEAR * _HUNDRED, self.net_assets)

    @property
    def debtor_days(self) -> Decimal:
        """How many days of the month's income customers owe."""
        return _days(self.debtors, self.income, self.days)

    @property
    def creditor_days(self) -> Decimal:
        """How many days of the month's costs are owed to suppliers."""
        return _days(self.creditors, self.direct_costs + self.expenses, self.days)

    @property
    def forecast(self) -> Decimal:
        """Debtors less creditors."""
        return self.debtors - self.creditors

    @property
    def current_ratio(self) -> Decimal | None:
        """Bank and current assets over current liabilities."""
        return _ratio(self.bank + self.current_assets, self.current_liabilities)

    @property
    def term_ratio(self) -> Decimal | None:
        """Fixed and non-current assets over non-current liabilities."""
        return _ratio(self.term_assets, self.term_liabilities)


_Value = Decimal | int | None


def _percent(value: _Value) -> str:
    return "" if value is None else f"{places(Decimal(value), 1) + Decimal('0.0')}%"


def _long(value: _Value) -> str:
    return "" if value is None else written(Decimal(value))


def _money(value: _Value) -> str:
    return "" if value is None else money(Decimal(value))


_Row = tuple[str, Callable[[MonthFigures], _Value], Callable[[_Value], str]]
_SECTIONS: tuple[tuple[str, tuple[_Row, ...]], ...] = (
    (
        "Cash",
        (
            ("Cash received", lambda m: m.received, _money),
            ("Cash spent", lambda m: m.spent, _money),
            ("Cash surplus (deficit)", lambda m: m.surplus, _money),
            ("Closing bank balance", lambda m: m.bank, _money),
        ),
    ),
    (
        "Profitability",
        (
            ("Income", lambda m: m.income, _money),
            ("Direct costs", lambda m: m.direct_costs, _money),
            ("Gross profit (loss)", lambda m: m.gross_profit, _money),
            ("Other Income", lambda m: m.other_income, _money),
            ("Expenses", lambda m: m.expenses, _money),
            ("Profit (loss)", lambda m: m.profit, _money),
        ),
    ),
    (
        "Balance Sheet",
        (
            ("Debtors", lambda m: m.debtors, _money),
            ("Creditors", lambda m: m.creditors, _money),
            ("Net assets", lambda m: m.net_assets, _money),
        ),
    ),
    (
        "Income",
        (
            ("Number of invoices issued", lambda m: m.invoices, str),
            ("Average value of invoices", lambda m: m.average_invoice, _money),
        ),
    ),
    (
        "Performance",
        (
            ("Gross profit margin", lambda m: m.gross_margin, _percent),
            ("Net profit margin", lambda m: m.net_margin, _percent),
            ("Return on investment (p.a.)", lambda m: m.annual_return, _percent),
        ),
    ),
    (
        "Position",
        (
            ("Average debtors days", lambda m: m.debtor_days, _long),
            ("Average creditors days", lambda m: m.creditor_days, _long),
            ("Short term cash forecast", lambda m: m.forecast, _money),
            ("Current assets to liabilities", lambda m: m.current_ratio, _long),
            ("Term assets to liabilities", lambda m: m.term_ratio, _long),
        ),
    ),
)


def build(asked: Asked) -> Report:
    """Return the executive summary of the whole month that `date` (today) lies in."""
    on = asked.day("date", asked.books.today)
    figures = asked.accrual_figures()
    this = month_figures(asked, figures, on)
    before = month_figures(asked, figures, on.replace(day=1) - DAY)
    titles = ("Executive Summary", asked.title, f"For the month of {on:%B} {on.year}")
    earlier = on.replace(day=1) - DAY
    headings = ("", f"{on:%b} {on.year}", f"{earlier:%b} {earlier.year}", "Variance")
    return report_of(
        "ExecutiveSummary",
        "Executive Summary",
        titles=titles,
        now=asked.now,
        rows=[header(headings), *sections(this, before)],
    )


def sections(this: MonthFigures, before: MonthFigures) -> list[dict[str, object]]:
    """Return the six sections of a month beside the one before."""
    found = []
    for title, rows in _SECTIONS:
        lines = []
        for label, value_of, write in rows:
            values = (value_of(this), value_of(before))
            lines.append(plain_row((label, *map(write, values), _percent(_variance(*values)))))
        found.append(section(title, lines))
    return found


def month_figures(asked: Asked, figures: Figures, on: date) -> MonthFigures:
    """Return the figures of the whole month that `on` lies in."""
    first, last = on.replace(day=1), month_end(on)
    ledger = asked.books.ledger
    banks = bank_lines(figures, ledger, first=first, last=last)
    result = totals(figures.accounts, figures.movement(first, last))
    levels = figures.levels(last)
    position = totals(figures.accounts, levels)
    invoices = [
        in_base(document.sub_total, document.rate)
        for document in asked.books.documents.values()
        if document.type == "ACCREC" and document.counts and first <= document.on <= last
    ]
    term_assets = position[FIXED_ASSETS] + position[OTHER_ASSETS]
    assets = position[BANK] + position[CURRENT_ASSETS] + term_assets
    return MonthFigures(
        received=sum((line.received for line in banks), ZERO),
        spent=sum((line.spent for line in banks), ZERO),
        bank=position[BANK],
        income=result[INCOME],
        direct_costs=result[DIRECT_COSTS],
        other_income=result[OTHER_INCOME],
        expenses=result[EXPENSES],
        debtors=levels.get(ledger.system("DEBTORS"), ZERO),
        creditors=-levels.get(ledger.system("CREDITORS"), ZERO),
        net_assets=assets - position[CURRENT_LIABILITIES] - position[OTHER_LIABILITIES],
        invoices=len(invoices),
        invoiced=sum(invoices, ZERO),
        current_assets=position[CURRENT_ASSETS],
        current_liabilities=position[CURRENT_LIABILITIES],
        term_assets=term_assets,
        term_liabilities=position[OTHER_LIABILITIES],
        days=last.day,
    )


def _ratio(amount: Decimal, by: Decimal) -> Decimal | None:
    return divided(amount, by) if by else None


def _days(amount: Decimal, by: Decimal, days: int) -> Decimal:
    ratio = _ratio(amount, by)
    return Decimal(0) if ratio is None else multiplied(ratio, days)


def _variance(this: _Value, before: _Value) -> Decimal:
    """By how many per cent a value differs from the one before; 0 from nothing."""
    if this is None or not before:
        return ZERO
    return (Decimal(this) - Decimal(before)) / abs(Decimal(before)) * _HUNDRED
