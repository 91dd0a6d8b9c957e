"""Bring one organisation's raw tables up to now: what is due, and in which order.

Settings, documents, what is read again (`rereading.py`), the reports as at a day, and those of past
days (`past_reports.py`). How each kind is read is told by `reader.py`. Must not know Airflow, HTTP
or SQL, nor the lock and the state of the extraction (`extract.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from typing import Any

import psycopg

from airflow_xero import already_read, runs
from airflow_xero.client import XeroClient
from airflow_xero.endpoint import Cadence, Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS, report_key
from airflow_xero.errors import VanishedError, XeroSetupError
from airflow_xero.past_reports import FORBIDDEN, PastReports
from airflow_xero.progress import OVERLAP
from airflow_xero.raw import CLOCK_SKEW, RawStore
from airflow_xero.reader import EndpointCounts, Reader
from airflow_xero.references import unknown_settings
from airflow_xero.rereading import Rereading
from airflow_xero.run_configuration import has_begun
from airflow_xero.unpublished import News, news_of

_CLOCK = ENDPOINTS[0].name
_FRESH = timedelta(minutes=30)
# Half a day less than a week, so that the hour of the night does not matter.
_WEEK = timedelta(days=6, hours=12)
# So long people post to a month that is over: its depreciation, its payroll.
_YOUNG_MONTH_DAYS = 15
# Of what no document tells, this report alone says where it stands.
_LEVELS = "trial_balances"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tenant:
    """An organisation to extract, and the grant that reaches it; holds no secret."""

    tenant_id: str
    tenant_name: str
    grant_id: str


class CatchingUp:
    """One extraction under way.

    `counts` by endpoint name, only for endpoints that were read; `gaps` says, by endpoint name,
    what may be missing from it and why, `alarms` which of the gaps somebody should look into.
    `on_alarm` is called with an endpoint's name and what is wrong as soon as an alarm is found.
    With `fresh_names`, of what is read daily these endpoints alone can be up to date.
    """

    def __init__(
        self,
        tenant: Tenant,
        day: date,
        *,
        client: XeroClient,
        warehouse: psycopg.Connection[Any],
        run: runs.Run,
        accept_deletions: bool = False,
        backfill_calls: int = 0,
        closes_day: bool = True,
        fresh_names: Collection[str] | None = None,
        on_alarm: Callable[[str, str], None] | None = None,
    ) -> None:
        self._tenant = tenant
        self._day = day
        self._closes_day = closes_day
        self._fresh_names = fresh_names
        self._accept_deletions = accept_deletions
        self._on_alarm = on_alarm
        self.alarms: list[str] = []
        self._warehouse = warehouse
        self._run = run
        self._backfill_calls = backfill_calls
        self._raw = RawStore(
            warehouse,
            tenant_id=tenant.tenant_id,
            run_id=run.run_id,
            known_at=run.known_at,
            accept_deletions=accept_deletions,
        )
        self._reader = Reader(tenant.tenant_id, day, client=client, raw=self._raw)
        self.counts, self.gaps = self._reader.counts, self._reader.gaps
        self.drifts = self._reader.drifts

    def read_all(self, endpoints: Sequence[Endpoint]) -> None:
        """Read every endpoint that is not up to date, then what depends on others."""
        try:
            self._read_in_order(endpoints)
        finally:
            self._reader.count_unanswered_calls()

    def _read_in_order(self, endpoints: Sequence[Endpoint]) -> None:
        reports = [each for each in endpoints if each.reading is Reading.REPORT]
        others = [each for each in endpoints if each.reading is not Reading.REPORT]
        for endpoint in others:
            if endpoint.name != _CLOCK:
                self._refuse_a_day_to_come()
            if not self._is_up_to_date(endpoint):
                self._read_or_leave(endpoint)
        # A refresh is many a day: what is read again a share a night is left to the night.
        if self._closes_day:
            self._reread(others)
        # What a try before this one stored, which failed or waited, counts as well.
        news = news_of(self._warehouse, self._tenant.tenant_id)
        self._read_unknown_settings(others, news)
        documents = [each.name for each in others if each.name != _CLOCK]
        due = self._missing_reports(reports, documents) if self._closes_day else ()
        for endpoint in due:
            self._read_or_leave(endpoint)
            if endpoint.name == _LEVELS and news.since is not None:
                self._reread_last_month_end(endpoint)
        past = PastReports(
            self._tenant.tenant_id,
            self._day,
            warehouse=self._warehouse,
            reader=self._reader,
            most_calls=self._backfill_calls,
        )
        past.want(reports, documents, news, closes_day=self._closes_day)
        past.read_wanted(reports)
        if self._closes_day:
            for endpoint in reports:
                if endpoint.name == _LEVELS:
                    past.read_closed_years(endpoint)

    def _reread(self, endpoints: Sequence[Endpoint]) -> None:
        rereading = Rereading(
            self._tenant.tenant_id,
            warehouse=self._warehouse,
            raw=self._raw,
            reader=self._reader,
            accept_deletions=self._accept_deletions,
            on_alarm=self._alarm,
        )
        for endpoint in endpoints:
            if endpoint.reading is Reading.CHANGES and endpoint.name not in self.gaps:
                self._or_leave(endpoint, rereading.reread)

    def _reread_last_month_end(self, endpoint: Endpoint) -> None:
        """Read a report as at the last month end, too, while the month after it is young.

        A document that changes wants it again; what is posted without one is seen by nothing else.
        Once a day will do: not by each run that fetches the past, every hour.
        """
        if self._day.day > _YOUNG_MONTH_DAYS or endpoint.name in self.gaps:
            return
        month_end = self._day.replace(day=1) - timedelta(days=1)
        where = (self._warehouse, self._tenant.tenant_id)
        key = report_key(endpoint, month_end)
        if already_read.has_published_reading(*where, day=self._day, report_key=key):
            return
        self._or_leave(endpoint, lambda report: self._reader.read_report(report, month_end))

    def remark(self) -> str | None:
        """What may be missing and why, in a line; None when nothing is."""
        return "; ".join(f"{name}: {why}" for name, why in self.gaps.items()) or None

    # What is due

    def _refuse_a_day_to_come(self) -> None:
        # Once complete, a mistyped year would stay the organisation's last day for years.
        xero_now = self._reader.xero_now
        if xero_now and not has_begun(self._day, now=xero_now):
            raise XeroSetupError(
                f"{self._day} has not begun anywhere yet: correct the day of the run",
                tenant_id=self._tenant.tenant_id,
            )

    def _is_up_to_date(self, endpoint: Endpoint) -> bool:
        if endpoint.name == _CLOCK or self._reader.xero_now is None:
            return False
        is_daily = endpoint.cadence is Cadence.DAILY
        if is_daily and self._fresh_names is not None and endpoint.name not in self._fresh_names:
            return False
        watermark = self._raw.watermark(endpoint)
        lasts = _FRESH if is_daily else _WEEK
        # Measured by Xero's clock: ours may differ, and a test's Xero lives in other years.
        return (
            watermark is not None
            and -CLOCK_SKEW <= self._reader.xero_now - (watermark + OVERLAP) < lasts
            and self._raw.walk_cut_short(endpoint) is None
        )

    def _missing_reports(
        self, reports: Sequence[Endpoint], documents: Sequence[str]
    ) -> list[Endpoint]:
        """The reports that are due: those of the day that are older than the documents."""
        where = (self._warehouse, self._tenant.tenant_id)
        current = already_read.current_reports(*where, day=self._day, documents=documents)
        return [
            each
            for each in reports
            if not (
                already_read.has_report_of_month(*where, day=self._day, endpoint=each.name)
                if each.cadence is Cadence.MONTHLY
                else each.name in current
            )
        ]

    def _read_unknown_settings(self, endpoints: Sequence[Endpoint], news: News) -> None:
        """Read settings at once of which a new document names one that is not stored."""
        unknown = unknown_settings(
            self._warehouse,
            self._tenant.tenant_id,
            since=news.since,
            documents=[
                each.name
                for each in endpoints
                if each.reading is Reading.CHANGES and each.name in news.endpoints
            ],
            # What this run has read already, it need not look for.
            settings={each.name for each in endpoints} - self.counts.keys(),
        )
        for endpoint in endpoints:
            if endpoint.name in unknown:
                self._read_or_leave(endpoint)

    def _read_or_leave(self, endpoint: Endpoint) -> None:
        if self._or_leave(endpoint, self._reader.read):
            self._log_read(endpoint)

    def _or_leave(self, endpoint: Endpoint, read: Callable[[Endpoint], None]) -> bool:
        """Read the endpoint; whether that went well, or is left as a gap."""
        try:
            read(endpoint)
        except FORBIDDEN as error:
            if endpoint.is_required:
                raise
            self.gaps[endpoint.name] = f"not read: {error.message}"
        except VanishedError as error:
            self._alarm(endpoint, error.message)
        else:
            return True
        return False

    def _alarm(self, endpoint: Endpoint, what: str) -> None:
        self.gaps[endpoint.name] = what
        self.alarms.append(endpoint.name)
        if self._on_alarm is not None:
            self._on_alarm(endpoint.name, what)

    def _log_read(self, endpoint: Endpoint) -> None:
        counts = self._reader.counts.get(endpoint.name, EndpointCounts())
        _log.info(
            "xero_read tenant=%s endpoint=%s run=%s records=%s new=%s changed=%s deleted=%s "
            "repaired=%s calls=%s bytes=%s",
            self._tenant.tenant_id,
            endpoint.name,
            self._run.run_id,
            *astuple(counts),
        )
