"""The 1099 report of organisations in the United States: nobody to report in these books.

Knows the frame, which has contacts instead of rows. A contact is in it by rules that a person
sets up in Xero; no organisation here has any, so the list is empty.
"""

from __future__ import annotations

from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.layout import Report

_FIRST_YEAR = 2012


def build(asked: Asked) -> Report | None:
    """Return the 1099-NEC report of `reportYear` (this year); None outside the United States."""
    if asked.books.country.code != "US":
        return None
    this_year = asked.books.today.year
    year = asked.whole("reportYear", lowest=_FIRST_YEAR, highest=this_year) or this_year
    return {
        "ReportName": "1099-NEC report",
        "ReportDate": f"1 Jan {year} to 31 Dec {year}",
        "Fields": [],
        "Contacts": [],
    }
