"""Reports as at past days: which are wanted, and those that a run may fetch.

Knows when a day as a whole is worth its calls, and which refusals are for good. The wishes
themselves are kept by `wanted.py`. Must not know what else an extraction reads, HTTP or SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg

from airflow_xero import wanted
from airflow_xero.endpoint import Cadence, Endpoint
from airflow_xero.errors import (
    BadRequestError,
    HighVolumeError,
    NotFoundError,
    ScopeMissingError,
    TenantForbiddenError,
    UnexpectedPayloadError,
)
from airflow_xero.reader import Reader
from airflow_xero.unpublished import News

FORBIDDEN = (ScopeMissingError, TenantForbiddenError)
"""What an organisation's user or the app may not read; the rest can be read all the same."""

# Xero says the same however often it is asked.
_REFUSALS = (*FORBIDDEN, BadRequestError, NotFoundError, HighVolumeError)


class PastReports:
    """The past of one organisation, as of the extraction of `day`.

    At most `most_calls` are spent on it; what cannot be read becomes a gap of the `reader`.
    """

    def __init__(
        self,
        tenant_id: str,
        day: date,
        *,
        warehouse: psycopg.Connection[Any],
        reader: Reader,
        most_calls: int,
    ) -> None:
        self._tenant_id = tenant_id
        self._day = day
        self._warehouse = warehouse
        self._reader = reader
        self._gaps = reader.gaps
        self._most_calls = most_calls

    def want(
        self,
        reports: Sequence[Endpoint],
        documents: Sequence[str],
        news: News,
        *,
        closes_day: bool,
    ) -> None:
        """Remember which past reports are to be fetched: all at first, then what has moved.

        And what was read and could not be compared: its documents were read again since. Of a
        report that is left out nothing: it would be asked for every hour, for ever.
        """
        where = (self._warehouse, self._tenant_id)
        daily = [each.name for each in reports if each.cadence is Cadence.DAILY]
        names = [name for name in daily if name not in self._gaps]
        # A refresh reads no report, and does not know which of them can be read.
        if closes_day:
            wanted.want_no_more(*where, day=self._day, reports=names)
            wanted.want_unread(*where, day=self._day, reports=names)
        if news.since is None:
            return
        wanted.want_overtaken(
            *where,
            day=self._day,
            reports=names,
            documents=documents,
            of_tries_alone=self._most_calls > 0,
        )
        earliest = wanted.earliest_change(*where, since=news.since, endpoints=news.endpoints)
        if earliest is not None:
            wanted.want_month_ends_since(*where, first_date=earliest, day=self._day, reports=names)

    def read_wanted(self, reports: Sequence[Endpoint]) -> None:
        """Fetch what is wanted, as many days as the run may.

        A day as a whole: its trial balance explains what the others differ by.
        """
        by_name = {each.name: each for each in reports if each.name not in self._gaps}
        where = (self._warehouse, self._tenant_id)
        calls_left = self._most_calls
        coming = wanted.coming(*where, on=self._day) if calls_left else []
        for day, wishes in groupby(coming, key=itemgetter(1)):
            due = [by_name[name] for name, _ in wishes if name in by_name]
            calls = sum(len(each.report.bases) for each in due if each.report)
            # A first day is read whatever it costs, or none would ever be.
            if calls > calls_left < self._most_calls:
                return
            calls_left -= calls
            for endpoint in due:
                if self._read_past(endpoint, day):
                    wanted.fetched(*where, endpoint=endpoint.name, day=day)
                else:
                    wanted.unreadable(*where, endpoint=endpoint.name, day=day, on=self._day)

    def read_closed_years(self, trial_balances: Endpoint) -> None:
        """Read the trial balance as at the end of each closed financial year, once.

        What revaluation has left on retained earnings is told by nothing else; the wanted month
        ends do not reach that far back, and come too late for the first night's comparison.
        """
        before = self._day
        while trial_balances.name not in self._gaps:
            day = wanted.unread_year_end(
                self._warehouse, self._tenant_id, on=self._day, before=before
            )
            if day is None or not self._read_past(trial_balances, day):
                return
            before = day

    def _read_past(self, endpoint: Endpoint, day: date) -> bool:
        """Read a report of a past day; whether it is settled: read, or refused for good.

        A refusal is a gap. Were it an error, every run would end there, and read no older day.
        """
        try:
            self._reader.read_report(endpoint, day)
        except (*_REFUSALS, UnexpectedPayloadError) as error:
            self._gaps.setdefault(endpoint.name, f"not read as at {day}: {error.message}")
            # An answer that makes no sense may have been cut on its way.
            return not isinstance(error, UnexpectedPayloadError)
        return True
