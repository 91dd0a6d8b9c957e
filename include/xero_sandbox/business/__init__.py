"""How a business behaves: whom it sells to and buys from, who pays when, and what goes wrong.

Knows what happens and why. A day is planned at its beginning and happens event by event, each
with a random stream of its own, so that the same seed gives the same business whatever the steps
in which time moves. What every business does draws from one stream, each feature beyond that
from its own. Must not know the ledger's rules (`books.py` has them and may refuse), clocks, JSON
or HTTP.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from random import Random
from zoneinfo import ZoneInfo

from xero_sandbox.books.books import Books, BooksError
from xero_sandbox.books.ids import random_of
from xero_sandbox.business.activities import activities_of
from xero_sandbox.business.drafting import Desk
from xero_sandbox.business.habits import Event, Intent, events_on, opening_of
from xero_sandbox.business.names import TRADES
from xero_sandbox.business.office import Deed, Office
from xero_sandbox.business.people import People
from xero_sandbox.business.routine import Routine
from xero_sandbox.business.trading import Trading
from xero_sandbox.business.traits import Traits
from xero_sandbox.business.treasury import Treasury


class Business:
    """The people behind one set of books: they plan each day and let it happen."""

    def __init__(
        self, books: Books, traits: Traits, *, seed: str, zone: ZoneInfo, first_day: date
    ) -> None:
        self._seed = seed
        trade = traits.trade or random_of(seed, "trade").choice(sorted(TRADES))
        office = self._office = Office(
            books,
            traits,
            People(books, traits),
            Desk(books, TRADES[trade], seed=seed, first_day=first_day, traits=traits),
            zone,
            first_day,
            defaultdict(dict),
        )
        trading, treasury = Trading(office), Treasury(office)
        self._routine = Routine(office, treasury)
        activities = activities_of(office, trading, treasury)
        # What each activity draws from and has in its diary.
        self._plans = [
            (each, random_of(seed, each.feature), office.agendas[each.feature])
            for each in activities
        ]
        self._deeds: dict[str, Deed] = {
            **self._routine.deeds,
            **trading.deeds,
            **treasury.deeds,
        }
        for activity in activities:
            self._deeds.update(activity.deeds)

    def plan(self, day: date) -> list[Event]:
        """Return what will happen on `day`, in order; depends on nothing later than its start.

        The days are planned one after the other, each once.
        """
        random = random_of(self._seed, day.isoformat())
        intents = [Intent(kind) for kind in self._routine.usual(day, random)]
        opening = opening_of(day, self._office.zone)
        intents += self._office.agendas[""].pop(day, [])
        events = events_on(day, intents, random=random, opening=opening)
        for activity, dice, agenda in self._plans:
            kinds = activity.usual(day, dice)
            if kinds or day in agenda:
                name = activity.feature
                random = random_of(self._seed, name, day.toordinal())
                intents = [*map(Intent, kinds), *agenda.pop(day, [])]
                events += events_on(day, intents, random=random, opening=opening, diary=name)
        return sorted(events, key=lambda event: event.at)

    def happen(self, event: Event) -> None:
        """Let one event happen; what Xero would refuse by now does not."""
        try:
            self._deeds[event.intent.kind](event, Random(event.seed))
        except BooksError:
            # Somebody changed the document through the control door since this was planned.
            return
