"""What Airflow's tasks of `xero_daily` do: list the organisations, extract one, report.

Knows the hook, the stories and Airflow's context. Must not know SQL, HTTP or when anything runs.
What travels between tasks are ids, names and counts, never a token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from airflow_xero.connect import skipped_tenants, status, tenants_to_extract
from airflow_xero.errors import TenantForbiddenError, XeroSetupError
from airflow_xero.extract import Extracted, extract_day
from airflow_xero.hook import XeroHook
from airflow_xero.migrate import require_migrated
from airflow_xero.outcome import CONNECT_FIRST, FAILURE_KEY, Outcome, reason_of
from airflow_xero.standing import tenants_to_backfill, waiting_tenants

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

SKIPPED_KEY = "skipped"


def day_of_run(context: Context) -> date:
    """The day whose reports a run fetches (a UTC date).

    The run's configuration `{"day": "2026-11-20"}` wins; else the date on which the data interval
    of the schedule starts; else, for a run without logical date, the day before it was due.
    Raises XeroSetupError when the configured day is not a date.
    """
    dag_run = context["dag_run"]
    configured = (dag_run.conf or {}).get("day")
    if configured is not None:
        try:
            return date.fromisoformat(configured)
        except (TypeError, ValueError):
            raise XeroSetupError(
                f'The run\'s configuration "day" is {configured!r}; it must look like 2026-11-20'
            ) from None
    if dag_run.data_interval_start is not None:
        return _utc_date(dag_run.data_interval_start)
    return _utc_date(dag_run.run_after) - timedelta(days=1)


def _utc_date(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


class ListTenantsOperator(BaseOperator):
    """Names the organisations to extract, as `[{"tenant_id", "tenant_name"}]`.

    Refuses a warehouse that is older than the code. Organisations that must be reconnected are
    left out, logged, and kept under the XCom key `skipped` for the report.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Return the organisations by name, none when nobody has connected one."""
        day = day_of_run(context)
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            hook.app()  # Says so when the client id or secret is missing.
            require_migrated(warehouse)
            tenants = tenants_to_extract(warehouse, self.xero_conn_id)
            skipped = skipped_tenants(warehouse, self.xero_conn_id)
        for tenant in skipped:
            self.log.warning("skipped tenant=%r reason=%r", tenant.tenant_name, tenant.reason)
        context["ti"].xcom_push(
            key=SKIPPED_KEY,
            value=[{"tenant_name": t.tenant_name, "reason": t.reason} for t in skipped],
        )
        self.log.info("day=%s organisations=%d skipped=%d", day, len(tenants), len(skipped))
        if not tenants and not skipped:
            self.log.info(CONNECT_FIRST)
        return [{"tenant_id": t.tenant_id, "tenant_name": t.tenant_name} for t in tenants]


class ListWaitingOperator(BaseOperator):
    """Names the organisations whose wait for a limit is over, and the day each waited with.

    As `[{"tenant_id", "tenant_name", "day"}]`, for ExtractTenantOperator.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002
        """Return the organisations, those first that waited longest; usually none."""
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            waiting = waiting_tenants(warehouse, self.xero_conn_id)
        self.log.info("organisations=%d", len(waiting))
        return [
            {
                "tenant_id": tenant.tenant_id,
                "tenant_name": tenant.tenant_name,
                "day": tenant.day.isoformat(),
            }
            for tenant in waiting
        ]


class ListBackfillOperator(BaseOperator):
    """Names the organisations of which reports of past days are wanted, for ExtractTenantOperator.

    As `[{"tenant_id", "tenant_name", "day"}]`; the day is the last complete one.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002
        """Return the organisations by name; none once the past is fetched."""
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            tenants = tenants_to_backfill(warehouse, self.xero_conn_id)
        for tenant in tenants:
            self.log.info("tenant=%r reports_wanted=%d", tenant.tenant_name, tenant.reports_wanted)
        return [
            {
                "tenant_id": tenant.tenant_id,
                "tenant_name": tenant.tenant_name,
                "day": tenant.day.isoformat(),
            }
            for tenant in tenants
        ]


class ExtractTenantOperator(BaseOperator):
    """Extracts one organisation; expand it over what a listing operator gives.

    For the tenant's `day` when it has one, else for the run's. `backfill_calls` may be spent on
    reports of past days. The run's configuration `{"accept_deletions": true}` agrees that many
    records are gone.

    A limit that opens much later ends the task as waiting, not as failed. Raises XeroError (the
    retry policy decides), and keeps the reason under the XCom key `failure` for the report.
    """

    def __init__(
        self,
        *,
        tenant: Mapping[str, str],
        xero_conn_id: str,
        backfill_calls: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tenant = tenant
        self.xero_conn_id = xero_conn_id
        self.backfill_calls = backfill_calls

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the organisation, its state (complete, waiting_for_limit) and counts."""
        try:
            return self._extract(context)
        except Exception as error:
            failure = {**self.tenant, "reason": reason_of(error)}
            context["ti"].xcom_push(key=FAILURE_KEY, value=failure)
            raise

    def _extract(self, context: Context) -> dict[str, Any]:
        own_day = self.tenant.get("day")
        dag_run = context["dag_run"]
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            tenant = hook.tenant(self.tenant["tenant_id"])
            try:
                extracted = extract_day(
                    tenant,
                    date.fromisoformat(own_day) if own_day else day_of_run(context),
                    client=hook.client(tenant),
                    warehouse=warehouse,
                    endpoints=hook.endpoints(),
                    accept_deletions=(dag_run.conf or {}).get("accept_deletions") is True,
                    backfill_calls=self.backfill_calls,
                    dag_run_id=dag_run.run_id,
                )
            except TenantForbiddenError:
                hook.reconcile(tenant, warehouse)
                raise
            summary = {**self.tenant, "state": extracted.state, **_totals(extracted)}
            summary["gaps"] = dict(extracted.gaps)
            summary["drifts"] = [str(drift) for drift in extracted.drifts]
            if extracted.state == "waiting_for_limit":
                summary["resume_at"] = self._resume_at(warehouse)
        self.log.info("%s", " ".join(f"{name}={value!r}" for name, value in summary.items()))
        return summary

    def _resume_at(self, warehouse: psycopg.Connection[Any]) -> str | None:
        for organisation in status(warehouse, self.xero_conn_id):
            if organisation.tenant_id == self.tenant["tenant_id"] and organisation.resume_at:
                return organisation.resume_at.isoformat(timespec="minutes")
        return None


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
    fails nothing. Raises AirflowFailException naming the organisations that failed.
    """

    def __init__(self, *, listed_by: str, extracted_by: str, built_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.listed_by = listed_by
        self.extracted_by = extracted_by
        self.built_by = built_by

    def execute(self, context: Context) -> None:
        """Write the report; return nothing."""
        pull = context["ti"].xcom_pull
        tenants = pull(task_ids=self.listed_by)
        if tenants is None:
            raise AirflowFailException(f"Nothing was extracted: see the log of {self.listed_by}")
        outcome = Outcome(
            day=day_of_run(context),
            tenants=tenants,
            results=as_list(pull(task_ids=self.extracted_by)),
            failures=as_list(pull(task_ids=self.extracted_by, key=FAILURE_KEY)),
            skipped=pull(task_ids=self.listed_by, key=SKIPPED_KEY) or (),
            not_published=self._not_published(pull),
            published=(pull(task_ids=self.built_by) or {}).get("runs", 0),
        )
        self.log.info(outcome.headline())
        for remark in outcome.remarks():
            self.log.warning(remark)
        if complaint := outcome.complaint():
            raise AirflowFailException(complaint)

    def _not_published(self, pull: Callable[..., Any]) -> str | None:
        if pull(task_ids=self.built_by) is not None:
            return None
        return pull(task_ids=self.built_by, key=FAILURE_KEY) or f"see the log of {self.built_by}"


def as_list(pulled: Any) -> list[dict[str, Any]]:
    """The values of a mapped task: Airflow unwraps a list of one, and gives None for none."""
    values = pulled if isinstance(pulled, list) else [pulled]
    return [value for value in values if value is not None]
