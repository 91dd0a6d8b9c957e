"""How customers pay, when a shop is open, how often things happen.

Knows figures of behaviour and the shape of an event. Must not know documents, the ledger, or
what an event does (`business`).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEKEND_SHARE = 0.12
# Opening hours, of the organisation's own day.
_OPENS, _CLOSES = 8, 18
# How many days after the money moved somebody enters it: so the past keeps changing a little.
_ENTRY_DELAYS = (0, 0, 0, 0, 1, 1, 3)


@dataclass(frozen=True, slots=True)
class PayingHabit:
    """How a contact pays: days around the due date, and how often not at all or in parts."""

    days_late: float
    spread: float
    never: float
    in_parts: float
    terms_days: int


_CUSTOMERS = (
    PayingHabit(-4, 3, 0.0, 0.0, 30),
    PayingHabit(0, 1, 0.01, 0.02, 20),
    PayingHabit(2, 3, 0.02, 0.1, 14),
    PayingHabit(14, 8, 0.04, 0.2, 30),
    PayingHabit(38, 20, 0.12, 0.3, 14),
    PayingHabit(5, 6, 0.5, 0.1, 7),
)
_HOW_OFTEN = (3, 5, 4, 3, 1.5, 0.7)
OWN_HABIT = PayingHabit(-1, 1.5, 0.03, 0.05, 20)


def customer_habit(random: Random) -> PayingHabit:
    """Draw how a new customer pays."""
    return random.choices(_CUSTOMERS, _HOW_OFTEN)[0]


@dataclass(frozen=True, slots=True)
class Intent:
    """What an event brings about on a later day; `on` is when the money moves."""

    kind: str
    subject: str = ""
    on: date | None = None
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An intent that got its moment (aware UTC) and a seed of its own.

    `day` is the organisation's own date of it; `diary` names the feature whose diary it stood in,
    empty for what every business does.
    """

    at: datetime
    seed: int
    intent: Intent
    day: date
    diary: str = ""


def opening_of(day: date, zone: ZoneInfo) -> datetime:
    """Return when a shop opens on `day` (aware UTC)."""
    return datetime.combine(day, time(_OPENS), tzinfo=zone).astimezone(UTC)


def events_on(
    day: date, intents: Sequence[Intent], *, random: Random, opening: datetime, diary: str = ""
) -> list[Event]:
    """Give each intent a moment within the opening hours of `day`, which begin at `opening`."""
    # Clocks are changed at night, so that no hour of these is missing or doubled.
    events = []
    for intent in intents:
        minutes = random.randrange((_CLOSES - _OPENS) * 60)
        seconds, milliseconds = random.randrange(60), random.randrange(1000)
        at = opening + timedelta(minutes=minutes, seconds=seconds, milliseconds=milliseconds)
        events.append(Event(at, random.getrandbits(64), intent, day, diary))
    return events


def how_many(random: Random, mean: float) -> int:
    """Draw how often something happens on a day that has it `mean` times on average."""
    drawn = mean * random.uniform(0.5, 1.5)
    whole = int(drawn)
    return whole + (random.random() < drawn - whole)


def working_day(day: date) -> date:
    """Return the day itself, or the Monday after a weekend."""
    return day + (7 - day.weekday()) * DAY if day.weekday() >= 5 else day


def entry_day(on: date, random: Random) -> date:
    """Draw when money that moved on `on` is entered into the books."""
    return on + random.choice(_ENTRY_DELAYS) * DAY


def add_months(day: date, count: int) -> date:
    """Return the same day `count` months later, or the last one of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def is_month_end(day: date) -> bool:
    """Say whether it is the last day of a month."""
    return (day + DAY).day == 1
