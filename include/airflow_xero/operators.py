"""What Airflow's tasks do: extract one organisation, report how a run went, watch.

Knows the hook, the stories and Airflow's context. Must not know SQL, HTTP or when anything runs.
What travels between tasks are ids, names and counts, never a token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from airflow_xero import causes, metrics, runs, settings
from airflow_xero.errors import (
    ConsentLostError,
    NotConnectedError,
    TenantForbiddenError,
    XeroError,
)
from airflow_xero.extract import Extracted, Tenant, extract_day
from airflow_xero.hook import XeroHook
from airflow_xero.migrate import require_migrated
from airflow_xero.notifiers import link_of, page_link, tell, tell_at_once
from airflow_xero.notify import Notice, note
from airflow_xero.outcome import FAILURE_KEY, LOST_CONSENT, UNTIED_KEY, Outcome, reason_of
from airflow_xero.run_configuration import accepts_deletions, day_in, is_fresh
from airflow_xero.standing import why_left_out

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

SKIPPED_KEY = "skipped"


def day_of_run(context: Context) -> date:
    """The day whose reports a run fetches (a UTC date).

    The run's configuration `{"day": "2026-11-20"}` wins; else the date on which the data interval
    of the schedule starts; else, for a run without logical date, the day before it was due.
    Raises XeroSetupError when the configured day is no day in this form.
    """
    dag_run = context["dag_run"]
    configured = day_in(dag_run.conf)
    if configured is not None:
        return configured
    if dag_run.data_interval_start is not None:
        return _utc_date(dag_run.data_interval_start)
    return _utc_date(dag_run.run_after) - timedelta(days=1)


def _utc_date(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


class ExtractTenantOperator(BaseOperator):
    """Extracts one organisation; expand it over what a listing operator gives.

    For the tenant's `day` when it has one, else for the run's. `backfill_calls` may be spent on
    reports of past days. Without `closes_day` it is a refresh: everything but reports is read, and
    the task is skipped where another extraction of the organisation is under way; with
    `gives_way`, one that closes its day is skipped then, too. The run's configuration
    `{"accept_deletions": ["<tenant id>"]}` agrees that many records of those organisations are
    gone, `true` that they are of every one. With `fresh`, unless the configuration says otherwise
    in a key of this name, what is read daily is read also when it was within half an hour.

    A limit that opens much later ends the task as waiting, not as failed. An organisation that was
    paused, disconnected or erased since it was listed, or whose consent is lost, is skipped, with
    the reason under the XCom key `skipped`. Raises XeroError (the retry policy decides), and keeps
    the reason under the XCom key `failure`; both are for the report.
    """

    def __init__(
        self,
        *,
        tenant: Mapping[str, str],
        xero_conn_id: str,
        backfill_calls: int = 0,
        closes_day: bool = True,
        gives_way: bool = False,
        fresh: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tenant = tenant
        self.xero_conn_id = xero_conn_id
        self.backfill_calls = backfill_calls
        self.closes_day = closes_day
        self.gives_way = gives_way
        self.fresh = fresh

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the organisation, its state (complete, waiting_for_limit) and counts."""
        ti = context["ti"]
        if ti.try_number == 1:
            slots, seconds = settings.extract_slots(), settings.start_seconds()
            time.sleep(seconds_to_start(ti.map_index or 0, slots=slots, seconds=seconds))
        try:
            return self._extract(context)
        except AirflowSkipException as skipped:
            ti.xcom_push(key=SKIPPED_KEY, value={**self.tenant, "reason": str(skipped)})
            raise
        except Exception as error:
            failure = {
                **self.tenant,
                "reason": reason_of(error),
                "advice": causes.advice_of(error),
                "kind": causes.kind_of(error),
            }
            if isinstance(error, ConsentLostError):
                failure[LOST_CONSENT] = error.message
            ti.xcom_push(key=FAILURE_KEY, value=failure)
            raise

    def _extract(self, context: Context) -> dict[str, Any]:
        own_day = self.tenant.get("day")
        dag_run = context["dag_run"]
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            tenant = self._still_live(hook, warehouse)
            try:
                with metrics.counted(hook.http(), tenant.tenant_id):
                    extracted = extract_day(
                        tenant,
                        date.fromisoformat(own_day) if own_day else day_of_run(context),
                        client=hook.client(tenant, warehouse=warehouse),
                        warehouse=warehouse,
                        endpoints=hook.endpoints(),
                        accept_deletions=accepts_deletions(dag_run.conf, tenant.tenant_id),
                        backfill_calls=self.backfill_calls,
                        dag_run_id=dag_run.run_id,
                        closes_day=self.closes_day,
                        gives_way=self.gives_way,
                        fresh=is_fresh(dag_run.conf, unless_said=self.fresh),
                        on_alarm=partial(
                            self._note_alarm, warehouse=warehouse, link=link_of(context)
                        ),
                    )
            except TenantForbiddenError:
                hook.reconcile(tenant, warehouse)
                raise
            metrics.emit_counts(extracted, tenant.tenant_id)
            if extracted.state == "gave_way":
                raise AirflowSkipException(
                    "Another extraction of it is under way or not published yet: that one reads"
                )
            summary = {**self.tenant, "state": extracted.state, **_totals(extracted)}
            summary["gaps"] = dict(extracted.gaps)
            summary["drifts"] = [str(drift) for drift in extracted.drifts]
            if extracted.resume_at:
                summary["resume_at"] = extracted.resume_at.isoformat(timespec="minutes")
        self.log.info("%s", " ".join(f"{name}={value!r}" for name, value in summary.items()))
        return summary

    def _still_live(self, hook: XeroHook, warehouse: psycopg.Connection[Any]) -> Tenant:
        """The organisation, which was live when it was listed; hours may have passed since."""
        tenant_id = self.tenant["tenant_id"]
        try:
            return hook.tenant(tenant_id, warehouse=warehouse)
        except NotConnectedError:
            if why := why_left_out(warehouse, self.xero_conn_id, tenant_id):
                raise AirflowSkipException(why) from None
            raise

    def _note_alarm(
        self, endpoint: str, what: str, *, warehouse: psycopg.Connection[Any], link: str | None
    ) -> None:
        """Written down when found, so that it is told whichever Dag does, and if it fails later."""
        where = (self.tenant["tenant_id"], self.tenant["tenant_name"])
        notice = causes.alarm(*where, endpoint=endpoint, what=what)
        note(warehouse, [notice], now=_now(), link=link)


def seconds_to_start(place: int, *, slots: int, seconds: float) -> float:
    """How long the organisation at a place of a run's list waits before it asks Xero.

    Only those that begin at once with others, `slots` at a time, are `seconds` apart: a later one
    begins when an earlier one ends.
    """
    return place * seconds if 0 < place < slots else 0.0


def _now() -> datetime:
    return datetime.now(UTC)


def _totals(extracted: Extracted) -> dict[str, int]:
    counts = extracted.counts.values()
    return {
        "calls": sum(count.calls for count in counts),
        "records_read": sum(count.records_read for count in counts),
        "records_new": sum(count.records_new for count in counts),
        "records_changed": sum(count.records_changed for count in counts),
        "records_deleted": sum(count.records_deleted for count in counts),
    }


class ReportOutcomeOperator(BaseOperator):
    """Says in a few lines how the run went, and turns it red when something failed.

    Give it the trigger rule `all_done`. An organisation that waits for a limit is named and
    fails nothing. People are told as section [xero] says. Raises AirflowFailException naming the
    organisations that failed.
    """

    def __init__(
        self,
        *,
        xero_conn_id: str,
        listed_by: str,
        extracted_by: str,
        built_by: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id
        self.listed_by = listed_by
        self.extracted_by = extracted_by
        self.built_by = built_by

    def execute(self, context: Context) -> None:
        """Write the report; return nothing."""
        pull = context["ti"].xcom_pull
        tenants = pull(task_ids=self.listed_by)
        if tenants is None:
            failed = causes.task_failed(context["ti"].dag_id, self.listed_by)
            self._tell(context, [failed])
            raise AirflowFailException(f"Nothing was extracted: see the log of {self.listed_by}")
        left_out = as_list(pull(task_ids=self.extracted_by, key=SKIPPED_KEY))
        outcome = Outcome(
            day=day_of_run(context),
            tenants=_without(tenants, left_out),
            results=as_list(pull(task_ids=self.extracted_by)),
            failures=as_list(pull(task_ids=self.extracted_by, key=FAILURE_KEY)),
            skipped=[*(pull(task_ids=self.listed_by, key=SKIPPED_KEY) or ()), *left_out],
            not_published=self._not_published(pull),
            published=(pull(task_ids=self.built_by) or {}).get("runs", 0),
            untied=self._untied(pull),
        )
        self.log.info(outcome.headline())
        for remark in outcome.remarks():
            self.log.warning(remark)
        self._tell(context, causes.of_outcome(outcome))
        if complaint := outcome.complaint():
            raise AirflowFailException(complaint)

    def _tell(self, context: Context, notices: list[Notice]) -> None:
        link = link_of(context)
        try:
            tell(notices, xero_conn_id=self.xero_conn_id, link=link)
        except XeroError as error:
            # This task runs once a day: better told twice than not at all.
            self.log.warning("Who was told already is not known: %s", error)
            if notices:
                tell_at_once(notices, link=link)

    def _not_published(self, pull: Callable[..., Any]) -> str | None:
        if pull(task_ids=self.built_by) is not None or self._untied(pull):
            return None
        return pull(task_ids=self.built_by, key=FAILURE_KEY) or f"see the log of {self.built_by}"

    def _untied(self, pull: Callable[..., Any]) -> str | None:
        if pull(task_ids=self.built_by) is not None:
            return None
        untied: str | None = pull(task_ids=self.built_by, key=UNTIED_KEY)
        return untied


class WatchOperator(BaseOperator):
    """Finds what no failed task tells of: a late day, lost and lapsing consents, news of Xero's.

    Also sends what could not be sent before, and closes extractions that were killed. Raises
    AirflowFailException while something cannot be sent, XeroError when the warehouse cannot be
    asked.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> int:
        """Return how many messages were sent."""
        dag_run = context["dag_run"]
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            if closed := runs.close_killed(warehouse):
                self.log.warning("extractions that were killed, and closed now: %d", closed)
            notices = list(causes.new_drifts(warehouse))
            if deadline := settings.deadline():
                notices += causes.late(
                    warehouse,
                    self.xero_conn_id,
                    begins_hour=settings.DAILY_HOUR,
                    deadline=deadline,
                    first_day=settings.first_day().date(),
                    now=dag_run.run_after,
                )
            consents = causes.of_consents(warehouse, self.xero_conn_id, now=_now())
            note(warehouse, consents, now=_now(), link=page_link())
        sent = tell(notices, xero_conn_id=self.xero_conn_id, link=link_of(context))
        if sent.failures:
            raise AirflowFailException(f"People are not told: {'; '.join(sent.failures)}")
        return sent.messages


def _without(
    tenants: Sequence[Mapping[str, str]], left_out: Sequence[Mapping[str, str]]
) -> list[Mapping[str, str]]:
    ids = {each["tenant_id"] for each in left_out}
    return [tenant for tenant in tenants if tenant["tenant_id"] not in ids]


def as_list(pulled: Any) -> list[dict[str, Any]]:
    """The values of a mapped task: Airflow unwraps a list of one, and gives None for none."""
    values = pulled if isinstance(pulled, list) else [pulled]
    return [value for value in values if value is not None]
