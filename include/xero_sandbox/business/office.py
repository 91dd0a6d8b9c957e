"""What everybody in a business works with, and the diaries of what is still to be done.

Knows days, moments and random streams. Must not know what an event does. Each activity has a
diary and a random stream of its own, so that one more of them changes nothing of the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from random import Random
from typing import ClassVar
from zoneinfo import ZoneInfo

from xero_sandbox.books.books import Books
from xero_sandbox.books.documents import Document
from xero_sandbox.books.ledger import Account
from xero_sandbox.business.drafting import Desk
from xero_sandbox.business.habits import DAY, Event, Intent, entry_day, working_day
from xero_sandbox.business.people import People
from xero_sandbox.business.traits import Traits

# How many of the latest documents somebody has in mind.
_RECENT = 60

Agenda = dict[date, list[Intent]]
Deed = Callable[[Event, Random], None]


@dataclass(frozen=True, slots=True)
class Office:
    """The books, the people and the diaries of one business.

    `agendas` holds, by the name of an activity, what it will do on later days.
    """

    books: Books
    traits: Traits
    people: People
    desk: Desk
    zone: ZoneInfo
    first_day: date
    agendas: defaultdict[str, Agenda]

    @property
    def bank(self) -> Account:
        """The account that money goes through when nothing else is said."""
        return self.books.account("090")

    def put(self, event: Event, day: date, intent: Intent) -> None:
        """Put something in the diary that the event came from."""
        self.agendas[event.diary].setdefault(day, []).append(intent)

    def later(self, event: Event, days: int, *, kind: str, subject: str) -> None:
        """Put something on the agenda of a working day, tomorrow at the earliest."""
        day = working_day(event.day + max(days, 1) * DAY)
        self.put(event, day, Intent(kind, subject))

    def money_later(
        self,
        event: Event,
        on: date,
        *,
        subject: str,
        random: Random,
        share: Decimal | None = None,
    ) -> None:
        """Let money move on a working day from `on`; it is entered then, or some days after."""
        on = working_day(max(on, event.day + DAY))
        self.put(event, entry_day(on, random), Intent("pay", subject, on, share))

    def recent(self, random: Random, *types: str) -> Document | None:
        """Return one of the latest documents of these types, or None."""
        latest = islice(reversed(self.books.documents.values()), _RECENT)
        chosen = [document for document in latest if document.type in types]
        return random.choice(chosen) if chosen else None

    def open_invoices(self, *, is_sale: bool) -> list[Document]:
        """Return the invoices or bills that have something due, in the order of their contacts."""
        side = self.people.customers if is_sale else self.people.suppliers
        kind = "ACCREC" if is_sale else "ACCPAY"
        return [
            document
            for contact in side
            for document in contact.open_documents.values()
            if document.type == kind
        ]


class Activity:
    """Something that a business does; `feature` is the trait that lets it."""

    feature: ClassVar[str]

    def __init__(self, office: Office) -> None:
        self.office = office

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about; the kinds are this activity's own."""
        raise NotImplementedError

    def usual(self, day: date, dice: Random) -> list[str]:
        """Return the kinds of what a day brings by itself.

        Draws from `dice` the same number of times whatever has happened, so that what becomes
        of a document does not change what later days bring.
        """
        raise NotImplementedError
