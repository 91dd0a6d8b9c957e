"""The examples of docs/dag-authors.md, run as they stand there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

from airflow_xero.records import Records
from tests.airflow.conftest import xero_fields

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dag-authors.md"
KAURI = "Kauri Coffee Roasters"

pytestmark = [
    pytest.mark.usefixtures("airflow_database"),
    # Third parties, met inside Airflow's own runner.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]


def example(part: str) -> str:
    """The one block of code that contains this."""
    page = PAGE.read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (found,) = (block for block in blocks if part in block)
    return found


@pytest.fixture
def tenant_id(xero, set_connection, connect_organisations) -> str:
    """Kauri's tenant id, connected with the scope of attachments."""
    from airflow_xero.provider_info import DEFAULT_SCOPES

    scopes = f"{DEFAULT_SCOPES} accounting.attachments.read"
    set_connection("xero_default", **xero_fields(xero, scopes=scopes))
    connected = {each.tenant_name: each.tenant_id for each in connect_organisations()}
    return str(connected[KAURI])


@pytest.fixture
def invoice(xero, tenant_id) -> dict[str, Any]:
    """An approved invoice of today with a file."""

    def do(action: str, **fields: Any) -> Any:
        return xero.control(
            "POST", "documents", {"tenantId": tenant_id, "action": action, **fields}
        )

    made: dict[str, Any] = do("create_invoice", amount=12.5, status="AUTHORISED", number="DOC-1")
    do("attach", id=made["InvoiceID"], file_name="a.pdf", mime_type="application/pdf")
    return made


def test_the_questions_are_answered(tenant_id, invoice, xero):
    now = datetime.fromisoformat(xero.control("GET", "clocks")["business"])
    names: dict[str, Any] = {
        "tenant_id": tenant_id,
        "invoice_id": invoice["InvoiceID"],
        "an_hour_ago": now - timedelta(hours=1),
    }

    exec(example("hook.records(tenant_id)"), names)

    assert names["invoice"]["SubTotal"] == Decimal("12.5")
    assert [each["InvoiceID"] for each in names["same"]] == [invoice["InvoiceID"]]
    assert invoice["InvoiceID"] in {each["InvoiceID"] for each in names["of_customer"]}
    assert invoice["InvoiceID"] in {each["InvoiceID"] for each in names["changed"]}
    assert names["history"][0]["Changes"]
    assert [len(each) for each in names["contents"]] == [
        each["ContentLength"] for each in names["files"]
    ]
    assert len(names["files"]) == 1
    assert names["pdf"].startswith(b"%PDF-")
    assert names["balance_sheet"]["ReportID"] == "BalanceSheet"


def dag_of(text: str, folder: Path) -> Any:
    """The Dag of an example, in a file of its own, as Airflow finds it."""
    folder.mkdir()
    (folder / "example.py").write_text(text)
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
    assert bag.import_errors == {}
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, "dags-folder", None)
    (dag,) = bag.dags.values()
    return dag


def test_the_task_returns_what_the_customer_owes(tenant_id, invoice, xero, tmp_path):
    dag = dag_of(example("def what_a_customer_owes"), tmp_path / "dags")
    contact_id = invoice["Contact"]["ContactID"]
    bill: dict[str, Any] = {"action": "create_invoice", "type": "ACCPAY", "status": "AUTHORISED"}
    bill |= {"tenantId": tenant_id, "contact": invoice["Contact"]["Name"], "amount": 70_000_000}
    xero.control("POST", "documents", bill)

    dag_run = dag.test(run_conf={"organisation": KAURI, "contact_id": contact_id})

    (task,) = dag_run.get_task_instances()
    assert dag_run.state == "success"
    owed = task.xcom_pull(task_ids="total")
    assert set(owed) == {invoice["CurrencyCode"]}
    assert Decimal("12.5") <= Decimal(owed[invoice["CurrencyCode"]]) < 70_000_000


def test_the_operator_archives_the_day(tenant_id, invoice, xero, tmp_path):
    day = datetime.fromisoformat(xero.control("GET", "clocks")["business"]).astimezone(UTC).date()
    archive = tmp_path / "archive"
    dag = dag_of(
        f"archive = {archive.as_uri()!r}\n" + example("archive_invoices"), tmp_path / "dags"
    )

    next_night = datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(hours=25)

    dag_run = dag.test(logical_date=next_night)

    assert dag_run.state == "success"
    files = {each.name for each in (archive / day.isoformat()).iterdir()}
    assert f"DOC-1-{invoice['InvoiceID']}.pdf" in files


def test_the_page_tells_every_method():
    listed = re.findall(r"^\| `(\w+)\(", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    methods = {name for name in vars(Records) if not name.startswith("_")}
    assert set(listed) == methods
