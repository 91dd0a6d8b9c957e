"""What the first tasks of the Dags do: name the organisations that there is something to do for.

Knows the hook and the questions to the warehouse. Must not know SQL, HTTP or when anything runs.
What travels between tasks are ids, names and days, never a token.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseOperator
from airflow.sdk.configuration import conf

from airflow_xero.connect import skipped_tenants, tenants_to_extract
from airflow_xero.due import require_begun, tenants_to_backfill, tenants_to_refresh, waiting_tenants
from airflow_xero.errors import XeroSetupError
from airflow_xero.hook import XeroHook
from airflow_xero.migrate import require_migrated
from airflow_xero.operators import SKIPPED_KEY, day_of_run
from airflow_xero.outcome import CONNECT_FIRST
from airflow_xero.pausing import is_paused
from airflow_xero.run_configuration import (
    ACCEPT_DELETIONS,
    DAY,
    FRESH,
    TENANTS,
    asked_tenants,
    require_known,
)
from airflow_xero.settings import DAILY_HOUR, backfill_calls

if TYPE_CHECKING:
    from airflow.sdk import Context

_Tenant = TypeVar("_Tenant")


class ListTenantsOperator(BaseOperator):
    """Names the organisations to extract, as `[{"tenant_id", "tenant_name"}]`.

    Refuses a warehouse that is older than the code, a day to come, and more organisations than
    Airflow maps.
    Organisations that must be reconnected are left out, logged, and kept under the XCom key
    `skipped` for the report.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Return the organisations by name, none when nobody has connected one."""
        require_known(context["dag_run"].conf, DAY, FRESH, ACCEPT_DELETIONS)
        day = day_of_run(context)
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            hook.app()  # Says so when the client id or secret is missing.
            require_migrated(warehouse)
            require_begun(warehouse, day, now=context["dag_run"].run_after)
            tenants = tenants_to_extract(warehouse, self.xero_conn_id)
            skipped = skipped_tenants(warehouse, self.xero_conn_id)
        refuse_too_many(len(tenants))
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

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Return the organisations, those first that waited longest; usually none."""
        require_known(context["dag_run"].conf, ACCEPT_DELETIONS)
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            waiting = waiting_tenants(warehouse, self.xero_conn_id)
        waiting = as_many_as_mapped(waiting)
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

    As `[{"tenant_id", "tenant_name", "day"}]`; the day is the last complete one. None where
    `[xero] backfill_calls` is 0: it would be extracted every hour, and nothing of its past read.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Return the organisations, those first that were read longest ago; none at the end."""
        require_known(context["dag_run"].conf, ACCEPT_DELETIONS)
        if not backfill_calls():
            self.log.info("[xero] backfill_calls is 0: nothing of the past is fetched")
            return []
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            tenants = tenants_to_backfill(warehouse, self.xero_conn_id)
        tenants = as_many_as_mapped(tenants)
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


class ListRefreshOperator(BaseOperator):
    """Names the organisations to bring up to now within their open day.

    As `[{"tenant_id", "tenant_name", "day"}]`; the day is that of the run (UTC), and is not closed.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Return those that have a complete day, those first that were read longest ago."""
        require_known(context["dag_run"].conf, ACCEPT_DELETIONS)
        day = context["dag_run"].run_after.astimezone(UTC).date().isoformat()
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            tenants = tenants_to_refresh(warehouse, self.xero_conn_id)
        tenants = as_many_as_mapped(tenants)
        self.log.info("day=%s organisations=%d", day, len(tenants))
        return [
            {"tenant_id": tenant.tenant_id, "tenant_name": tenant.tenant_name, "day": day}
            for tenant in tenants
        ]


class ListAskedOperator(BaseOperator):
    """Names the organisations that the run's configuration asks for: `{"tenants": [<id>, ...]}`.

    As `[{"tenant_id", "tenant_name", "day"}]`; the day is the last that is over in every time
    zone, which is that of the latest night. Those that are paused, disconnected or must be
    reconnected are left out and logged. Raises XeroSetupError when none is left, unless all of them
    are paused: somebody waits, and a green run would say that it was read.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Return those that can be extracted, by name."""
        dag_run = context["dag_run"]
        require_known(dag_run.conf, TENANTS, FRESH, ACCEPT_DELETIONS)
        asked = asked_tenants(dag_run.conf)
        day = last_day_over(dag_run.run_after).isoformat()
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            tenants = tenants_to_extract(warehouse, self.xero_conn_id)
            tenants = [tenant for tenant in tenants if tenant.tenant_id in asked]
            left_out = sorted(asked - {tenant.tenant_id for tenant in tenants})
            lost = [each for each in left_out if not is_paused(warehouse, self.xero_conn_id, each)]
        refuse_too_many(len(tenants))
        for tenant_id in left_out:
            self.log.warning("left out tenant=%s: paused, or nobody's live connection", tenant_id)
        if lost and not tenants:
            raise XeroSetupError(
                f"Nothing can be read of what was asked for: {lost[0]} is no organisation that"
                " somebody connected, or must be connected again: see the page Xero"
            )
        self.log.info("day=%s organisations=%d", day, len(tenants))
        return [
            {"tenant_id": tenant.tenant_id, "tenant_name": tenant.tenant_name, "day": day}
            for tenant in tenants
        ]


def last_day_over(moment: datetime) -> date:
    """The last day that was over in every time zone at a moment (aware): no later day is closed."""
    return (moment.astimezone(UTC) - timedelta(hours=DAILY_HOUR)).date() - timedelta(days=1)


def refuse_too_many(organisations: int) -> None:
    """Raise XeroSetupError naming the setting when Airflow would not map as many organisations.

    Airflow itself refuses them with a "Failed to push XCom", and says no setting.
    """
    most = _most_mapped()
    if organisations > most:
        raise XeroSetupError(
            f"{organisations} organisations are to be read, and Airflow maps at most {most} tasks:"
            f" set [core] max_map_length (AIRFLOW__CORE__MAX_MAP_LENGTH) to at least"
            f" {organisations} on the API server, the scheduler and every worker, and start them"
            " again"
        )


def as_many_as_mapped(tenants: list[_Tenant]) -> list[_Tenant]:
    """The first of them, as many as Airflow maps; the others' turn comes with the next run."""
    return tenants[: _most_mapped()]


def _most_mapped() -> int:
    return int(conf.getint("core", "max_map_length", fallback=1024))
