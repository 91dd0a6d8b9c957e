"""What a request for a report asks for, read once and refused with Xero's validation error.

Knows how parameters are written and what they default to. Must not know layouts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from xero_sandbox.books.books import Books
from xero_sandbox.books.documents import Contact, TrackingCategory, TrackingOption
from xero_sandbox.books.ledger import Account, Ledger
from xero_sandbox.books.revaluation import revaluation
from xero_sandbox.errors import ValidationError
from xero_sandbox.reports.calendar import month_end
from xero_sandbox.reports.figures import Amounts, Figures, added

RateOn = Callable[[date, str], Decimal]
"""Units of a currency that one unit of base currency buys on a day."""

_TIMEFRAMES = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_MOST_COMPARED = 11

_T = TypeVar("_T")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})([T ].*)?", re.ASCII)
# Beyond these no organisation has books, and a comparison with earlier years has room.
_FIRST_DAY = date(1753, 1, 1)
_LAST_DAY = date(9000, 12, 31)


@dataclass(frozen=True)
class Asked:
    """One request: its parameters by name in lower case, and the organisation's side of it.

    See `build_report` for the fields. Every reading method raises ValidationError for what
    cannot be read.
    """

    params: Mapping[str, str]
    books: Books
    title: str
    year_end: tuple[int, int]
    rate_on: RateOn
    now: datetime

    # Parameters

    def text(self, name: str) -> str:
        """Return a parameter without surrounding blanks, empty when it was left out."""
        return self.params.get(name.lower(), "").strip()

    def day(self, name: str, default: date) -> date:
        """Return a date written YYYY-MM-DD; a time behind it says nothing."""
        text = self.text(name)
        if not text:
            return default
        match = _DATE.fullmatch(text)
        try:
            found = date.fromisoformat(match[1]) if match else None
        except ValueError:
            found = None
        if found is None or not _FIRST_DAY <= found <= _LAST_DAY:
            raise ValidationError(f"The {name} {text} is not a valid date; send YYYY-MM-DD.")
        return found

    def whole(self, name: str, *, lowest: int, highest: int) -> int | None:
        """Return a whole number within limits, None when it was left out."""
        text = self.text(name)
        if not text:
            return None
        is_number = re.fullmatch(r"[0-9]{1,9}", text) is not None
        if not is_number or not lowest <= int(text) <= highest:
            raise ValidationError(f"{name} must be an integer between {lowest} and {highest}.")
        return int(text)

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return one of the allowed words in their own case, the first when it was left out."""
        text = self.text(name).upper() or allowed[0]
        if text not in allowed:
            raise ValidationError(f"{name} must be one of {', '.join(allowed)}.")
        return text

    def switch(self, name: str) -> bool:
        """Return whether a switch is on; SDKs send `true` and `True`."""
        text = self.text(name).lower()
        if text not in ("", "true", "false"):
            raise ValidationError(f"{name} must be true or false.")
        return text == "true"

    def span(self, *, longest: timedelta = timedelta.max) -> tuple[date, date]:
        """Return fromDate and toDate; each defaults to its end of the current month.

        They must not lie further apart than `longest`.
        """
        today = self.books.today
        first = self.day("fromDate", today.replace(day=1))
        last = self.day("toDate", month_end(today))
        if first > last:
            raise ValidationError("The fromDate must not be later than the toDate.")
        if last - first > longest:
            raise ValidationError(
                f"The fromDate and the toDate must not be more than {longest.days} days apart."
            )
        return first, last

    def compared(self) -> tuple[int | None, int]:
        """Return how many earlier `periods` are asked for, None for none, and their months."""
        periods = self.whole("periods", lowest=1, highest=_MOST_COMPARED)
        return periods, _TIMEFRAMES[self.choice("timeframe", tuple(_TIMEFRAMES))]

    def category(self, name: str) -> TrackingCategory | None:
        """Return the tracking category that a parameter names by its id, None without one."""
        categories = self.books.tracking_categories.values()
        return self._named(name, {each.category_id: each for each in categories})

    def option(self, name: str) -> TrackingOption | None:
        """Return the tracking option that a parameter names by its id, None without one."""
        categories = self.books.tracking_categories.values()
        return self._named(name, {each.option_id: each for c in categories for each in c.options})

    def contact(self, name: str) -> Contact:
        """Return the contact that a parameter names by its id."""
        contact = self._named(name, self.books.contacts)
        if contact is None:
            raise ValidationError(f"The {name} must be provided.")
        return contact

    def _named(self, name: str, records: Mapping[str, _T]) -> _T | None:
        wanted = self.text(name).lower()
        if not wanted:
            return None
        found = records.get(wanted)
        if found is None:
            raise ValidationError(f"The {name} {wanted} could not be found.")
        return found

    # Figures

    @property
    def ledger(self) -> Ledger:
        """The ledger of the basis asked for: with `paymentsOnly` the cash basis."""
        return self.books.cash if self.switch("paymentsOnly") else self.books.ledger

    def accrual_figures(self) -> Figures:
        """Return the figures of the accrual basis, revaluation included."""
        return self._figures(self.books.ledger, self._revaluation)

    def figures(self) -> Figures:
        """Return the figures of the basis asked for, revaluation included.

        On the cash basis nothing is owed by anybody, so only money is revalued.
        """
        ledger = self.ledger
        if ledger is self.books.ledger:
            return self.accrual_figures()
        accounts = ledger.accounts
        return self._figures(
            ledger,
            lambda on: {
                key: amount
                for key, amount in self._revaluation(on).items()
                if _is_money(accounts[key])
            },
        )

    def figures_tracked_with(self, options: Sequence[TrackingOption]) -> Figures:
        """Return the figures of what carries all of `options`; with none of them, of everything.

        Revaluation is tracked with nothing.
        """
        ledger = self.ledger
        if not options:
            return self.figures()
        return Figures(
            ledger, self.year_end, lambda on: ledger.tracked_balances(on, options=options)
        )

    def _figures(self, ledger: Ledger, revalued: Callable[[date], Amounts]) -> Figures:
        return Figures(ledger, self.year_end, lambda on: added((ledger.balances(on), revalued(on))))

    def _revaluation(self, on: date) -> Amounts:
        """What reports add to the ledger at a date; the last known rate stands for later ones."""
        today = self.books.today
        return revaluation(
            self.books, on, lambda day, currency: self.rate_on(min(day, today), currency)
        )


def _is_money(account: Account) -> bool:
    return account.type == "BANK" or account.system == "BANKCURRENCYGAIN"
