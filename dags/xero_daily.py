"""Every connected Xero organisation, every day: when, in which order, how often again.

The work itself is in the installed package airflow_xero; no logic belongs here.
"""

from datetime import timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_xero import settings
from airflow_xero.dbt_build import DbtBuildOperator
from airflow_xero.listing_operators import ListTenantsOperator
from airflow_xero.notifiers import XeroNotifier
from airflow_xero.operators import ExtractTenantOperator, ReportOutcomeOperator
from airflow_xero.retry import XeroRetryPolicy

DOC = """
Brings every connected organisation up to now, reads its reports as at the run's day, and
publishes the statistics. The run's day is the date (UTC) on which its data interval begins.

| what you see | what it means | what to do |
|---|---|---|
| `list_tenants` failed | connection, warehouse or version | its log names the field or command |
| one `extract_tenant` failed | only that organisation | read its log, clear it with Downstream |
| `report_outcome` says WAITING | Xero's daily limit is used up | nothing: the next run goes on |
| `report_outcome` says SKIPPED | a user must consent again | page Xero, Connect to Xero |
| `dbt_build` failed | a model, test, setting or the tie-out | mend what its log names; clear it |

Run it for another day with the configuration `{"day": "2026-11-20"}`. Running a day again changes
nothing that was right. It knows `day`, `accept_deletions` and `fresh`, and refuses any other key.
"""

with DAG(
    dag_id="xero_daily",
    description="Extracts every connected Xero organisation and publishes its statistics",
    doc_md=DOC,
    schedule=CronDataIntervalTimetable(f"0 {settings.DAILY_HOUR} * * *", timezone="UTC"),
    start_date=settings.first_day(),
    catchup=True,
    max_active_runs=1,
    tags=["xero"],
    default_args={
        "owner": "finance-data",
        "retries": 3,
        # Before what the other Dags do in the same pools.
        "priority_weight": 10,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": XeroRetryPolicy(),
        "on_failure_callback": XeroNotifier(),
    },
):
    conn_id = settings.conn_id()
    list_tenants = ListTenantsOperator(task_id="list_tenants", xero_conn_id=conn_id)
    extract_tenant = ExtractTenantOperator.partial(
        task_id="extract_tenant",
        xero_conn_id=conn_id,
        map_index_template="{{ task.tenant.tenant_name[:250] }}",
        pool="xero_extract",
    ).expand(tenant=list_tenants.output)
    dbt_build = DbtBuildOperator(
        task_id="dbt_build",
        xero_conn_id=conn_id,
        listed_by=list_tenants.task_id,
        pool="xero_dbt",
        # Also when an organisation failed: the others are published all the same.
        trigger_rule="all_done",
    )
    report_outcome = ReportOutcomeOperator(
        task_id="report_outcome",
        xero_conn_id=conn_id,
        listed_by=list_tenants.task_id,
        extracted_by=extract_tenant.task_id,
        built_by=dbt_build.task_id,
        trigger_rule="all_done",
        # It tells people itself.
        on_failure_callback=None,
    )
    # The report waits for every extraction itself, so that one that is cleared is reported anew.
    extract_tenant >> [dbt_build, report_outcome]
    dbt_build >> report_outcome
