"""Extract one organisation for a day: from its lock to its publication.

The story of a mapped task. How each kind of endpoint is brought up to now is told by
`catching_up.py`. Must not know Airflow, HTTP or SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import psycopg

from airflow_xero import already_read, pruning, runs, unpublished
from airflow_xero.catching_up import CatchingUp, Tenant
from airflow_xero.client import XeroClient
from airflow_xero.drift import Drift
from airflow_xero.endpoint import Endpoint
from airflow_xero.endpoints import DEFAULT_ENDPOINTS
from airflow_xero.errors import RateLimitError, XeroError
from airflow_xero.reader import EndpointCounts

__all__ = ["EndpointCounts", "Extracted", "Tenant", "extract_day"]

_LONG_WAIT_SECONDS = 600


@dataclass(frozen=True)
class Extracted:
    """How an extraction ended; `counts` by endpoint name, only for endpoints that were read.

    `gave_way`: another extraction was under way, and this one began nothing (`run_id` is None).
    `resume_at` (aware): when Xero's limit opens for one that waits.
    `gaps` says, by endpoint name, what may be missing from it and why, `alarms` which of the gaps
    somebody should look into; `drifts` what Xero sent for the first time and does not document.
    """

    state: Literal["complete", "waiting_for_limit", "gave_way"]
    run_id: int | None
    counts: Mapping[str, EndpointCounts]
    gaps: Mapping[str, str]
    drifts: Sequence[Drift] = ()
    alarms: Sequence[str] = ()
    resume_at: datetime | None = None


def extract_day(
    tenant: Tenant,
    day: date,
    *,
    client: XeroClient,
    warehouse: psycopg.Connection[Any],
    endpoints: Sequence[Endpoint] = DEFAULT_ENDPOINTS,
    accept_deletions: bool = False,
    backfill_calls: int = 0,
    dag_run_id: str | None = None,
    closes_day: bool = True,
    gives_way: bool = False,
    fresh: bool = False,
    on_alarm: Callable[[str, str], None] | None = None,
) -> Extracted:
    """Extract one organisation: documents up to now, reports as at `day`.

    Without `closes_day` it is a refresh: everything but reports is read, the day stays open, and
    where another extraction of the organisation is under way, or a complete day is not published
    yet, it gives way to that. With `gives_way` one that closes its day gives way to another, too.

    `endpoints` are those to read, the first of them Organisation; `accept_deletions`: somebody
    agreed that many records are gone; `backfill_calls` may be spent on reports of past days; with
    `fresh` what is read daily is read again, though it was within half an hour, once a Dag run;
    `on_alarm` is called with an endpoint's name and what is wrong as soon as that is found.
    Returns `complete`, or `waiting_for_limit` when Xero's limit opens much later only (the cursor
    is kept). Any other error is stored as the run's reason and raised; TenantBusyError when
    another extraction of the same organisation is under way. `warehouse` must not be inside a
    transaction; every page is committed.
    """
    with ExitStack() as held:
        if closes_day and not gives_way:
            held.enter_context(runs.tenant_lock(warehouse, tenant.tenant_id))
        elif not _comes_in(held, warehouse, tenant.tenant_id, closes_day=closes_day):
            return Extracted("gave_way", None, {}, {})
        where = (warehouse, tenant.tenant_id)
        fresh_names = already_read.endpoints_read(*where, dag_run_id=dag_run_id) if fresh else None
        run = runs.start(
            warehouse,
            tenant.tenant_id,
            day=day,
            dag_run_id=dag_run_id,
            closes_day=closes_day,
            accepts_deletions=accept_deletions,
        )
        catching_up = CatchingUp(
            tenant,
            day,
            client=client,
            warehouse=warehouse,
            run=run,
            accept_deletions=run.accepts_deletions,
            backfill_calls=backfill_calls,
            closes_day=closes_day,
            fresh_names=fresh_names,
            on_alarm=on_alarm,
        )
        try:
            catching_up.read_all(endpoints)
            if closes_day:
                pruning.prune_reports(warehouse, tenant.tenant_id, day=day)
            runs.complete(warehouse, tenant.tenant_id, run, remark=catching_up.remark())
        except RateLimitError as limit:
            # A shorter wait is worth another try of the task.
            if limit.retry_after_seconds is None or limit.retry_after_seconds <= _LONG_WAIT_SECONDS:
                runs.fail(warehouse, tenant.tenant_id, run, reason=limit.told())
                raise
            resume_at = runs.wait_for_limit(
                warehouse,
                tenant.tenant_id,
                run,
                reason=limit.message,
                seconds=limit.retry_after_seconds,
            )
            return _extracted("waiting_for_limit", run, catching_up, resume_at=resume_at)
        except XeroError as error:
            runs.fail(warehouse, tenant.tenant_id, run, reason=error.told())
            raise
        except Exception as fault:
            # The page must not go on saying that this organisation is being read.
            runs.fail(warehouse, tenant.tenant_id, run, reason=f"a fault: {type(fault).__name__}")
            raise
        return _extracted("complete", run, catching_up)


def _comes_in(
    held: ExitStack, warehouse: psycopg.Connection[Any], tenant_id: str, *, closes_day: bool
) -> bool:
    """Hold the tenant in `held`, unless another does, or its unpublished day must stay as it is.

    A refresh looks for that day also before it comes in: while it held the tenant only to see
    that there is nothing to do, an extraction that closes the day would find it busy.
    """

    def must_stay() -> bool:
        # Documents of a day that is not published yet stay those of its reports.
        return not closes_day and unpublished.has_unbuilt_day(warehouse, tenant_id)

    if must_stay():
        return False
    return held.enter_context(runs.try_tenant_lock(warehouse, tenant_id)) and not must_stay()


def _extracted(
    state: Literal["complete", "waiting_for_limit"],
    run: runs.Run,
    catching_up: CatchingUp,
    *,
    resume_at: datetime | None = None,
) -> Extracted:
    return Extracted(
        state,
        run.run_id,
        counts=catching_up.counts,
        gaps=catching_up.gaps,
        drifts=catching_up.drifts,
        alarms=catching_up.alarms,
        resume_at=resume_at,
    )
