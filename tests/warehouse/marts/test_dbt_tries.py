"""A day that took more than one try: what an earlier try read still counts when the last completes.

From the sandbox through the library into the marts; one build after all tries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from airflow_xero.endpoint import Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import UnavailableError
from airflow_xero.extract import Tenant
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.extraction import DAY, NOW, WITHOUT_REREADS, ConnectedApp
from tests.warehouse.marts.ledger_books import run_dbt
from xero_sandbox.testing import SandboxServer

pytestmark = pytest.mark.campaign

# The reports before it are read by the first try.
CUT = "Reports/BankSummary"
BUILD = (
    *("build", "--select", "+rpt_tie_out_summary", "+fct_ledger_postings"),
    # Tests that look beyond what is built are other tests' matter.
    *("--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"),
)
# What payslips post no document tells of: lines that need an explanation.
TRAITS = {"features": ["payroll"]}


@dataclass
class Tries:
    """The organisations by what became of their first try, and the warehouse after the build."""

    xero: ConnectedApp
    tenants: dict[str, Tenant]

    def rows(self, query: str, name: str, *values: Any) -> set[tuple[Any, ...]]:
        return set(
            self.xero.rows.execute(query, (self.tenants[name].tenant_id, *values)).fetchall()
        )


@pytest.fixture(scope="module")
def tries(
    xero_sandbox_server: SandboxServer,
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tries]:
    """Every organisation extracted in two tries, then one build."""
    postgres_server.create_database("tries", template=warehouse_template)
    dsn = postgres_server.dsn("tries")
    xero_sandbox_server.reset()
    with ConnectedApp(xero_sandbox_server, dsn) as xero:
        xero.sandbox.control("POST", "limits", {"enabled": False})
        found = {name: try_twice(xero) for name, try_twice in TWO_TRIES.items()}
        run_dbt(dsn, tmp_path_factory.mktemp("dbt_tries"), *BUILD)
        yield Tries(xero, found)
    postgres_server.drop_database("tries")


def retried(xero: ConnectedApp) -> Tenant:
    """A report could not be had; a moment later everything could."""
    tenant = xero.organisation("Kauri", days=40, **TRAITS)
    xero.fault(CUT, status=500, times=4)
    with pytest.raises(UnavailableError):
        xero.extract(tenant)
    assert xero.extract(tenant).state == "complete"
    # This is what the test is about: the try that completed did not read it again.
    assert xero.calls("Reports/TrialBalance") == []
    return tenant


def resumed(xero: ConnectedApp) -> Tenant:
    """The day's calls were used up before the last reports."""
    tenant = xero.organisation("Rimu", days=40, **TRAITS)
    xero.fault(CUT, kind="day_limit", times=1)
    assert xero.extract(tenant).state == "waiting_for_limit"
    assert xero.extract(tenant).state == "complete"
    assert xero.calls("Reports/TrialBalance") == []
    return tenant


def repeated(xero: ConnectedApp) -> Tenant:
    """Somebody asked for the day once more, after an invoice of the day to come was written."""
    tenant = xero.organisation("Totara", days=40, **TRAITS)
    assert xero.extract(tenant).state == "complete"
    xero.do(tenant, "create_contact", name="Aroha")
    tomorrow = DAY + timedelta(days=1)
    xero.do(tenant, "create_invoice", contact="Aroha", amount="10.00", date=tomorrow.isoformat())
    xero.set_clock(NOW + timedelta(hours=1))
    assert xero.extract(tenant).state == "complete"
    assert xero.calls("Reports/TrialBalance") != []
    xero.set_clock(NOW)
    return tenant


def caught_up(xero: ConnectedApp) -> Tenant:
    """Two days within minutes: the Journals of the first are fresh for the second."""
    xero.endpoints = [
        each for each in ENDPOINTS if each.is_default or each.reading is Reading.NUMBERS
    ]
    tenant = xero.organisation("Matai", days=40, **TRAITS)
    assert xero.extract(tenant, DAY - timedelta(days=1)).state == "complete"
    assert xero.calls("Journals") != []
    # They are fresh by our clock, which the sandbox's does not follow.
    xero.rows.execute(
        "update xero_ops.watermarks set modified_since = %s"
        " where tenant_id = %s and endpoint in ('journals', 'cash_journals')",
        (NOW - timedelta(minutes=10), tenant.tenant_id),
    )
    assert xero.extract(tenant).state == "complete"
    assert xero.calls("Journals") == []
    xero.endpoints = WITHOUT_REREADS
    return tenant


TWO_TRIES = {
    "retried": retried,
    "resumed": resumed,
    "repeated": repeated,
    "caught up": caught_up,
}


@pytest.mark.parametrize("name", ["retried", "resumed", "repeated"])
def test_every_report_of_a_day_of_two_tries_is_compared_and_nothing_is_broken(tries, name):
    lines = tries.rows(
        "select report, basis, status from xero_marts.rpt_tie_out where tenant_id = %s", name
    )
    assert {(report, basis) for report, basis, _ in lines} == {
        ("TrialBalance", "accrual"),
        ("ProfitAndLoss", "accrual"),
        ("ProfitAndLoss", "cash"),
        ("BalanceSheet", "accrual"),
        ("BankSummary", "accrual"),
        ("ExecutiveSummary", "accrual"),
    }
    assert {status for *_, status in lines} == {"tied", "explained"}
    assert ("BalanceSheet", "accrual", "explained") in lines


@pytest.mark.parametrize("name", ["retried", "resumed", "repeated"])
def test_what_two_tries_read_was_compared_when_the_last_was_complete(tries, name):
    assert tries.rows(
        "select distinct tie_out.known_at = tenants.complete_at"
        " from xero_marts.rpt_tie_out as tie_out"
        " inner join xero_ops.tenants using (tenant_id) where tie_out.tenant_id = %s",
        name,
    ) == {(True,)}


def test_a_run_that_finds_journals_fresh_is_one_with_journals(tries):
    assert tries.rows(
        "select distinct rule from xero_marts.fct_ledger_postings where tenant_id = %s",
        "caught up",
    ) == {("journal",)}
    # Payslips are in Journals alone.
    assert ("PAYSLIP",) in tries.rows(
        "select distinct source_type from xero_marts.fct_ledger_postings where tenant_id = %s",
        "caught up",
    )
