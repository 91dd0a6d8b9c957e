"""The bank summary: what each bank account held, received and spent over a span.

Knows the layout, and that money which was booked and cancelled again neither came nor went. Must
not know documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from xero_sandbox.books.ledger import Account, Ledger
from xero_sandbox.books.money import ZERO
from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.calendar import DAY
from xero_sandbox.reports.figures import Figures
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
    spoken,
    summary_row,
)

_HEADER = header(
    ("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance")
)


@dataclass(frozen=True)
class BankLine:
    """One bank account over a span, in base currency; opening + received - spent = closing."""

    account: Account
    opening: Decimal
    received: Decimal
    spent: Decimal
    closing: Decimal


def build(asked: Asked) -> Report:
    """Return the bank summary from `fromDate` to `toDate` (the current month)."""
    first, last = asked.span()
    lines = bank_lines(asked.accrual_figures(), asked.books.ledger, first=first, last=last)
    titles = ("Bank Summary", asked.title, f"From {spoken(first)} to {spoken(last)}")
    rows = [_HEADER, section("", [*map(_row, lines), _total(lines)])]
    return report_of("BankSummary", "Bank Summary", titles=titles, now=asked.now, rows=rows)


def bank_lines(figures: Figures, ledger: Ledger, *, first: date, last: date) -> list[BankLine]:
    """Return the bank accounts by name that held or moved anything from `first` to `last`.

    A journal counts by what it does to the account as a whole, tax and transfers included; a
    journal and its reversal cancel each other. What revaluation moved a foreign account by is
    received, or spent when it is a loss.
    """
    moved = _moved(ledger, first, last)
    opening, closing = figures.levels(first - DAY), figures.levels(last)
    lines = []
    for account in figures.accounts.values():
        if account.type != "BANK":
            continue
        key = account.account_id
        received, spent = moved.get(key, (ZERO, ZERO))
        before, after = opening.get(key, ZERO), closing.get(key, ZERO)
        revalued = after - before - received + spent
        line = BankLine(
            account, before, received + max(revalued, ZERO), spent - min(revalued, ZERO), after
        )
        if any((line.opening, line.received, line.spent, line.closing)):
            lines.append(line)
    return sorted(lines, key=lambda line: line.account.name.casefold())


def _moved(ledger: Ledger, first: date, last: date) -> dict[str, tuple[Decimal, Decimal]]:
    """Account id to what came in and what went out, journal by journal."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for journal in ledger.all_standing():
        if not first <= journal.on <= last:
            continue
        by_account: dict[str, Decimal] = {}
        for posting in journal.postings:
            if ledger.accounts[posting.account_id].type == "BANK":
                amount = by_account.get(posting.account_id, ZERO)
                by_account[posting.account_id] = amount + posting.amount
        for key, amount in by_account.items():
            received, spent = found.get(key, (ZERO, ZERO))
            found[key] = (received + max(amount, ZERO), spent - min(amount, ZERO))
    return found


def _row(line: BankLine) -> Row:
    reference = attribute("account", line.account.account_id)
    return row(
        (
            cell(line.account.name, attribute("accountID", line.account.account_id)),
            cell(money(line.opening)),
            cell(money(line.received), reference),
            cell(money(line.spent), reference),
            cell(money(line.closing)),
        )
    )


def _total(lines: list[BankLine]) -> Row:
    columns = (
        [line.opening for line in lines],
        [line.received for line in lines],
        [line.spent for line in lines],
        [line.closing for line in lines],
    )
    return summary_row(("Total", *(money(sum(column, ZERO)) for column in columns)))
