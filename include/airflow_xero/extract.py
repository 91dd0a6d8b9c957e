"""Bring one organisation's raw tables up to now, and fetch its reports as at a day.

The story of a mapped task: endpoints in order, each poured page by page, then published in one
step. Must not know Airflow, HTTP or SQL.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import psycopg

from airflow_xero import runs
from airflow_xero.client import XeroClient
from airflow_xero.endpoints import ENDPOINTS, Endpoint, Reading, report_key
from airflow_xero.errors import (
    RateLimitError,
    ScopeMissingError,
    TenantForbiddenError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.page import Page
from airflow_xero.raw import CLOCK_SKEW, OVERLAP, Poured, RawStore, Walk

_FRESH = timedelta(minutes=30)
_EASTERNMOST = timedelta(hours=14)
_MOST_WALKS = 3
_LONG_WAIT_SECONDS = 600
_CLOCK = ENDPOINTS[0]
_DOCUMENTS = tuple(
    endpoint.name
    for endpoint in ENDPOINTS
    if endpoint.reading is not Reading.REPORT and endpoint is not _CLOCK
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tenant:
    """An organisation to extract, and the grant that reaches it; holds no secret."""

    tenant_id: str
    tenant_name: str
    grant_id: str


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


@dataclass(frozen=True)
class Extracted:
    """How an extraction ended; `counts` by endpoint name, only for endpoints that were read.

    `gaps` says, by endpoint name, what may be missing from it and why.
    """

    state: Literal["complete", "waiting_for_limit"]
    run_id: int
    counts: Mapping[str, EndpointCounts]
    gaps: Mapping[str, str]


def extract_day(
    tenant: Tenant,
    day: date,
    *,
    client: XeroClient,
    warehouse: psycopg.Connection[Any],
    dag_run_id: str | None = None,
) -> Extracted:
    """Extract one organisation: documents up to now, reports as at `day`.

    Returns `complete`, or `waiting_for_limit` when Xero's limit opens much later only (the cursor
    is kept). Any other error is stored as the run's reason and raised; WarehouseBusyError when
    another extraction of the same organisation is under way. `warehouse` must not be inside a
    transaction; every page is committed.
    """
    with runs.tenant_lock(warehouse, tenant.tenant_id):
        run = runs.start(warehouse, tenant.tenant_id, day=day, dag_run_id=dag_run_id)
        reading = _Reading(tenant, day, client=client, warehouse=warehouse, run=run)
        try:
            reading.read_all()
            runs.complete(warehouse, tenant.tenant_id, run, remark=reading.remark())
        except RateLimitError as limit:
            # A shorter wait is worth another try of the task.
            if limit.retry_after_seconds is None or limit.retry_after_seconds <= _LONG_WAIT_SECONDS:
                runs.fail(warehouse, tenant.tenant_id, run, reason=limit.message)
                raise
            runs.wait_for_limit(
                warehouse,
                tenant.tenant_id,
                run,
                reason=limit.message,
                seconds=limit.retry_after_seconds,
            )
            return reading.ended("waiting_for_limit")
        except XeroError as error:
            runs.fail(warehouse, tenant.tenant_id, run, reason=error.message)
            raise
        except Exception as fault:
            # The page must not go on saying that this organisation is being read.
            runs.fail(warehouse, tenant.tenant_id, run, reason=f"a fault: {type(fault).__name__}")
            raise
        return reading.ended("complete")


class _Reading:
    """One extraction under way."""

    def __init__(
        self,
        tenant: Tenant,
        day: date,
        *,
        client: XeroClient,
        warehouse: psycopg.Connection[Any],
        run: runs.Run,
    ) -> None:
        self._tenant = tenant
        self._day = day
        self._client = client
        self._warehouse = warehouse
        self._run = run
        self._raw = RawStore(
            warehouse, tenant_id=tenant.tenant_id, run_id=run.run_id, known_at=run.known_at
        )
        self._xero_now: datetime | None = None
        self._counts: dict[str, EndpointCounts] = {}
        self._gaps: dict[str, str] = {}

    def read_all(self) -> None:
        """Read every endpoint that is not up to date, in the order of `ENDPOINTS`."""
        for endpoint in ENDPOINTS:
            if endpoint is not _CLOCK:
                self._refuse_a_day_to_come()
            if self._is_up_to_date(endpoint):
                _log.info(
                    "xero_fresh tenant=%s endpoint=%s run=%s",
                    self._tenant.tenant_id,
                    endpoint.name,
                    self._run.run_id,
                )
            else:
                self._read_or_leave(endpoint)

    def _refuse_a_day_to_come(self) -> None:
        # Once complete, a mistyped year would stay the organisation's last day for years.
        if self._xero_now and self._day > (self._xero_now + _EASTERNMOST).date():
            raise XeroSetupError(
                f"{self._day} has not begun anywhere yet: correct the day of the run",
                tenant_id=self._tenant.tenant_id,
            )

    def remark(self) -> str | None:
        """What may be missing and why, in a line; None when nothing is."""
        return "; ".join(f"{name}: {why}" for name, why in self._gaps.items()) or None

    def ended(self, state: Literal["complete", "waiting_for_limit"]) -> Extracted:
        """The extraction's outcome."""
        _log.info(
            "xero_extracted tenant=%s day=%s run=%s state=%s",
            self._tenant.tenant_id,
            self._day,
            self._run.run_id,
            state,
        )
        return Extracted(state, self._run.run_id, self._counts, self._gaps)

    def _is_up_to_date(self, endpoint: Endpoint) -> bool:
        if endpoint is _CLOCK or self._xero_now is None:
            return False
        if endpoint.reading is Reading.REPORT:
            return runs.has_current_report(
                self._warehouse,
                self._tenant.tenant_id,
                day=self._day,
                endpoint=endpoint.name,
                documents=_DOCUMENTS,
            )
        watermark = self._raw.watermark(endpoint)
        # Measured by Xero's clock: ours may differ, and a test's Xero lives in other years.
        return (
            watermark is not None
            and -CLOCK_SKEW <= self._xero_now - (watermark + OVERLAP) < _FRESH
            and self._raw.walk_cut_short(endpoint) is None
        )

    def _read_or_leave(self, endpoint: Endpoint) -> None:
        try:
            self._read(endpoint)
        except (ScopeMissingError, TenantForbiddenError) as error:
            if endpoint.is_required:
                raise
            self._gaps[endpoint.name] = f"not read: {error.message}"

    def _read(self, endpoint: Endpoint) -> None:
        """Walk the endpoint, and once more when edits may have hidden a record from the walk."""
        cut_short = self._walk_to_continue(endpoint)
        since = cut_short.modified_since if cut_short else self._since(endpoint)
        for _ in range(_MOST_WALKS):
            is_steady = self._walk(endpoint, since, cut_short)
            if is_steady:
                break
            cut_short = None
        else:
            self._raw.give_up_walk(endpoint)
            self._gaps[endpoint.name] = "edited during each reading, and read again by the next run"
        self._log_read(endpoint, self._counts[endpoint.name])

    def _walk(self, endpoint: Endpoint, since: datetime | None, cut_short: Walk | None) -> bool:
        """Pour every page; whether no record was edited meanwhile."""
        key = report_key(endpoint, self._day) if endpoint.reading is Reading.REPORT else None
        pages = self._client.pages(
            endpoint,
            self._tenant.tenant_id,
            since=since,
            # The last page that was committed is read once more: others may have moved up to it.
            first_page=max(1, cut_short.next_page - 1) if cut_short else 1,
            day=self._day if key else None,
        )
        walk = cut_short
        is_steady, has_edited = True, False
        # Closed at once when a page cannot be stored, so that no further one is fetched.
        with closing(pages):
            for page in pages:
                self._xero_now = self._xero_now or page.xero_now
                walk = walk or Walk(since, page.xero_now, next_page=1)
                poured = self._raw.pour(page, walk=walk, report_key=key, edited_before=has_edited)
                # Where pages come without their number, the last one is empty and tells nothing.
                has_edited = has_edited or poured.has_edited
                counts = self._counts.get(endpoint.name, EndpointCounts())
                self._counts[endpoint.name] = counts.plus(page, poured)
                is_steady = not poured.is_shifted
        return is_steady

    def _walk_to_continue(self, endpoint: Endpoint) -> Walk | None:
        if endpoint.reading is not Reading.CHANGES:
            return None
        walk = self._raw.walk_cut_short(endpoint)
        return walk if walk and self._is_past(walk.read_from) else None

    def _since(self, endpoint: Endpoint) -> datetime | None:
        if endpoint.reading is not Reading.CHANGES:
            return None
        watermark = self._raw.watermark(endpoint)
        return watermark if watermark and self._is_past(watermark) else None

    def _is_past(self, moment: datetime) -> bool:
        # A moment to come means that Xero's clock was set back: then everything is read anew.
        return self._xero_now is not None and moment <= self._xero_now + CLOCK_SKEW

    def _log_read(self, endpoint: Endpoint, counts: EndpointCounts) -> None:
        _log.info(
            "xero_read tenant=%s endpoint=%s run=%s records=%s new=%s changed=%s deleted=%s "
            "repaired=%s calls=%s bytes=%s",
            self._tenant.tenant_id,
            endpoint.name,
            self._run.run_id,
            counts.records_read,
            counts.records_new,
            counts.records_changed,
            counts.records_deleted,
            counts.records_repaired,
            counts.calls,
            counts.bytes,
        )
