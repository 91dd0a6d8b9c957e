"""What every business does: it opens, meets people, sells, buys and looks after its money.

Knows how often things happen on a day. Must not know what an event does to the books, except for
contacts, who come, change and go here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random

from xero_sandbox.books.ids import random_of
from xero_sandbox.business.habits import WEEKEND_SHARE, Event, how_many
from xero_sandbox.business.office import Deed, Office
from xero_sandbox.business.treasury import CAPITAL, Treasury


class Routine:
    """The daily round of one business."""

    def __init__(self, office: Office, treasury: Treasury) -> None:
        self._office = office
        self._people = office.people
        self._treasury = treasury

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "open": self._open,
            "meet_customer": self._meet_customer,
            "edit_contact": self._edit_contact,
            "archive_contact": self._archive_contact,
        }

    def usual(self, day: date, random: Random) -> list[str]:
        """Return the kinds of what a day brings by itself."""
        if day == self._office.first_day:
            return ["open"]
        traits = self._office.traits
        busy = WEEKEND_SHARE if day.weekday() >= 5 else 1.0
        kinds = ["sell"] * how_many(random, traits.invoices_per_day * busy)
        kinds += ["buy"] * how_many(random, traits.bills_per_day * busy)
        money = how_many(random, traits.bank_transactions_per_day * busy)
        kinds += random.choices(("receive", "spend"), (1, 3), k=money)
        for kind, share in (("meet_customer", 0.03), ("edit_contact", 0.06)):
            kinds += [kind] * (random.random() < share * busy)
        kinds += ["archive_contact"] * (random.random() < 0.008 * busy)
        kinds += ["pay_bank_fee"] * (day.day == 1 and traits.bank_transactions_per_day > 0)
        return kinds

    def _open(self, event: Event, random: Random) -> None:
        self._people.gather(at=event.at, random=random)
        if self._office.traits.bank_transactions_per_day > 0 and self._people.suppliers:
            owner = self._people.suppliers[0]
            self._treasury.bank(event, random, kind="RECEIVE", product=CAPITAL, contact=owner)
        for item in self._office.desk.items(event.at, random=random_of(event.seed, "items")):
            self._office.books.add_item(item, at=event.at)

    def _meet_customer(self, event: Event, random: Random) -> None:
        self._people.meet_customer(at=event.at, random=random)

    def _edit_contact(self, event: Event, random: Random) -> None:
        self._people.edit_someone(at=event.at, random=random)

    def _archive_contact(self, event: Event, random: Random) -> None:
        self._people.archive_someone(at=event.at, random=random)
