"""The state at a moment depends on the seed and that moment alone, with every feature there is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from xero_sandbox.books.countries import TIMEZONES
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.wire.format import dump
from xero_sandbox.wire.shelving import RESOURCES

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALL: Mapping[str, Any] = {
    "features": ["all"],
    "invoices_per_day": 0.8,
    "bills_per_day": 0.6,
    "customers": 8,
    "suppliers": 4,
}


def company(days: int = 60, **traits: Any) -> Company:
    return build_company("Time & Co", seed=8, days=days, now=NOW, traits={**ALL, **traits})


def everything(of: Company) -> bytes:
    """Every byte the organisation would serve, its journals and its histories."""
    records = dump([of.records(resource) for resource in RESOURCES])
    journals = repr(of.books.ledger.journals) + repr(of.books.cash.journals)
    notes = repr([of.books.history(key) for key in list(of.books.documents)[:20]])
    return records + journals.encode() + notes.encode()


def test_one_step_equals_many_steps_with_every_feature() -> None:
    steps, leap = company(), company()
    moment = NOW - 20 * DAY
    while moment < NOW + 10 * DAY:
        steps.advance(moment)
        moment += timedelta(hours=17, minutes=29)
    steps.advance(NOW + 10 * DAY)
    leap.advance(NOW + 10 * DAY)
    assert everything(steps) == everything(leap)


def test_looking_at_the_books_changes_nothing_with_every_feature() -> None:
    watched, alone = company(days=40), company(days=40)
    for night in range(4):
        watched.advance(NOW + night * DAY)
        everything(watched)
        watched.report("TrialBalance", {"paymentsOnly": "true"})
    alone.advance(NOW + 3 * DAY)
    assert everything(watched) == everything(alone)


def test_going_back_in_time_shows_what_there_was_with_every_feature() -> None:
    each = company()
    each.advance(NOW - 10 * DAY)
    before = everything(each)
    each.advance(NOW)
    assert everything(each) != before
    each.advance(NOW - 10 * DAY)
    assert everything(each) == before


def test_a_restart_shows_the_same_with_every_feature() -> None:
    first, again = company(days=45), company(days=45)
    first.advance(NOW)
    again.advance(NOW)
    assert everything(first) == everything(again)


def test_thirty_nights_see_thirty_days() -> None:
    each = company(days=30)
    seen: set[bytes] = set()
    latest = NOW
    for night in range(30):
        now = NOW + night * DAY
        each.advance(now)
        entries = [entry for name in RESOURCES for entry in each.entries(name).ordered()]
        latest = max(entry.updated_at for entry in entries)
        assert latest <= now
        seen.add(dump([each.records(name) for name in RESOURCES]))
        assert each.books.today == now.astimezone(each.zone).date()
    assert len(seen) == 30


def test_every_journal_was_made_before_now_and_numbers_ascend() -> None:
    each = company()
    each.advance(NOW)
    journals = each.books.ledger.journals
    assert all(journal.created_at <= NOW for journal in journals)
    numbers = [journal.number for journal in journals]
    assert numbers == sorted(set(numbers))
    assert [j.created_at for j in journals] == sorted(j.created_at for j in journals)


@pytest.mark.parametrize("timezone", sorted(TIMEZONES))
def test_a_business_opens_by_its_own_clock(timezone: str) -> None:
    each = company(days=4, timezone=timezone, features=[])
    each.advance(NOW)
    local = [
        entry.updated_at.astimezone(each.zone)
        for entry in each.entries("Invoices").ordered()
        if entry.updated_at > NOW - 4 * DAY
    ]
    assert all(8 <= moment.hour < 18 for moment in local)
    assert each.books.today == NOW.astimezone(each.zone).date()


@pytest.mark.parametrize("year_end", [[31, 3], [30, 6], [31, 12], [29, 2]])
def test_a_year_ends_when_it_was_asked_to(year_end: list[int]) -> None:
    each = company(days=3, year_end=year_end)
    [organisation] = each.records("Organisations")
    shown = [organisation["FinancialYearEndDay"], organisation["FinancialYearEndMonth"]]
    assert shown == year_end
    report = each.report("TrialBalance", {"date": date(2026, 11, 20).isoformat()})
    assert report is not None
