"""Organisations built from a seed, day by day, up to the moment they are looked at.

Knows time: which days have been planned, which events have happened, which actions came through
the control door. Must not know how a business behaves (`business`), what a change posts
(`books.py`) or HTTP.

The state at a moment depends on the seed and that moment alone, not on the steps taken to reach
it. Moving forward applies what happened since; moving back builds again from the seed.
"""

from __future__ import annotations

import gc
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from threading import RLock
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from xero_sandbox.books.actions import perform
from xero_sandbox.books.books import Books, BooksError
from xero_sandbox.books.countries import TIMEZONES
from xero_sandbox.books.ids import random_of
from xero_sandbox.books.money import ZERO
from xero_sandbox.books.rates import rate_on
from xero_sandbox.business import Business
from xero_sandbox.business.founding import open_books
from xero_sandbox.business.habits import Event
from xero_sandbox.business.traits import TraitError, Traits, traits_of
from xero_sandbox.organisation import Record, tenant_id_of
from xero_sandbox.reports import build_report
from xero_sandbox.wire.records import LONG_AGO, Shelf

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class CompanySpec:
    """What `build_company` needs to know of a ready-made organisation."""

    name: str
    days: int
    traits: Mapping[str, Any]


DEMO: tuple[CompanySpec, ...] = (
    CompanySpec(
        "Kauri Coffee Roasters",
        400,
        MappingProxyType(
            {
                "country": "NZ",
                "trade": "coffee",
                "invoices_per_day": 3.0,
                "features": ("budgets", "manual_journals", "tracking", "transfers"),
            }
        ),
    ),
    CompanySpec(
        "Beacon & Sons <Joinery>",
        400,
        MappingProxyType(
            {
                "country": "GB",
                "trade": "joinery",
                "bills_per_day": 2.0,
                "features": ("overpayments", "prepayments", "purchase_orders", "quotes"),
            }
        ),
    ),
    CompanySpec(
        "Måne Studio 🌙",
        400,
        MappingProxyType(
            {
                "country": "US",
                "trade": "studio",
                "currencies": ("EUR", "GBP", "JPY", "AUD"),
                "features": ("foreign_banks", "repeating"),
            }
        ),
    ),
)
"""What the demo shows: budgets and tracking, orders and money ahead, currencies."""


@dataclass(frozen=True, order=True)
class _Action:
    """Something done through the control door."""

    at: datetime
    number: int
    name: str = field(compare=False)
    fields: Mapping[str, object] = field(compare=False)


@contextmanager
def _nothing_to_collect(*, is_new: bool) -> Iterator[None]:
    """Let the garbage collector wait: books only grow, and searching them costs a third more.

    New ones will stay: they are put among what is old without being searched at all.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_new:
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()


class Company:
    """One organisation of the sandbox; implements `organisation.Organisation` and `Editable`."""

    def __init__(self, name: str, *, seed: int, days: int, now: datetime, traits: Traits) -> None:
        self.tenant_id = tenant_id_of(name, seed)
        self.name = name
        self.traits = traits
        self.zone = ZoneInfo(TIMEZONES[traits.timezone])
        self._seed = f"{seed}|{self.tenant_id}"
        self._created_at = now
        self._trades = days > 0
        self.first_day: date = now.astimezone(self.zone).date() - timedelta(days=days)
        self._actions: list[_Action] = []
        self._lock = RLock()
        self._changed_at: datetime = LONG_AGO
        self._start_over()

    # Time

    def advance(self, now: datetime) -> None:
        """Be what the organisation was at `now` (aware UTC); moving forward costs little."""
        with self._lock:
            is_new = self._books is None or now < self._changed_at
            with _nothing_to_collect(is_new=is_new):
                if is_new:
                    self._start_over()
                    self._begin()
                while (at := self._next_at()) <= now:
                    self._step(at)
            self.books.begin_day(now.astimezone(self.zone).date())
            self._now = now

    @property
    def books(self) -> Books:
        """The books as at the last `advance`; before the first one, as at creation."""
        if self._books is None:
            self.advance(self._created_at)
        if self._books is None:
            raise RuntimeError("advancing left no books")
        return self._books

    def _start_over(self) -> None:
        self._books: Books | None = None
        self._business: Business | None = None
        self._next_day: date = self.first_day
        self._next_midnight = self._midnight(self._next_day)
        self._pending: list[tuple[datetime, int, Event]] = []
        self._event_count = 0
        self._action_count = 0
        self._now = self._created_at
        self._changed_at = LONG_AGO

    def _begin(self) -> None:
        opened_at = self._midnight(self.first_day) - timedelta(hours=15)
        self._books = open_books(
            self.name,
            tenant_id=self.tenant_id,
            traits=self.traits,
            seed=self._seed,
            opened_at=opened_at,
            today=self.first_day,
        )
        self._business = Business(
            self._books, self.traits, seed=self._seed, zone=self.zone, first_day=self.first_day
        )

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    def _next_at(self) -> datetime:
        """When the next thing happens: a day begins, an event, or an action of the door."""
        at = self._next_midnight if self._trades else _NEVER
        if self._pending:
            at = min(at, self._pending[0][0])
        if self._action_count < len(self._actions):
            at = min(at, self._actions[self._action_count].at)
        return at

    def _step(self, at: datetime) -> None:
        """Let what is due `at` happen: the day first, then events, then actions."""
        business = self._business
        if business is None:
            raise RuntimeError("nothing happens before the books are opened")
        if self._trades and self._next_midnight == at:
            day = self._next_day
            self._next_day += timedelta(days=1)
            self._next_midnight = self._midnight(self._next_day)
            self.books.begin_day(day)
            for event in business.plan(day):
                self._event_count += 1
                heappush(self._pending, (event.at, self._event_count, event))
            return
        self._changed_at = at
        if self._pending and self._pending[0][0] == at:
            business.happen(heappop(self._pending)[2])
            return
        action = self._actions[self._action_count]
        self._action_count += 1
        # Where nothing is traded, no midnight says what day it is.
        self.books.begin_day(at.astimezone(self.zone).date())
        try:
            self._perform(action)
        except BooksError:
            # The clock went back and an earlier action changed what this one was about.
            return

    def _rate_on(self, day: date, currency: str) -> Decimal:
        return rate_on(day, base=self.books.base_currency, currency=currency, seed=self._seed)

    # What is asked

    def entries(self, resource: str) -> Shelf:
        """Return the shelf of a resource, such as `Invoices`; KeyError for an unknown one."""
        return self.books.shelves[resource]

    def records(self, resource: str) -> Sequence[Record]:
        """Return every record of a resource in wire form, by UpdatedDateUTC, then id."""
        with self._lock:
            return [entry.body() for entry in self.entries(resource).ordered()]

    def report(self, name: str, params: Mapping[str, str]) -> Record | None:
        """Return a report (`TrialBalance`); None for one that is not offered."""
        with self._lock:
            return build_report(
                name,
                params,
                books=self.books,
                title=self.name,
                year_end=self.traits.year_end or self.traits.land.year_end,
                rate_on=self._rate_on,
                now=self._now,
            )

    def figures(self) -> dict[str, object]:
        """Describe the books in a few numbers."""
        with self._lock:
            books = self.books
            balances = books.ledger.balances(date.max)
            counts = {name: len(shelf) for name, shelf in books.shelves.items()}
            return {
                **counts,
                "Journals": len(books.ledger.journals),
                "BaseCurrency": books.base_currency,
                "Timezone": self.traits.timezone,
                "Features": list(self.traits.features),
                "FirstDay": self.first_day.isoformat(),
                "Today": books.today.isoformat(),
                "Receivable": balances.get(books.ledger.system("DEBTORS"), ZERO),
                "Payable": -balances.get(books.ledger.system("CREDITORS"), ZERO),
            }

    def act(self, action: str, fields: Mapping[str, object], *, now: datetime) -> Record:
        """Do `action` at `now`; returns the changed record. See `actions.py` for the actions.

        Raises ValueError, with a sentence for a person, when it cannot be done.
        """
        with self._lock:
            self.advance(now)
            done = _Action(now, len(self._actions), action, dict(fields))
            record = self._perform(done)
            # Nothing happens later than now and earlier than the end of this list.
            insort(self._actions, done)
            self._action_count = self._actions.index(done) + 1
            self._changed_at = now
            return record

    def _perform(self, action: _Action) -> Record:
        ids = random_of(self._seed, "action", action.number)
        return perform(action.name, action.fields, books=self.books, at=action.at, ids=ids)


def build_company(
    name: str, *, seed: int, days: int, now: datetime, traits: Mapping[str, Any] | None = None
) -> Company:
    """Return an organisation that has done business for `days` days before `now` (aware UTC).

    `days=0` gives one without any document that never trades. `traits` are those of
    `traits.Traits`; TraitError for others. Its books are built when they are first looked at,
    or advanced.
    """
    if days < 0:
        raise TraitError(f"days must be a whole number of at least 0, got {days!r}")
    return Company(name, seed=seed, days=days, now=now, traits=traits_of(traits or {}))
