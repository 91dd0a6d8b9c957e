"""Organisations that had to wait for Xero's limit: every quarter of an hour, those that may go on.

The work itself is in the installed package airflow_xero; no logic belongs here.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable

from airflow_xero import settings
from airflow_xero.dbt_build import DbtBuildOperator
from airflow_xero.listing_operators import ListWaitingOperator
from airflow_xero.notifiers import XeroNotifier
from airflow_xero.operators import ExtractTenantOperator, WatchOperator
from airflow_xero.retry import XeroRetryPolicy

DOC = """
`xero_daily` never waits for Xero's daily limit: the organisation keeps its place, and this Dag
goes on with it as soon as the limit opens, for the day it waited with, and publishes it. `watch`
sees whether the day's run is late, and sends what could not be sent to people before.

| what you see | what it means | what to do |
|---|---|---|
| `extract_tenant` and `dbt_build` skipped | nobody waits | nothing: so it is almost always |
| `extract_tenant` and `finished` failed | only that organisation | read its log; retried nightly |
| an organisation waits again | the limit was used up once more | nothing |
| `watch` failed | people are not told | its log names the address or connection |
"""

with DAG(
    dag_id="xero_resume",
    description="Continues organisations that waited for Xero's daily limit",
    doc_md=DOC,
    schedule=CronTriggerTimetable("*/15 * * * *", timezone="UTC"),
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
    list_waiting = ListWaitingOperator(task_id="list_waiting", xero_conn_id=conn_id)
    extract_tenant = ExtractTenantOperator.partial(
        task_id="extract_tenant",
        xero_conn_id=conn_id,
        map_index_template="{{ task.tenant.tenant_name[:250] }}",
        pool="xero_extract",
    ).expand(tenant=list_waiting.output)
    dbt_build = DbtBuildOperator(
        task_id="dbt_build",
        xero_conn_id=conn_id,
        listed_by=list_waiting.task_id,
        pool="xero_dbt",
        # Not when there was nobody to extract, and also when one of several failed.
        trigger_rule="all_done_min_one_success",
    )
    # A run is as red as its last task: without it, one that only failed to extract is green.
    finished = EmptyOperator(task_id="finished", trigger_rule="none_failed")
    extract_tenant >> [dbt_build, finished]
    dbt_build >> finished
    # Nothing depends on it: who waited goes on also while nobody can be told.
    # The second try is for a warehouse that hiccups; what cannot be sent waits for the next run.
    WatchOperator(task_id="watch", xero_conn_id=conn_id, retries=1, on_failure_callback=None)
