"""Balances as reports show them: at any date, over any span, and within the financial year.

Knows what a year end does to income, costs and retained earnings (there is no closing journal).
Must not know layouts, parameters or where revaluation comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from xero_sandbox.books.ledger import Account, Ledger
from xero_sandbox.books.money import ZERO
from xero_sandbox.reports.calendar import DAY, year_start

Amounts = dict[str, Decimal]
"""Account id to an amount in base currency, debit positive."""


class Figures:
    """Amounts of one basis, accrual or cash; `level_on` gives what stood on accounts at a date.

    Whatever `level_on` gives sums to zero over the accounts, and so does everything here.
    """

    def __init__(
        self, ledger: Ledger, year_end: tuple[int, int], level_on: Callable[[date], Amounts]
    ) -> None:
        self._ledger = ledger
        self._year_end = year_end
        self._level_on = level_on
        self._known: dict[date, Amounts] = {}

    @property
    def accounts(self) -> Mapping[str, Account]:
        """The chart, archived accounts included."""
        return self._ledger.accounts

    def levels(self, on: date) -> Amounts:
        """Return what stands on each account at the end of `on`, since ever."""
        if on not in self._known:
            self._known[on] = self._level_on(on)
        return self._known[on]

    def movement(self, first: date, last: date) -> Amounts:
        """Return what each account moved by from `first` to `last`, both included."""
        return difference(self.levels(last), self.levels(first - DAY))

    def to_date(self, on: date) -> Amounts:
        """Return what stands on each account at `on`, as Xero closes its years.

        Balance-sheet accounts since ever; income and costs since the start of the financial
        year; what they were before stands on RETAINEDEARNINGS with what is posted there.
        """
        closed = self.levels(year_start(on, self._year_end) - DAY)
        earlier = {key: closed[key] for key in closed if self.accounts[key].is_temporary}
        found = difference(self.levels(on), earlier)
        retained = self._ledger.system("RETAINEDEARNINGS")
        found[retained] = found.get(retained, ZERO) + sum(earlier.values(), ZERO)
        return found

    def profit(self, amounts: Mapping[str, Decimal]) -> Decimal:
        """Return income less costs within `amounts`, a profit positive."""
        return -sum(
            (amount for key, amount in amounts.items() if self.accounts[key].is_temporary), ZERO
        )

    def year_start(self, on: date) -> date:
        """Return the first day of the financial year that `on` lies in."""
        return year_start(on, self._year_end)


def difference(after: Mapping[str, Decimal], before: Mapping[str, Decimal]) -> Amounts:
    """Return `after` less `before`, over the accounts of both."""
    return {
        key: after.get(key, ZERO) - before.get(key, ZERO) for key in after.keys() | before.keys()
    }


def added(parts: Iterable[Mapping[str, Decimal]]) -> Amounts:
    """Return the sum of amounts, account by account."""
    found: Amounts = {}
    for part in parts:
        for key, amount in part.items():
            found[key] = found.get(key, ZERO) + amount
    return found
