"""The trial balance: what stands on every account, on its debit or its credit side.

Knows the layout, and that the first pair of columns is the month so far. Must not know how
figures come about (`figures.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ZERO
from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.calendar import DAY
from xero_sandbox.reports.figures import Amounts
from xero_sandbox.reports.headings import is_debit
from xero_sandbox.reports.layout import (
    Report,
    Row,
    american,
    attribute,
    cell,
    header,
    report_of,
    row,
    section,
    spoken,
    summary_row,
)

_SECTIONS = (
    ("REVENUE", "Revenue"),
    ("EXPENSE", "Expenses"),
    ("ASSET", "Assets"),
    ("LIABILITY", "Liabilities"),
    ("EQUITY", "Equity"),
)
_HEADER = header(("Account", "Debit", "Credit", "YTD Debit", "YTD Credit"))


def build(asked: Asked) -> Report:
    """Return the trial balance at `date` (today); `paymentsOnly` for the cash basis."""
    on = asked.day("date", asked.books.today)
    figures = asked.figures()
    movement, to_date = figures.movement(on.replace(day=1), on), figures.to_date(on)
    closed_on = figures.year_start(on) - DAY
    rows = [_HEADER]
    for class_name, title in _SECTIONS:
        accounts = [a for a in figures.accounts.values() if a.account_class == class_name]
        lines = _lines(accounts, movement, to_date, closed_on=closed_on)
        if lines:
            rows.append(section(title, lines))
    rows.append(_total((movement, to_date)))
    titles = ("Trial Balance", asked.title, f"As at {spoken(on)}")
    return report_of("TrialBalance", "Trial Balance", titles=titles, now=asked.now, rows=rows)


def _lines(
    accounts: Iterable[Account], movement: Amounts, to_date: Amounts, *, closed_on: date
) -> list[Row]:
    lines = []
    for account in sorted(accounts, key=lambda account: account.name.casefold()):
        key = account.account_id
        pair = (movement.get(key, ZERO), to_date.get(key, ZERO))
        if any(pair):
            lines.append(_line(account, pair, closed_on=closed_on))
    return lines


def _line(account: Account, pair: tuple[Decimal, Decimal], *, closed_on: date) -> Row:
    reference = attribute("account", account.account_id)
    references = [reference]
    if account.system == "RETAINEDEARNINGS":
        references += [attribute("fromDate", ""), attribute("toDate", american(closed_on))]
    label = f"{account.name} ({account.code})" if account.code else account.name
    values = [value for amount in pair for value in _sides(amount, account)]
    return row([cell(label, reference), *(cell(value, *references) for value in values)])


def _sides(amount: Decimal, account: Account) -> tuple[str, str]:
    """Write an amount on its side; a zero stands on the account's natural side."""
    on_debit = amount > 0 or (amount == 0 and is_debit(account))
    text = f"{abs(amount):.2f}"
    return (text, "") if on_debit else ("", text)


def _total(columns: Iterable[Amounts]) -> Row:
    values = []
    for amounts in columns:
        values.append(f"{sum((a for a in amounts.values() if a > 0), ZERO):.2f}")
        values.append(f"{-sum((a for a in amounts.values() if a < 0), ZERO):.2f}")
    return section("", [summary_row(("Total", *values))])
