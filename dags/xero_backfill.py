"""Reports of the time before the first extraction, and of months that have moved: every hour.

The work itself is in the installed package airflow_xero; no logic belongs here.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable

from airflow_xero import settings
from airflow_xero.dbt_build import DbtBuildOperator
from airflow_xero.listing_operators import ListBackfillOperator
from airflow_xero.notifiers import XeroNotifier
from airflow_xero.operators import ExtractTenantOperator
from airflow_xero.retry import XeroRetryPolicy

DOC = """
Fetches reports of past days: of the 31 days and 24 month ends before an organisation's first
extraction, of month ends that a back-dated change has touched, and of days whose own extraction did
not complete; of executive summaries, each of a whole month, the month ends alone. Each run spends
`[xero] backfill_calls` calls on an organisation's past, so that it takes hours, not the day's
calls, and about 21 on what has changed since. How many are left:
`select tenant_id, count(*) from xero_ops.wanted_reports group by 1`.

| what you see | what it means | what to do |
|---|---|---|
| `extract_tenant` and `dbt_build` skipped | nothing is left, or it may spend 0 calls | nothing |
| one `extract_tenant` skipped | another Dag extracts the organisation just now | nothing |
| `extract_tenant` and `finished` failed | only that organisation | read its log; retried hourly |
"""

with DAG(
    dag_id="xero_backfill",
    description="Fetches reports of past days of every connected organisation",
    doc_md=DOC,
    schedule=CronTriggerTimetable("30 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    # It has nothing to do until xero_daily has begun something.
    is_paused_upon_creation=False,
    tags=["xero"],
    default_args={
        "owner": "finance-data",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": XeroRetryPolicy(),
        "on_failure_callback": XeroNotifier(),
    },
):
    conn_id = settings.conn_id()
    list_backfill = ListBackfillOperator(task_id="list_backfill", xero_conn_id=conn_id)
    extract_tenant = ExtractTenantOperator.partial(
        task_id="extract_tenant",
        xero_conn_id=conn_id,
        map_index_template="{{ task.tenant.tenant_name[:250] }}",
        backfill_calls=settings.backfill_calls(),
        gives_way=True,
        pool="xero_extract",
    ).expand(tenant=list_backfill.output)
    dbt_build = DbtBuildOperator(
        task_id="dbt_build",
        xero_conn_id=conn_id,
        listed_by=list_backfill.task_id,
        pool="xero_dbt",
        # Not when there was nobody to extract, and also when one of several failed.
        trigger_rule="all_done_min_one_success",
    )
    # A run is as red as its last task: without it, one that only failed to extract is green.
    finished = EmptyOperator(task_id="finished", trigger_rule="none_failed")
    extract_tenant >> [dbt_build, finished]
    dbt_build >> finished
