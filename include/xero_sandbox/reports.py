"""The reports: figures of the ledger in Xero's layout.

Knows Xero's rows, sections and texts, and the figures each column holds. Must not know HTTP, how
the ledger came about or how a business behaves. For now: the trial balance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from xero_sandbox.books import Books
from xero_sandbox.errors import QueryParseError
from xero_sandbox.ledger import Account
from xero_sandbox.money import ZERO
from xero_sandbox.revaluation import revaluation
from xero_sandbox.wire import ms_date

_SECTIONS = (
    ("REVENUE", "Revenue"),
    ("EXPENSE", "Expenses"),
    ("ASSET", "Assets"),
    ("LIABILITY", "Liabilities"),
    ("EQUITY", "Equity"),
)
_DEBIT_CLASSES = ("ASSET", "EXPENSE")
_HEADINGS = ("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")
_DAY = timedelta(days=1)

RateOn = Callable[[date, str], Decimal]


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

    `params` are those of the request; `year_end` is (day, month); `rate_on` gives the rate of a
    day and a currency. Raises QueryParseError for a parameter that cannot be read.
    """
    if name != "TrialBalance":
        return None
    if params.get("paymentsOnly", "false").lower() == "true":
        raise QueryParseError("This sandbox has no cash-basis trial balance yet (paymentsOnly).")
    on = day_of(params.get("date"), books.today)
    figures = trial_balance_figures(books, on, year_end=year_end, rate_on=rate_on)
    rows = _trial_balance(books, figures, closed_on=year_start(on, year_end) - _DAY)
    return report_of("TrialBalance", "Trial Balance", title=title, on=on, now=now, rows=rows)


def day_of(text: str | None, default: date) -> date:
    """Return the date of a request parameter; QueryParseError unless it is YYYY-MM-DD."""
    if not text:
        return default
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise QueryParseError(f"The date {text} cannot be read; send YYYY-MM-DD.") from None


def year_start(on: date, year_end: tuple[int, int]) -> date:
    """Return the first day of the financial year that `on` lies in.

    A year end on 29 February (or any day a month does not have) is that month's last day.
    """
    this_year = _year_end_in(on.year, year_end)
    last = this_year if on > this_year else _year_end_in(on.year - 1, year_end)
    return last + _DAY


def _year_end_in(year: int, year_end: tuple[int, int]) -> date:
    day, month = year_end
    following = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + (day - 1) * _DAY, following - _DAY)


def trial_balance_figures(
    books: Books, on: date, *, year_end: tuple[int, int], rate_on: RateOn
) -> dict[str, tuple[Decimal, Decimal]]:
    """Return account id to (movement since the first of the month, year to date), debit positive.

    Balance-sheet accounts count since ever; income and expense since the start of the financial
    year, what they were before is in retained earnings. Foreign open documents are revalued at
    the rate of the report's date. Both columns sum to zero.
    """
    start = year_start(on, year_end)
    before_month = on.replace(day=1) - _DAY
    ever = _levels(books, on, rate_on)
    movement = _difference(ever, _levels(books, before_month, rate_on))
    closed = _levels(books, start - _DAY, rate_on)
    accounts = books.ledger.accounts
    temporary = {key for key, account in accounts.items() if account.is_temporary}
    to_date = _difference(ever, {key: closed[key] for key in closed if key in temporary})
    retained = books.ledger.system("RETAINEDEARNINGS")
    to_date[retained] = to_date.get(retained, ZERO) + sum(
        (closed[key] for key in closed if key in temporary), ZERO
    )
    return {key: (movement.get(key, ZERO), to_date[key]) for key in to_date}


def empty_trial_balance(params: Mapping[str, str], title: str, now: datetime) -> dict[str, Any]:
    """Return a trial balance without accounts, for an organisation whose books are not known."""
    rows = [_header(), _total_section(["0.00"] * 4)]
    on = day_of(params.get("date"), now.date())
    return report_of("TrialBalance", "Trial Balance", title=title, on=on, now=now, rows=rows)


def _header() -> dict[str, Any]:
    return {"RowType": "Header", "Cells": [{"Value": heading} for heading in _HEADINGS]}


def _total_section(values: list[str]) -> dict[str, Any]:
    cells = [{"Value": value} for value in ("Total", *values)]
    return {
        "RowType": "Section",
        "Title": "",
        "Rows": [{"RowType": "SummaryRow", "Cells": cells}],
    }


def _levels(books: Books, on: date, rate_on: RateOn) -> dict[str, Decimal]:
    levels = books.ledger.balances(on)
    for account_id, amount in revaluation(books, on, rate_on).items():
        levels[account_id] = levels.get(account_id, ZERO) + amount
    return levels


def _difference(after: dict[str, Decimal], before: dict[str, Decimal]) -> dict[str, Decimal]:
    return {
        key: after.get(key, ZERO) - before.get(key, ZERO) for key in after.keys() | before.keys()
    }


def _trial_balance(
    books: Books, figures: dict[str, tuple[Decimal, Decimal]], *, closed_on: date
) -> list[dict[str, Any]]:
    rows = [_header()]
    for class_name, heading in _SECTIONS:
        accounts = [
            account
            for account in books.ledger.accounts.values()
            if account.account_class == class_name and any(figures.get(account.account_id, ()))
        ]
        accounts.sort(key=lambda account: account.name.casefold())
        section = [
            _row(account, figures[account.account_id], closed_on=closed_on) for account in accounts
        ]
        if section:
            rows.append({"RowType": "Section", "Title": heading, "Rows": section})
    rows.append(_total_section(_totals(figures)))
    return rows


def report_of(
    report_id: str,
    name: str,
    *,
    title: str,
    on: date,
    now: datetime,
    rows: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return rows in the frame that every report of Xero has."""
    spoken = f"{on.day} {on:%B} {on.year}"
    return {
        "ReportID": report_id,
        "ReportName": name,
        "ReportType": report_id,
        "ReportTitles": [name, title, f"As at {spoken}"],
        "ReportDate": spoken,
        "UpdatedDateUTC": ms_date(now),
        "Fields": [],
        "Rows": rows,
    }


def _row(account: Account, figures: tuple[Decimal, Decimal], *, closed_on: date) -> dict[str, Any]:
    movement, to_date = figures
    is_debit = account.account_class in _DEBIT_CLASSES
    values = [*_sides(movement, is_debit), *_sides(to_date, is_debit)]
    attribute = {"Value": account.account_id, "Id": "account"}
    attributes = [attribute]
    if account.system == "RETAINEDEARNINGS":
        # Xero writes this one date the American way, whatever the country.
        until = f"{closed_on.month}/{closed_on.day}/{closed_on.year}"
        attributes = [attribute, {"Value": "", "Id": "fromDate"}, {"Value": until, "Id": "toDate"}]
    label = f"{account.name} ({account.code})" if account.code else account.name
    cells = [{"Value": label, "Attributes": [attribute]}]
    cells += [{"Value": value, "Attributes": attributes} for value in values]
    return {"RowType": "Row", "Cells": cells}


def _sides(amount: Decimal, is_debit: bool) -> tuple[str, str]:
    """Spell an amount on its side; a zero stands on the account's natural side."""
    debit = amount > 0 or (amount == 0 and is_debit)
    text = f"{abs(amount):.2f}"
    return (text, "") if debit else ("", text)


def _totals(figures: dict[str, tuple[Decimal, Decimal]]) -> list[str]:
    columns = []
    for index in (0, 1):
        amounts = [pair[index] for pair in figures.values()]
        columns.append(f"{sum((a for a in amounts if a > 0), ZERO):.2f}")
        columns.append(f"{-sum((a for a in amounts if a < 0), ZERO):.2f}")
    return columns
