"""What people are told, and in which words: one function a cause.

The only home of causes and their texts: a new one is a function here that returns a Notice.
Knows errors, what extractions leave behind in xero_ops, and the tie-out. Must not know Airflow, how
a notice is sent, or a word of a customer's documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

from airflow_xero.chosen import CHOSEN
from airflow_xero.drift import Drift
from airflow_xero.errors import (
    PublishError,
    RateLimitError,
    TieOutError,
    XeroBusyError,
    XeroContractError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.lapsing import LapsingConsent, lapsing_consents, lost_consents
from airflow_xero.notify import ONCE_EVER, Notice
from airflow_xero.outcome import LOST_CONSENT, Outcome
from airflow_xero.tie_outs import BrokenTieOut
from airflow_xero.warehouse import warehouse_errors

_A_WEEK = 7
_LOG = "The log of its task says more."
_WITHOUT_A_WORD = f"Its task ended without a word. {_LOG}"


def extraction_failed(tenant_id: str, tenant_name: str, *, advice: str, kind: str | None) -> Notice:
    """An organisation could not be extracted.

    `advice` as `advice_of` words it; `kind` as `kind_of` tells failures apart: another one of the
    same day is news, and who heard of a limit must still hear of a lost scope.
    """
    return Notice(
        ":".join(filter(None, ("extraction_failed", tenant_id, kind))),
        f"Xero: the extraction of {tenant_name} failed",
        f"{advice} Its statistics stay as they were; the other organisations are not affected.",
        tenant_id=tenant_id,
    )


def needs_reconnect(
    tenant_id: str, tenant_name: str, *, user_name: str | None = None, is_invited: bool = False
) -> Notice:
    """Xero refused to renew the consent that reaches an organisation; told again after a week.

    Who `is_invited` cannot open the page: they are sent another invitation.
    """
    user = f"{user_name}, who connected it," if user_name else "The user who connected it"
    return Notice(
        f"needs_reconnect:{tenant_id}",
        f"Xero: {tenant_name} must be connected again",
        f"Xero takes the consent for it no longer. {user} or anybody else who may, presses Connect"
        " to Xero on the page Xero; its reading goes on where it stopped."
        + (" It came by an invitation: send a new one from there." if is_invited else "")
        + " Until then it is left out, and its statistics stay as they were. Pause it there to hear"
        " no more of it.",
        tenant_id=tenant_id,
        repeat_days=_A_WEEK,
    )


def lapses_soon(lapsing: LapsingConsent) -> Notice:
    """Nothing has used a consent for so long that Xero will forget it."""
    user = f" of {lapsing.user_name}" if lapsing.user_name else ""
    return Notice(
        f"lapses_soon:{lapsing.tenant_id}",
        f"Xero: the consent for {lapsing.tenant_name} ends on {lapsing.lapses_on}",
        f"Nothing has used the consent{user} for weeks, and Xero forgets one that is unused for 60"
        " days. Switch on the Dag xero_erase, which renews it, or extract the organisation once on"
        " the page Xero to keep it; or disconnect it there.",
        tenant_id=lapsing.tenant_id,
        repeat_days=_A_WEEK,
    )


def not_published(error: BaseException | None = None) -> Notice:
    """The statistics could not be renewed, because of `error` where it is known."""
    failed = "A model or test of dbt failed: the log of dbt_build names it."
    if error is not None and not isinstance(error, PublishError):
        failed = advice_of(error)
    return Notice(
        "not_published",
        "Xero: the statistics were not published",
        f"{failed} What was extracted is safe, and the next build takes it in.",
    )


def not_tolerated() -> Notice:
    """The statistics are published, but differ from Xero's reports by more than is tolerated."""
    return Notice(
        "not_tolerated",
        "Xero: the statistics are published, but do not add up to Xero's reports",
        "More is left over than [xero] tie_out_tolerance allows: the log of dbt_build names the"
        " organisations, rpt_tie_out what differs. It fails until a later extraction agrees.",
    )


def build_failed(error: BaseException | None) -> Notice:
    """What it means to a person that the task which publishes failed, of `error` where known."""
    return not_tolerated() if isinstance(error, TieOutError) else not_published(error)


def task_failed(dag_id: str, task_id: str | None, *, advice: str = _LOG) -> Notice:
    """Any other task failed, or a whole run."""
    place = f"{dag_id}.{task_id}" if task_id else dag_id
    return Notice(f"task_failed:{place}", f"Airflow: {place} failed", advice)


def alarm(tenant_id: str, tenant_name: str, *, endpoint: str, what: str) -> Notice:
    """A list of Xero's is not what it must be; what is stored was kept."""
    return Notice(
        f"alarm:{tenant_id}:{endpoint}",
        f"Xero: {endpoint} of {tenant_name} do not add up",
        f"{what}. Nothing was deleted here. Look into Xero.",
        tenant_id=tenant_id,
    )


def drifted(drift: Drift) -> Notice:
    """Xero sent what it does not document, or announced the end of something."""
    return Notice(
        f"drift:{drift.endpoint}:{drift.kind}:{drift.field}",
        f"Xero sends something new: {drift}",
        "It is stored as it is, and nothing failed. Look into Xero's changelog, and for a newer"
        " version of this package.",
        repeat_days=ONCE_EVER,
    )


def tie_out_broken(broken: BrokenTieOut) -> Notice:
    """What Xero reports differs from an organisation's documents, and nothing explains it."""
    accounts = ", ".join(broken.accounts)
    return Notice(
        f"tie_out_broken:{broken.tenant_id}",
        f"Xero: documents of {broken.tenant_name} do not add up to its reports",
        f"On {broken.report_date}: {accounts}. rpt_tie_out shows by how much. The next extraction"
        " reads the documents again; what is still different after that is a document that Xero"
        " did not show, or a rule of ours that is wrong.",
        tenant_id=broken.tenant_id,
    )


def of_outcome(outcome: Outcome) -> list[Notice]:
    """What people must know of a run: who failed, and how it went with the statistics."""
    lost = {each["tenant_id"] for each in outcome.failures if LOST_CONSENT in each}
    failures = {failure["tenant_id"]: failure for failure in outcome.failures}
    notices = [
        extraction_failed(
            tenant["tenant_id"],
            tenant["tenant_name"],
            advice=failures.get(tenant["tenant_id"], {}).get("advice", _WITHOUT_A_WORD),
            kind=failures.get(tenant["tenant_id"], {}).get("kind"),
        )
        for tenant in outcome.failed()
        # Told once, by `watch` or the task itself, with the link that repairs it.
        if tenant["tenant_id"] not in lost
    ]
    if outcome.not_published:
        return [*notices, not_published()]
    return [*notices, not_tolerated()] if outcome.untied else notices


def of_consents(warehouse: psycopg.Connection[Any], conn_id: str, *, now: datetime) -> list[Notice]:
    """What is lost, or will be because nothing uses it; each is told again after a week."""
    lost = lost_consents(warehouse, conn_id)
    lapsing = lapsing_consents(warehouse, conn_id, now=now)
    return [
        needs_reconnect(
            each.tenant_id,
            each.tenant_name,
            user_name=each.user_name,
            is_invited=each.is_invited,
        )
        for each in lost
    ] + [lapses_soon(each) for each in lapsing]


def advice_of(error: BaseException) -> str:
    """What failed and what to do, without quoting data: only our own words are passed on."""
    if not isinstance(error, XeroError):
        return f"{type(error).__name__}. {_LOG}"
    kind = f"{error.kind[:1].upper()}{error.kind[1:]} ({type(error).__name__})"
    if isinstance(error, XeroSetupError | XeroBusyError):
        return f"{kind}: {error.message}."
    return f"{kind}: a fault of ours or Xero's. Please report its task's log."


def kind_of(error: BaseException) -> str:
    """What tells a failure from another one of the same organisation on the same day.

    Of what Xero or a person must mend it is the class alone: the same cause shows at one endpoint
    and then at another. A fault of ours is another one at another endpoint.
    """
    name = type(error).__name__
    if isinstance(error, RateLimitError):
        return f"{name}:{error.limit}"
    if isinstance(error, XeroContractError) and error.endpoint:
        return f"{name}:{error.endpoint}"
    return name


@dataclass(frozen=True)
class Lateness:
    """How many organisations the day's run has not tried to the end, of how many.

    `unpublished` counts extractions that are complete for longer than the deadline, and are in no
    statistics.
    """

    organisations: int
    unread: int
    unpublished: int


def late(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    *,
    begins_hour: int,
    deadline: timedelta,
    first_day: date,
    now: datetime,
) -> list[Notice]:
    """The last day's run that should have ended by now and did not: a notice, or none.

    The run of a day begins at `begins_hour` (UTC) of the next one. Asks the warehouse, so that it
    does not matter why: a scheduler that was down, a paused Dag, a task that hangs. Organisations
    that failed or wait for a limit were tried, and are told about elsewhere.
    """
    began_at = (now - deadline).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    began_at -= timedelta(hours=(began_at.hour - begins_hour) % 24)
    day = began_at.date() - timedelta(days=1)
    if day < first_day:
        return []
    found = _lateness(warehouse, conn_id, day=day, began_at=began_at, before=now - deadline)
    if not found.unread and not found.unpublished:
        return []
    return [
        Notice(
            "late",
            f"Xero: the statistics of {day} are late",
            f"{found.unread} of {found.organisations} organisations are not extracted and"
            f" {found.unpublished} extractions are not published,"
            f" {deadline // timedelta(hours=1)} hours after the run was due. See that the Dag"
            " xero_daily is not paused, that Airflow's scheduler runs, and what its tasks wait"
            " for.",
        )
    ]


def _lateness(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    *,
    day: date,
    began_at: datetime,
    before: datetime,
) -> Lateness:
    values = {"conn_id": conn_id, "day": day, "began_at": began_at, "before": before}
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(Lateness)) as cursor,
    ):
        return cursor.execute(_LATENESS, values).fetchall()[0]


def new_drifts(warehouse: psycopg.Connection[Any]) -> Iterable[Notice]:
    """A notice for each drift that nobody was told of yet."""
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(Drift)) as cursor,
    ):
        return [drifted(drift) for drift in cursor.execute(_NEW_DRIFTS).fetchall()]


_LATENESS = f"""
with {CHOSEN},

expected as (
    select tenant_id
    from chosen
    where
        disconnected_at is null
        and grant_state = 'active'
        and paused_at is null
        and connected_at < %(began_at)s
),

tried as (
    select distinct tenant_id
    from xero_ops.extract_runs
    where day >= %(day)s and closes_day and state <> 'running'
)

select
    count(*) as organisations,
    count(*) filter (where tried.tenant_id is null) as unread,
    (
        select count(*) from xero_ops.extract_runs
        where state = 'complete' and built_at is null and finished_at < %(before)s
    ) as unpublished
from expected
left join tried using (tenant_id)
"""  # noqa: S608 -- two constants

_NEW_DRIFTS = """
select endpoint, field, kind
from xero_ops.schema_drift
where not exists (
    select from xero_ops.notices
    where cause = 'drift:' || endpoint || ':' || kind || ':' || field
)
order by first_seen_at, endpoint, field
"""
