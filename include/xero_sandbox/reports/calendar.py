"""Months and financial years.

Knows the calendar, and a year end on a day that a month does not have. Must not know the books.
"""

from __future__ import annotations

from datetime import date, timedelta

DAY = timedelta(days=1)


def month_end(day: date) -> date:
    """Return the last day of the month that `day` lies in."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - DAY


def months_later(day: date, months: int) -> date:
    """Return the same day of a later (or, below 0, earlier) month, or that month's last day."""
    count = day.year * 12 + day.month - 1 + months
    first = date(count // 12, count % 12 + 1, 1)
    return min(first + (day.day - 1) * DAY, month_end(first))


def months_later_at_end(day: date, months: int) -> date:
    """Return what `months_later` does, but a month's last day stays a month's last day."""
    later = months_later(day, months)
    return month_end(later) if day == month_end(day) else later


def year_start(on: date, year_end: tuple[int, int]) -> date:
    """Return the first day of the financial year that `on` lies in; `year_end` is (day, month).

    A year end on 29 February (or any day a month does not have) is that month's last day.
    """
    this_year = _year_end_in(on.year, year_end)
    last = this_year if on > this_year else _year_end_in(on.year - 1, year_end)
    return last + DAY


def _year_end_in(year: int, year_end: tuple[int, int]) -> date:
    day, month = year_end
    first = date(year, month, 1)
    return min(first + (day - 1) * DAY, month_end(first))
