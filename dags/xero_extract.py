"""Organisations that somebody asked for: read at once, and published.

The work itself is in the installed package airflow_xero; no logic belongs here.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from airflow_xero import settings
from airflow_xero.dbt_build import DbtBuildOperator
from airflow_xero.listing_operators import ListAskedOperator
from airflow_xero.notifiers import XeroNotifier
from airflow_xero.operators import ExtractTenantOperator
from airflow_xero.retry import XeroRetryPolicy

DOC = """
Connecting an organisation starts its first extraction here, and so does *Extract now* on the page
Xero. It brings the organisations up to now, reads the reports of the last day that is over in every
time zone, and publishes them, ahead of what `xero_daily` still has to do.

| what you see | what it means | what to do |
|---|---|---|
| `extract_tenant` skipped | it is being read already, paused, or disconnected | nothing |
| `extract_tenant` and `finished` failed | only that organisation | read its log; retried nightly |
| `list_asked` failed | nobody asked for can be read, or set-up | its log names what to do |

By hand, run it with the configuration `{"tenants": ["<tenant id>"]}`. What is read daily is read
again, however lately it was; `"fresh": false` leaves what was read within half an hour.
"""

with DAG(
    dag_id="xero_extract",
    description="Extracts organisations that somebody asked for, at once",
    doc_md=DOC,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # Several people connect at the same time; the pools bound what that costs.
    max_active_runs=16,
    # It runs only when somebody asks, and a paused Dag would let them wait for ever.
    is_paused_upon_creation=False,
    tags=["xero"],
    default_args={
        "owner": "finance-data",
        "retries": 3,
        # Somebody waits for it: before the night's work in the same pools, whose weights add up.
        "priority_weight": 50,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": XeroRetryPolicy(),
        "on_failure_callback": XeroNotifier(),
    },
):
    conn_id = settings.conn_id()
    list_asked = ListAskedOperator(task_id="list_asked", xero_conn_id=conn_id)
    extract_tenant = ExtractTenantOperator.partial(
        task_id="extract_tenant",
        xero_conn_id=conn_id,
        map_index_template="{{ task.tenant.tenant_name[:250] }}",
        gives_way=True,
        fresh=True,
        pool="xero_extract",
    ).expand(tenant=list_asked.output)
    dbt_build = DbtBuildOperator(
        task_id="dbt_build",
        xero_conn_id=conn_id,
        listed_by=list_asked.task_id,
        pool="xero_dbt",
        # Also when one gave way or failed; with nothing new it returns at once.
        trigger_rule="all_done",
    )
    # A run is as red as its last task: without it, one that only failed to extract is green.
    finished = EmptyOperator(task_id="finished", trigger_rule="none_failed")
    extract_tenant >> [dbt_build, finished]
    dbt_build >> finished
