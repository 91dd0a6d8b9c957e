"""What an endpoint of Xero's accounting API is: how it is read, in which pieces, how often.

Knows the kinds and their words; the endpoints themselves are rows of `endpoints.py`. Must not
know HTTP or Postgres.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from types import MappingProxyType

Params = Mapping[str, str]
_NONE: Params = MappingProxyType({})


class Reading(Enum):
    """How the endpoint is read.

    FULL: every record, each time, so that one which is missing was deleted.
    CHANGES: records changed since the watermark; deletions arrive as a status.
    DETAILS: a list of ids, then every record by its id; one that is not listed was deleted.
    NUMBERS: journals after the last number read; they never change.
    REPORT: one answer as at a day; the record is the whole report.
    """

    FULL = "full"
    CHANGES = "changes"
    DETAILS = "details"
    NUMBERS = "numbers"
    REPORT = "report"


class Paging(Enum):
    """In which pieces a list comes: pages of a size we choose, of a hundred, or all at once."""

    SIZED = "sized"
    HUNDREDS = "hundreds"
    NONE = "none"


class Cadence(Enum):
    """How often the endpoint is read; a weekly one also when a document names an unknown id."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Report:
    """What is asked of a report as at a day: `params(day)`, and with `paymentsOnly` for cash.

    One that `is_of_month` says the same whichever day of a month is asked for.
    """

    params: Callable[[date], Params]
    bases: tuple[str, ...] = ("accrual",)
    is_of_month: bool = False


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the accounting API.

    `name` is the raw table, the dbt source and the word in every log line; `path` follows
    `/api.xro/2.0/`; `array_key` holds the records in the answer; `id_field` is their key;
    `scopes` are alternatives, any one of which suffices (granular first, then broad, each
    read-only); `params` are sent with every request. `never_empties` marks a list that always
    has a record once it had one, so that an empty answer is a fault and no deletion.
    Edits that Xero does not stamp are found by reading everything again, spread over
    `reread_nights`; 0 where it is not. The ledger is made of what `is_posted`. What is not
    `is_required` may stay unread where the user granted or has no right to it. What is not
    `is_default` is read only where the connection asks for it.
    """

    name: str
    path: str
    array_key: str
    id_field: str
    reading: Reading
    scopes: tuple[str, ...]
    params: Params = field(default_factory=lambda: _NONE)
    paging: Paging = Paging.NONE
    cadence: Cadence = Cadence.DAILY
    report: Report | None = None
    never_empties: bool = False
    reread_nights: int = 0
    is_posted: bool = False
    is_required: bool = True
    is_default: bool = True
