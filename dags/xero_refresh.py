"""Documents brought up to now within the open day: off until somebody switches it on, then hourly.

The work itself is in the installed package airflow_xero; no logic belongs here.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable

from airflow_xero import settings
from airflow_xero.dbt_build import DbtBuildOperator
from airflow_xero.listing_operators import ListRefreshOperator
from airflow_xero.notifiers import XeroNotifier
from airflow_xero.operators import ExtractTenantOperator
from airflow_xero.retry import XeroRetryPolicy

DOC = """
Reads what changed since the last extraction and publishes it, so that figures are hours old
rather than a day. It reads no reports and closes no day: the last complete day stays that of
`xero_daily`. Each run costs an organisation about 15 of Xero's calls, and where a back-dated change
has moved month ends, `xero_backfill` about 21 more, and six for each of them. Off until you unpause
it; `[xero] refresh_schedule` says how often.

| what you see | what it means | what to do |
|---|---|---|
| `extract_tenant` skipped | another Dag reads or publishes the organisation just now | nothing |
| one `extract_tenant`, and `finished`, failed | only that organisation | read its log; wait |
| an organisation is left out | never complete, waits for a limit, or is not published | nothing |
"""

with DAG(
    dag_id="xero_refresh",
    description="Brings documents of every connected organisation up to now, closing no day",
    doc_md=DOC,
    schedule=CronTriggerTimetable(settings.refresh_schedule(), timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
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
    list_refresh = ListRefreshOperator(task_id="list_refresh", xero_conn_id=conn_id)
    extract_tenant = ExtractTenantOperator.partial(
        task_id="extract_tenant",
        xero_conn_id=conn_id,
        map_index_template="{{ task.tenant.tenant_name[:250] }}",
        closes_day=False,
        pool="xero_extract",
    ).expand(tenant=list_refresh.output)
    dbt_build = DbtBuildOperator(
        task_id="dbt_build",
        xero_conn_id=conn_id,
        listed_by=list_refresh.task_id,
        pool="xero_dbt",
        # Also when one gave way or failed; with nothing new it returns at once.
        trigger_rule="all_done",
    )
    # A run is as red as its last task: without it, one that only failed to publish is green.
    finished = EmptyOperator(task_id="finished", trigger_rule="none_failed")
    extract_tenant >> [dbt_build, finished]
    dbt_build >> finished
