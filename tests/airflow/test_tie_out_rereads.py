"""A broken tie-out, from Xero's silent edit to the night on which everything ties again.

The whole way: extraction from the sandbox, the operator's build, the notice, the re-read.
"""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from airflow_xero.dbt_build import DbtBuildOperator
from tests.warehouse.extraction import DAY, NOW, ConnectedApp

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]


@pytest.fixture
def app(xero, warehouse_dsn) -> Iterator[ConnectedApp]:
    """The library in front of the sandbox, and the warehouse of the Airflow connection."""
    with ConnectedApp(xero, warehouse_dsn) as connected:
        yield connected


def build() -> int:
    """What the task does after an extraction; how many runs it published."""
    task = DbtBuildOperator(task_id="dbt", xero_conn_id="xero_default", listed_by="list")
    ti = SimpleNamespace(xcom_pull=lambda **_: [], xcom_push=lambda **_: None, log_url=None)
    published: int = task.execute(cast(Any, {"ti": ti}))["runs"]
    return published


def lines(app: ConnectedApp, night: int) -> set[tuple[str, str | None]]:
    """Status and label of the trial balance's lines that are not tied."""
    return set(
        app.rows.execute(
            "select status, line_label from xero_marts.rpt_tie_out where report_date = %s"
            " and report = 'TrialBalance' and measure = 'balance' and status <> 'tied'",
            (DAY + timedelta(days=night),),
        ).fetchall()
    )


def wanted(app: ConnectedApp) -> set[str]:
    """The endpoints that are to be read whole."""
    rows = app.rows.execute(
        "select endpoint from xero_ops.rereads where wanted_reason is not null"
    ).fetchall()
    return {endpoint for (endpoint,) in rows}


def test_an_edit_without_a_stamp_is_seen_told_read_again_and_ties(app):
    tenant = app.organisation("Kauri", days=60)
    app.extract(tenant, DAY)
    assert build() == 1
    assert lines(app, 0) == set()

    # As by Find & Recode: Xero does not stamp the invoice.
    invoice = next(
        record
        for record in app.stored(tenant, "invoices").values()
        if record["Type"] == "ACCREC"
        and record["Status"] in ("AUTHORISED", "PAID")
        and {line["AccountCode"] for line in record["LineItems"]} == {"200"}
    )
    app.do(tenant, "recode", id=invoice["InvoiceID"], account_code="260")
    app.set_clock(NOW + timedelta(days=1))
    app.extract(tenant, DAY + timedelta(days=1))
    assert build() == 1
    assert lines(app, 1) == {("broken", "Sales (200)"), ("broken", "Other Revenue (260)")}
    assert wanted(app) >= {"invoices", "bank_transactions"}
    ((cause, advice),) = app.rows.execute("select cause, advice from xero_ops.notices").fetchall()
    assert cause == f"tie_out_broken:{tenant.tenant_id}"
    assert "Sales (200)" in advice

    app.set_clock(NOW + timedelta(days=2))
    app.extract(tenant, DAY + timedelta(days=2))
    assert build() == 1
    assert lines(app, 2) == set()
    assert wanted(app) == set()
    # What was compared stays as it was seen.
    assert lines(app, 1) == {("broken", "Sales (200)"), ("broken", "Other Revenue (260)")}
