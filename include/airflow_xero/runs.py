"""The rows of xero_ops.extract_runs: one extraction each, from its start to its end.

Knows the states running → complete | waiting_for_limit | failed | superseded, and the lock that
keeps one tenant from being extracted twice at once. Must not know HTTP, tokens, or what is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from airflow_xero.errors import TenantBusyError, WarehouseBusyError
from airflow_xero.warehouse import first_column, require_idle, warehouse_errors


@dataclass(frozen=True)
class Run:
    """One extraction; `known_at` (aware UTC) is later than that of any earlier one.

    `accepts_deletions`: somebody agreed that many records are gone.
    """

    run_id: int
    known_at: datetime
    accepts_deletions: bool = False


@contextmanager
def tenant_lock(connection: psycopg.Connection[Any], tenant_id: str) -> Iterator[None]:
    """Hold the tenant for one extraction; the session's end frees it, however it ends.

    Raises TenantBusyError at once when another extraction holds it, ValueError when the
    connection is inside a transaction.
    """
    with try_tenant_lock(connection, tenant_id) as is_held:
        if not is_held:
            raise TenantBusyError(
                "Another extraction of this organisation is under way; this one is tried again"
                " later",
                tenant_id=tenant_id,
            )
        yield


@contextmanager
def try_tenant_lock(connection: psycopg.Connection[Any], tenant_id: str) -> Iterator[bool]:
    """Hold the tenant if nobody else does; whether it is held. Raises as `tenant_lock` else."""
    require_idle(connection)
    name = f"airflow_xero.extract:{tenant_id}"
    with warehouse_errors(tenant_id=tenant_id):
        _row(connection, _KEEP_ALIVE, ())
        row = _row(connection, "select pg_try_advisory_lock(hashtextextended(%s, 0))", (name,))
    if not row[0]:
        yield False
        return
    try:
        yield True
    finally:
        if not connection.closed and not connection.broken:
            # The session's end frees it, too, and what ended the session must not be hidden.
            with suppress(psycopg.Error):
                _row(connection, "select pg_advisory_unlock(hashtextextended(%s, 0))", (name,))


def start(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    *,
    day: date,
    dag_run_id: str | None,
    closes_day: bool = True,
    accepts_deletions: bool = False,
) -> Run:
    """Begin a run, or go on with the one that waited for a limit on the same day.

    A run found running was killed, since the caller holds the lock: it is closed as failed. One
    that does not close its day leaves the waiting ones that do: their reports are still wanted.
    What somebody agreed to for a run that waited is still agreed to when it goes on.
    """
    values = {
        "tenant_id": tenant_id,
        "day": day,
        "dag_run_id": dag_run_id,
        "closes_day": closes_day,
        "accepts_deletions": accepts_deletions,
    }
    with (
        warehouse_errors(tenant_id=tenant_id),
        connection.transaction(),
        connection.cursor(row_factory=class_row(Run)) as cursor,
    ):
        cursor.execute(_SUPERSEDE, values)
        run = cursor.execute(_RESUME, values).fetchone()
        return run or cursor.execute(_START, values).fetchall()[0]


def complete(
    connection: psycopg.Connection[Any], tenant_id: str, run: Run, *, remark: str | None = None
) -> None:
    """Publish the run: the tenant is complete as of its known_at, in one transaction.

    Its last complete day moves only by a run that closes its day. `remark` says what is missing all
    the same, None where nothing is.
    """
    with warehouse_errors(tenant_id=tenant_id), connection.transaction():
        connection.execute(_COMPLETE, {"run_id": run.run_id, "remark": remark})


def wait_for_limit(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    run: Run,
    *,
    reason: str,
    seconds: int,
) -> datetime:
    """Close this try until Xero's limit opens, `seconds` from now; when that is (aware)."""
    with warehouse_errors(tenant_id=tenant_id):
        resume_at: datetime = _row(
            connection,
            "update xero_ops.extract_runs set state = 'waiting_for_limit', state_reason = %s,"
            " resume_at = clock_timestamp() + make_interval(secs => %s) where run_id = %s"
            " returning resume_at",
            (reason, seconds, run.run_id),
        )[0]
    return resume_at


def fail(connection: psycopg.Connection[Any], tenant_id: str, run: Run, *, reason: str) -> None:
    """Store why the run failed. A dead connection is no error: the next run closes the row."""
    try:
        with warehouse_errors(tenant_id=tenant_id), connection.transaction():
            connection.execute(
                "update xero_ops.extract_runs set state = 'failed', state_reason = %s,"
                " finished_at = clock_timestamp() where run_id = %s",
                (reason, run.run_id),
            )
    except WarehouseBusyError:
        return


def close_killed(connection: psycopg.Connection[Any]) -> int:
    """Close as failed what was killed and nothing went on with since; how many runs.

    `start` closes those of its own organisation. One that was paused or disconnected meanwhile has
    no next run, and its last one would be called running for ever. Raises WarehouseBusyError,
    ValueError when the connection is inside a transaction.
    """
    closed = 0
    for tenant_id in first_column(connection, _RUNNING, {}):
        # Whoever extracts holds the lock before its row, and until after it.
        with try_tenant_lock(connection, tenant_id) as is_free:
            if is_free:
                with warehouse_errors(tenant_id=tenant_id), connection.transaction():
                    closed += connection.execute(_CLOSE_KILLED, {"tenant_id": tenant_id}).rowcount
    return closed


def _row(connection: psycopg.Connection[Any], query: str, values: Any) -> tuple[Any, ...]:
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values).fetchone() or (None,)


# Two minutes after a worker's machine is gone, its session and with it the lock are gone, too.
_KEEP_ALIVE = """
select
    set_config('tcp_keepalives_idle', '60', false),
    set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '6', false)
"""

_SUPERSEDE = """
update xero_ops.extract_runs
set
    state = case state when 'running' then 'failed' else 'superseded' end,
    state_reason = case state
        when 'running' then 'the task was killed; the next run continued'
        else 'a later run continued where this one waited'
    end,
    resume_at = null,
    finished_at = clock_timestamp()
where
    tenant_id = %(tenant_id)s
    and (
        state = 'running'
        or (
            state = 'waiting_for_limit'
            -- A run that closes its day is wanted until another one does.
            and case
                when closes_day then %(closes_day)s and day < %(day)s
                else %(closes_day)s or day < %(day)s
            end
        )
    )
"""

_RUNNING = """
select distinct tenant_id::text from xero_ops.extract_runs where state = 'running'
"""

_CLOSE_KILLED = """
update xero_ops.extract_runs
set
    state = 'failed',
    state_reason = 'the task was killed; the next run continues',
    finished_at = clock_timestamp()
where tenant_id = %(tenant_id)s and state = 'running'
"""

# Later than every earlier run of the tenant, even if the server's clock was set back.
_NEXT_KNOWN_AT = """greatest(
    clock_timestamp(),
    (
        select max(known_at) + interval '1 microsecond'
        from xero_ops.extract_runs
        where tenant_id = %(tenant_id)s
    )
)"""

# What is read from now on was not known when the run began to wait.
_RESUME = f"""
update xero_ops.extract_runs as resumed
set
    state = 'running',
    state_reason = null,
    resume_at = null,
    dag_run_id = coalesce(%(dag_run_id)s, dag_run_id),
    accepts_deletions = accepts_deletions or %(accepts_deletions)s,
    known_at = {_NEXT_KNOWN_AT}
where run_id = (
    select max(run_id) from xero_ops.extract_runs
    where
        tenant_id = %(tenant_id)s
        and day = %(day)s
        and closes_day = %(closes_day)s
        and state = 'waiting_for_limit'
)
returning run_id, known_at, accepts_deletions
"""  # noqa: S608 -- a constant of this module

_START = f"""
insert into xero_ops.extract_runs (
    tenant_id, day, dag_run_id, known_at, state, closes_day, accepts_deletions
)
values (
    %(tenant_id)s, %(day)s, %(dag_run_id)s, {_NEXT_KNOWN_AT}, 'running', %(closes_day)s,
    %(accepts_deletions)s
)
returning run_id, known_at, accepts_deletions
"""  # noqa: S608

_COMPLETE = """
with finished as (
    update xero_ops.extract_runs
    set state = 'complete', state_reason = %(remark)s, finished_at = clock_timestamp()
    where run_id = %(run_id)s
    returning tenant_id, run_id, known_at, day, closes_day
)

update xero_ops.tenants
set
    complete_at = finished.known_at,
    -- A late run of an earlier day does not take the later day back.
    complete_day = greatest(
        tenants.complete_day, case when finished.closes_day then finished.day end
    ),
    complete_run_id = finished.run_id
from finished
where tenants.tenant_id = finished.tenant_id
"""
