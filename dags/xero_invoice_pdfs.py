"""PDFs of invoices into an object store, when somebody triggers it: an example for your own Dags.

The work itself is in the installed package airflow_xero; no logic belongs here.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_xero import settings
from airflow_xero.document_operators import (
    XeroPdfToObjectStorageOperator,
    refuse_unknown_params,
)
from airflow_xero.retry import XeroRetryPolicy

DOC = """
Trigger it with the form: an organisation, invoices by number or by the day they changed, and a
folder. Each PDF is called by the invoice's number and id, so running it again replaces it.

| what you see | what it means | what to do |
|---|---|---|
| `NotConnectedError` | nobody connected that organisation | take its name from the page Xero |
| `NotFoundError` | it names numbers that Xero does not know | the other PDFs are written |
| `BadRequestError` | it names documents of which Xero makes no PDF | the others are written |
"""

with DAG(
    dag_id="xero_invoice_pdfs",
    description="Puts PDFs of invoices of one organisation into an object store",
    doc_md=DOC,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=True,
    tags=["xero"],
    default_args={
        "owner": "finance-data",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": XeroRetryPolicy(),
    },
    params={
        "organisation": Param(
            type="string",
            minLength=1,
            title="Organisation",
            description="Its name as on the page Xero, or its tenant id.",
        ),
        "numbers": Param(
            "", type="string", format="multiline", title="Invoice numbers", description="One a line"
        ),
        "changed_on": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Changed on",
            description="All finished invoices that changed on this day (UTC).",
        ),
        "path": Param(
            type="string",
            minLength=1,
            title="Folder",
            description="Like s3://aws_default@bucket/pdfs, or file:///data/pdfs on the worker.",
        ),
    },
):
    XeroPdfToObjectStorageOperator(
        task_id="fetch_pdfs",
        pre_execute=refuse_unknown_params,
        xero_conn_id=settings.conn_id(),
        organisation="{{ params.organisation }}",
        numbers="{{ params.numbers }}",
        changed_on="{{ params.changed_on or '' }}",
        dst="{{ params.path }}",
    )
