"""Extract one organisation for a day: from its lock to its publication.

The story of a mapped task. How each kind of endpoint is brought up to now is told by
`catching_up.py`. Must not know Airflow, HTTP or SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg

from airflow_xero import runs
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

    `gaps` says, by endpoint name, what may be missing from it and why; `drifts` what Xero sent for
    the first time and does not document.
    """

    state: Literal["complete", "waiting_for_limit"]
    run_id: int
    counts: Mapping[str, EndpointCounts]
    gaps: Mapping[str, str]
    drifts: Sequence[Drift] = ()


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
) -> Extracted:
    """Extract one organisation: documents up to now, reports as at `day`.

    `endpoints` are those to read, the first of them Organisation; `accept_deletions`: somebody
    agreed that many records are gone; `backfill_calls` may be spent on reports of past days.
    Returns `complete`, or `waiting_for_limit` when Xero's limit opens much later only (the cursor
    is kept). Any other error is stored as the run's reason and raised; WarehouseBusyError when
    another extraction of the same organisation is under way. `warehouse` must not be inside a
    transaction; every page is committed.
    """
    with runs.tenant_lock(warehouse, tenant.tenant_id):
        run = runs.start(warehouse, tenant.tenant_id, day=day, dag_run_id=dag_run_id)
        catching_up = CatchingUp(
            tenant,
            day,
            client=client,
            warehouse=warehouse,
            run=run,
            accept_deletions=accept_deletions,
            backfill_calls=backfill_calls,
        )
        try:
            catching_up.read_all(endpoints)
            runs.complete(warehouse, tenant.tenant_id, run, remark=catching_up.remark())
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
            return Extracted("waiting_for_limit", run.run_id, catching_up.counts, catching_up.gaps)
        except XeroError as error:
            runs.fail(warehouse, tenant.tenant_id, run, reason=error.message)
            raise
        except Exception as fault:
            # The page must not go on saying that this organisation is being read.
            runs.fail(warehouse, tenant.tenant_id, run, reason=f"a fault: {type(fault).__name__}")
            raise
        return Extracted(
            "complete", run.run_id, catching_up.counts, catching_up.gaps, catching_up.drifts
        )
