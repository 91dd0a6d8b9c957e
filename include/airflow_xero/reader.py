"""How each kind of endpoint is read into the raw tables: pages, walks, details, numbers, reports.

Counts what it reads. Must not know Airflow, HTTP or SQL, nor when an endpoint is due
(`catching_up.py`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from airflow_xero.client import XeroClient
from airflow_xero.drift import Drift
from airflow_xero.endpoint import Endpoint, Paging, Reading
from airflow_xero.endpoints import report_key, report_params
from airflow_xero.errors import NotFoundError, WarehouseBusyError
from airflow_xero.page import Page
from airflow_xero.progress import Poured, Walk
from airflow_xero.raw import CLOCK_SKEW, RawStore
from airflow_xero.walking import has_shrunk

_log = logging.getLogger(__name__)

_MOST_WALKS = 3
# Of a budget: a year back and a year ahead, the most that Xero gives; which months a version was
# asked for, stg_xero__budget_versions works out from the day of its run.
_BUDGET_YEARS = (-1, 1)


@dataclass(frozen=True)
class EndpointCounts:
    """What one extraction did at one endpoint."""

    records_read: int = 0
    records_new: int = 0
    records_changed: int = 0
    records_deleted: int = 0
    records_repaired: int = 0
    calls: int = 0
    bytes: int = 0

    def plus(self, page: Page, poured: Poured) -> EndpointCounts:
        """These counts and those of one more page."""
        return EndpointCounts(
            records_read=self.records_read + poured.records_read,
            records_new=self.records_new + poured.records_new,
            records_changed=self.records_changed + poured.records_changed,
            records_deleted=self.records_deleted + poured.records_deleted,
            records_repaired=self.records_repaired + poured.records_repaired,
            calls=self.calls + page.calls,
            bytes=self.bytes + len(page.body),
        )


class Reader:
    """Reads endpoints of one organisation as at a day.

    `counts` by endpoint name, only for endpoints that were read; `gaps` says, by endpoint name,
    what may be missing from it and why. `xero_now` is Xero's clock at the first page;
    `read_whole_names` are the endpoints of which everything was read, changed or not; `drifts`
    what Xero sent for the first time and does not document.
    """

    def __init__(self, tenant_id: str, day: date, *, client: XeroClient, raw: RawStore) -> None:
        self._tenant_id = tenant_id
        self._day = day
        self._client = client
        self._raw = raw
        self.xero_now: datetime | None = None
        self.read_whole_names: set[str] = set()
        self.counts: dict[str, EndpointCounts] = {}
        self.gaps: dict[str, str] = {}
        self.drifts: list[Drift] = []
        self._calls_before = Counter(client.calls_made)

    def count_unanswered_calls(self) -> None:
        """Count what was asked and brought no page that was stored: it cost a call all the same."""
        for name, calls in (self._client.calls_made - self._calls_before).items():
            counts = self.counts.get(name, EndpointCounts())
            # A warehouse that is gone is told of by who reads, not by who counts.
            if calls > counts.calls:
                with suppress(WarehouseBusyError):
                    self._raw.note_calls(name, calls - counts.calls)
                if name in self.counts:
                    self.counts[name] = replace(counts, calls=calls)

    def read(self, endpoint: Endpoint) -> None:
        """Bring one endpoint up to now, whatever its kind."""
        match endpoint.reading:
            case Reading.FULL:
                self._read_full(endpoint)
            case Reading.CHANGES:
                self._read_changes(endpoint)
            case Reading.DETAILS:
                self._read_details(endpoint)
            case Reading.NUMBERS:
                self._read_numbered(endpoint)
            case Reading.REPORT:
                self.read_report(endpoint, self._day)

    def read_whole(self, endpoint: Endpoint) -> None:
        """Walk everything the endpoint has, changed or not."""
        self._walk_until_steady(endpoint, None, None)

    def read_page(self, endpoint: Endpoint, number: int) -> Page:
        """Pour one page of everything the endpoint has."""
        page = self._client.page(endpoint, self._tenant_id, number)
        self._pour(page)
        return page

    def _read_full(self, endpoint: Endpoint) -> None:
        if endpoint.paging is Paging.NONE:
            self._walk(endpoint, None, None)
            return
        listed, began_at = self._list_pages(endpoint)
        if self._raw.has_unlisted(endpoint, listed):
            # A record that was deleted meanwhile moves all behind it up, and one from a page to
            # come to a page already read: gone is only what a second walk misses, too.
            listed += self._list_pages(endpoint)[0]
        self._finish_listing(endpoint, listed, began_at)

    def _list_pages(self, endpoint: Endpoint) -> tuple[list[str], datetime | None]:
        """Pour every page; the ids on them, and Xero's clock at the first."""
        listed: list[str] = []
        began_at: datetime | None = None
        with closing(self._client.pages(endpoint, self._tenant_id)) as pages:
            for page in pages:
                began_at = began_at or page.xero_now
                listed += page.values_of(endpoint.id_field, str)
                self._pour(page)
        return listed, began_at

    def _read_details(self, endpoint: Endpoint) -> None:
        listing = self._listing(endpoint)
        listed = listing.values_of(endpoint.id_field, str)
        unknown: set[str] = set()
        for record_id in listed:
            params = _window_of(self._day)
            try:
                page = self._client.record(endpoint, self._tenant_id, record_id, params=params)
            except NotFoundError:
                unknown.add(record_id)
            else:
                self._pour(page)
        # Deleted since it was listed, unless it is listed still.
        if unknown and unknown & set(self._listing(endpoint).values_of(endpoint.id_field, str)):
            self.gaps[endpoint.name] = (
                "Xero lists what it does not know; read again by the next run"
            )
            return
        known = [each for each in listed if each not in unknown]
        self._finish_listing(endpoint, known, listing.xero_now)

    def _listing(self, endpoint: Endpoint) -> Page:
        (listing,) = self._client.pages(endpoint, self._tenant_id)
        self._tally(listing, self._raw.note(listing))
        return listing

    def _finish_listing(
        self, endpoint: Endpoint, listed: Sequence[str], began_at: datetime | None
    ) -> None:
        if began_at is None:
            return
        deleted = self._raw.finish_listing(endpoint, listed, read_at=began_at)
        counts = self.counts.get(endpoint.name, EndpointCounts())
        self.counts[endpoint.name] = replace(
            counts, records_deleted=counts.records_deleted + deleted
        )

    def _read_numbered(self, endpoint: Endpoint) -> None:
        after = self._raw.last_number(endpoint)
        for page in self._client.numbered(endpoint, self._tenant_id, after=after):
            numbers = page.values_of("JournalNumber", int)
            self._pour(page, last_number=max(numbers, default=page.number))

    def read_report(self, endpoint: Endpoint, day: date) -> None:
        """Read a report as at a day, on each of its bases."""
        bases = endpoint.report.bases if endpoint.report else ()
        for basis in bases:
            (page,) = self._client.pages(
                endpoint,
                self._tenant_id,
                params=report_params(endpoint, day, basis),
            )
            # The endpoint counts as read when its last basis is.
            page = replace(page, is_last=basis == bases[-1])
            self._pour(page, report_key=report_key(endpoint, day, basis))

    def _read_changes(self, endpoint: Endpoint) -> None:
        """Walk the changes, and once more when edits may have hidden a record from the walk."""
        cut_short = self._walk_to_continue(endpoint)
        since = cut_short.modified_since if cut_short else self._since(endpoint)
        self._walk_until_steady(endpoint, since, cut_short)

    def _walk_until_steady(
        self, endpoint: Endpoint, since: datetime | None, cut_short: Walk | None
    ) -> None:
        for _ in range(_MOST_WALKS):
            is_steady = self._walk(endpoint, since, cut_short)
            if is_steady:
                if since is None:
                    self.read_whole_names.add(endpoint.name)
                return
            cut_short = None
        self._raw.give_up_walk(endpoint)
        self.gaps[endpoint.name] = "edited during each reading, and read again by the next run"

    def _walk(self, endpoint: Endpoint, since: datetime | None, cut_short: Walk | None) -> bool:
        """Pour every page; whether no record was edited meanwhile."""
        # The last page that was committed is read once more: others may have moved up to it.
        first_page = max(1, cut_short.next_page - 1) if cut_short else 1
        walk = cut_short if first_page > 1 else None
        is_steady, has_edited = True, self._had_edits(endpoint, walk)
        # Closed at once when a page cannot be stored, so that no further one is fetched.
        with closing(
            self._client.pages(endpoint, self._tenant_id, since=since, first_page=first_page)
        ) as pages:
            for page in pages:
                if walk and page.number == first_page and has_shrunk(page, before=walk.next_page):
                    # What moved up may be on any page before.
                    return self._walk(endpoint, since, None)
                walk = walk or Walk(since, page.xero_now, next_page=1)
                poured = self._pour(page, walk=walk, edited_before=has_edited)
                # Where pages come without their number, the last one is empty and tells nothing.
                has_edited = has_edited or poured.has_edited
                is_steady = not poured.is_shifted
        return is_steady

    def _had_edits(self, endpoint: Endpoint, cut_short: Walk | None) -> bool:
        """Whether pages that were stored before the break had edits that no later page tells."""
        if cut_short is None or self.xero_now is None or endpoint.paging is not Paging.HUNDREDS:
            return False
        return self._raw.has_edits(endpoint, cut_short, until=self.xero_now)

    def _walk_to_continue(self, endpoint: Endpoint) -> Walk | None:
        walk = self._raw.walk_cut_short(endpoint)
        return walk if walk and self._is_past(walk.read_from) else None

    def _since(self, endpoint: Endpoint) -> datetime | None:
        watermark = self._raw.watermark(endpoint)
        return watermark if watermark and self._is_past(watermark) else None

    def _is_past(self, moment: datetime) -> bool:
        # A moment to come means that Xero's clock was set back: then everything is read anew.
        return self.xero_now is not None and moment <= self.xero_now + CLOCK_SKEW

    # One page

    def _pour(
        self,
        page: Page,
        *,
        walk: Walk | None = None,
        report_key: str | None = None,
        edited_before: bool = False,
        last_number: int | None = None,
    ) -> Poured:
        self.xero_now = self.xero_now or page.xero_now
        poured = self._raw.pour(
            page,
            walk=walk,
            report_key=report_key,
            edited_before=edited_before,
            last_number=last_number,
        )
        self._tally(page, poured)
        for drift in poured.drifts:
            _log.warning("xero_drift tenant=%s what=%s", self._tenant_id, drift)
        self.drifts += poured.drifts
        return poured

    def _tally(self, page: Page, poured: Poured) -> None:
        name = page.endpoint.name
        self.counts[name] = self.counts.get(name, EndpointCounts()).plus(page, poured)


def _window_of(day: date) -> Mapping[str, str]:
    """The months of a budget around a day: two years, the most that Xero gives."""
    first = day.replace(day=1)
    before, after = (first.replace(year=first.year + years) for years in _BUDGET_YEARS)
    return {"DateFrom": before.isoformat(), "DateTo": (after - timedelta(days=1)).isoformat()}
