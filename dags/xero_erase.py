"""Organisations whose every trace is to go, and connections that are dead at Xero.

The work itself is in the installed package airflow_xero; no logic belongs here.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from airflow_xero import settings
from airflow_xero.connection_operators import (
    EraseTenantOperator,
    ListErasuresOperator,
    PurgeConnectionsOperator,
)
from airflow_xero.notifiers import XeroNotifier
from airflow_xero.retry import XeroRetryPolicy

DOC = """
Erases the organisations for which somebody typed the name on the page *Xero*: disconnects them at
Xero, deletes their rows in every table, counts what is left, and keeps only that it happened. The
page starts it at once; every hour it goes on with what was stopped. `purge` ends connections at
Xero that serve nobody and still count against the app's cap, and renews consents that Xero would
forget because nothing uses them.

| what you see | what it means | what to do |
|---|---|---|
| `erase` skipped | nothing is to be erased | nothing: so it is almost always |
| `erase` failed, `WarehouseBusyError` | it is being extracted, or rows came back | nothing |
| `erase` failed, `UnavailableError` | Xero cannot be told | nothing: the next hour goes on |
| `erase` failed, `XeroSetupError` | a person must act | its log says what |
"""

with DAG(
    dag_id="xero_erase",
    description="Erases organisations as asked for, and purges dead connections",
    doc_md=DOC,
    schedule=CronTriggerTimetable("20 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    # What somebody asked to be erased must not wait for a switch.
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
    list_erasures = ListErasuresOperator(task_id="list_erasures", xero_conn_id=conn_id)
    EraseTenantOperator.partial(
        task_id="erase",
        xero_conn_id=conn_id,
        # While it runs no dbt build brings back what is gone.
        pool="xero_dbt",
    ).expand(tenant_id=list_erasures.output)
    PurgeConnectionsOperator(task_id="purge", xero_conn_id=conn_id)
