"""Reports of an organisation whose books are not known: valid, and without any amount.

Knows that a report of books in which nothing ever happened is what to answer. Must not know
payloads' files, layouts or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from random import Random

from xero_sandbox.books.books import Books
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import Contact
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.money import ONE
from xero_sandbox.business.chart import chart_of_accounts
from xero_sandbox.organisation import Record
from xero_sandbox.reports import build_report
from xero_sandbox.wire.records import LONG_AGO


def blank_report(
    name: str,
    params: Mapping[str, str],
    *,
    organisation: Record,
    contacts: Mapping[str, str],
    now: datetime,
) -> Record | None:
    """Return the report of a name without an account row, or None for an unknown one.

    `organisation` is its record, `contacts` are names by id. Raises ValidationError for
    parameters that cannot be read.
    """
    land = COUNTRIES.get(str(organisation.get("CountryCode")), COUNTRIES["NZ"])
    ids = Random(0)
    chart = chart_of_accounts(land, new_id=lambda: new_guid(ids), created_at=LONG_AGO)
    accounts = [account for account in chart if account.system]
    books = Books(land, currencies=(land.currency,), accounts=accounts, today=now.date())
    books.contacts = {key: Contact(key, known, now, now) for key, known in contacts.items()}
    return build_report(
        name,
        params,
        books=books,
        title=str(organisation.get("Name", "")),
        year_end=_year_end(organisation, land.year_end),
        rate_on=lambda _, __: ONE,
        now=now,
    )


def _year_end(organisation: Record, default: tuple[int, int]) -> tuple[int, int]:
    day = organisation.get("FinancialYearEndDay")
    month = organisation.get("FinancialYearEndMonth")
    return (day, month) if isinstance(day, int) and isinstance(month, int) else default
