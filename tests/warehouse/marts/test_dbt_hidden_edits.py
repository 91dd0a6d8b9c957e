"""An edit that Xero does not stamp, on an account that payslips move, too: broken until it is read.

From the sandbox through the library into the marts, with a build each night. Organisations in which
only what a test lets happen happens; what Xero calls Find & Recode moves a bill from rent to wages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from airflow_xero import rereads
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.extract import Tenant
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.extraction import DAY, NOW, ConnectedApp
from tests.warehouse.marts.ledger_books import mark_built, run_dbt
from tests.warehouse.marts.xeros_reports import lines_of
from xero_sandbox.testing import SandboxServer

pytestmark = pytest.mark.campaign

BUILD = (
    *("build", "--select", "+rpt_tie_out_summary", "+rpt_trial_balance"),
    *("--resource-type", "seed", "--resource-type", "model"),
)
RENT, WAGES, OWED = "Rent", "Wages and Salaries", "Wages Payable - Payroll"
# Of a line that the trial balance has no more, the chart gives the name, without the code.
NAME = "split_part(line_label, ' (', 1)"
EDITED = {RENT: Decimal(-300), WAGES: Decimal(300)}


def pay(xero: ConnectedApp, tenant: Tenant, night: int) -> None:
    """A payslip, another amount each night."""
    amounts = {"477": f"{1000 + night}.00", "825": "-200.00"}
    xero.do(tenant, "post_payroll", amounts=amounts, date=day_of(night).isoformat())


def recode(xero: ConnectedApp, tenant: Tenant, _: int) -> None:
    """The bill's line moves from rent to wages."""
    ((bill, _record),) = xero.stored(tenant, "invoices").items()
    xero.do(tenant, "recode", id=bill, account_code="477")


def read_again(xero: ConnectedApp, tenant: Tenant, _: int) -> None:
    """What a broken tie-out asks the next extraction for."""
    rereads.want_documents(xero.rows, tenant.tenant_id, ENDPOINTS, reason="its tie-out is broken")


Deed = Callable[[ConnectedApp, Tenant, int], None]
# What happens on the day of each night, by organisation.
NIGHTS: dict[str, list[tuple[Deed, ...]]] = {
    "seen": [(pay,), (recode,), (pay,), (), (read_again,)],
    "slipped in": [(pay,), (recode, pay), (), (read_again,), (pay,)],
    "read beside payslips": [(pay,), (recode,), (pay, read_again), (), (pay,)],
}


def day_of(night: int) -> date:
    return DAY + timedelta(days=night)


@dataclass
class Lived:
    """The organisations after all nights, by what became of the edit."""

    xero: ConnectedApp
    tenants: dict[str, Tenant]

    def broken(self, name: str, night: int) -> dict[str, Decimal]:
        """What is broken of the trial balance's lines, by label."""
        rows = self.xero.rows.execute(
            f"select {NAME}, broken_amount from xero_marts.rpt_tie_out where tenant_id = %s"
            " and report_date = %s and report = 'TrialBalance' and measure = 'balance'"
            " and status = 'broken'",
            (self.tenants[name].tenant_id, day_of(night)),
        )
        return dict(rows.fetchall())

    def statuses(self, name: str, night: int) -> dict[str, set[Any]]:
        """Statuses and causes in all reports of a day, by label."""
        found: dict[str, set[Any]] = {}
        for label, status, cause in self.xero.rows.execute(
            f"select {NAME}, status, cause from xero_marts.rpt_tie_out where tenant_id = %s"
            " and report_date = %s",
            (self.tenants[name].tenant_id, day_of(night)),
        ):
            found.setdefault(label, set()).add((status, cause))
        return found

    def stated(self, name: str, night: int) -> dict[str, Decimal]:
        """The trial balance of a day as the marts state it now, by account."""
        rows = self.xero.rows.execute(
            "select account_id, amount from xero_marts.rpt_trial_balance where tenant_id = %s"
            " and basis = 'accrual' and not is_month_end and day = %s and amount <> 0",
            (self.tenants[name].tenant_id, day_of(night)),
        )
        return dict(rows.fetchall())

    def wages_on_cash_basis(self, name: str) -> list[Decimal]:
        """What the marts state of wages on cash basis, day by day."""
        rows = self.xero.rows.execute(
            "select amount from xero_marts.rpt_trial_balance where tenant_id = %s"
            " and basis = 'cash' and not is_month_end and day between %s and %s"
            " and account_name = %s order by day",
            (self.tenants[name].tenant_id, day_of(0), day_of(4), WAGES),
        )
        return [amount for (amount,) in rows]

    def reported(self, name: str, night: int) -> dict[str, Decimal]:
        """The same as Xero reports it now."""
        sections = self.xero.report(self.tenants[name], day_of(night))["Rows"]
        debit, credit = lines_of(sections, column=3), lines_of(sections, column=4)
        net = {key: debit.get(key, 0) - credit.get(key, 0) for key in {*debit, *credit}}
        return {key: Decimal(amount) for key, amount in net.items() if amount}


def opened(xero: ConnectedApp) -> dict[str, Tenant]:
    """An organisation with payroll and a bill for rent, for each story."""
    made = {"seed": 3, "days": 0, "traits": {"features": ["payroll"]}}
    ids = {
        name: xero.sandbox.control("POST", "organisations", {"name": name, **made})["tenantId"]
        for name in NIGHTS
    }
    connected = xero.connect_to(*ids.values())
    tenants = {name: replace(connected, tenant_id=tenant_id) for name, tenant_id in ids.items()}
    for tenant in tenants.values():
        xero.do(tenant, "create_contact", name="Landlord")
        line = {"unit_amount": "300.00", "account_code": "469"}
        bill = {"type": "ACCPAY", "contact": "Landlord", "date": day_of(-9).isoformat()}
        xero.do(tenant, "create_invoice", **bill, lines=[line])
    return tenants


@pytest.fixture(scope="module")
def lived(
    xero_sandbox_server: SandboxServer,
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lived]:
    """All nights: what happens, an extraction of each organisation, one build."""
    postgres_server.create_database("hidden_edits", template=warehouse_template)
    dsn, target = postgres_server.dsn("hidden_edits"), tmp_path_factory.mktemp("dbt_hidden_edits")
    xero_sandbox_server.reset()
    with ConnectedApp(xero_sandbox_server, dsn) as xero:
        xero.sandbox.control("POST", "limits", {"enabled": False})
        xero.set_clock(NOW - timedelta(days=1))
        tenants = opened(xero)
        for night in range(len(NIGHTS["seen"])):
            xero.set_clock(NOW + timedelta(days=night))
            for name, tenant in tenants.items():
                for happen in NIGHTS[name][night]:
                    happen(xero, tenant, night)
                assert xero.extract(tenant, day_of(night)).state == "complete"
            run_dbt(dsn, target, *BUILD)
            mark_built(dsn)
        yield Lived(xero, tenants)
    postgres_server.drop_database("hidden_edits")


def test_payslips_do_not_hide_what_was_broken_before_them(lived):
    assert lived.broken("seen", 0) == {}
    for night in (1, 2, 3):
        assert (night, lived.broken("seen", night)) == (night, EDITED)
        # What payroll posted is explained beside it.
        assert lived.statuses("seen", night)[OWED] == {("explained", "PAYROLL")}
    assert lived.broken("seen", 4) == {}


def test_once_the_edit_is_read_every_day_since_is_as_xero_states_it(lived):
    for night in range(5):
        assert (night, lived.stated("seen", night)) == (night, lived.reported("seen", night))


def test_reading_what_slipped_in_beside_payslips_is_no_alarm(lived):
    # On accrual basis it cannot be told from payroll until it is read.
    assert ("explained", "PAYROLL") in lived.statuses("slipped in", 2)[RENT]
    for night in range(5):
        found = {status for each in lived.statuses("slipped in", night).values() for status in each}
        # The bill is not paid: on cash basis wages differ by payslips alone, and the edit is seen.
        seen = {"broken"} if night in (1, 2) else set()
        assert (night, {status for status, _ in found}) == (night, {"tied", "explained", *seen})
    for night in (3, 4):
        assert RENT not in lived.statuses("slipped in", night)
        assert lived.stated("slipped in", night) == lived.reported("slipped in", night)


def test_what_is_read_on_a_night_with_payslips_is_broken_no_longer(lived):
    name = "read beside payslips"
    assert lived.broken(name, 1) == EDITED
    assert [lived.broken(name, night) for night in (2, 3, 4)] == [{}, {}, {}]
    for night in range(5):
        assert (night, lived.stated(name, night)) == (night, lived.reported(name, night))


@pytest.mark.parametrize(
    ("name", "wages"),
    [
        # The trial balance tells the edit from payslips.
        ("seen", (1000, 1000, 2002, 2002, 2002)),
        ("read beside payslips", (1000, 1000, 2002, 2002, 3006)),
        # It does not; what is broken on cash basis alone waits.
        ("slipped in", (1000, 1000, 1000, 2001, 3005)),
    ],
)
def test_on_cash_basis_payslips_stay_while_their_account_is_broken(lived, name, wages):
    """The bill that was edited is not paid."""
    assert lived.wages_on_cash_basis(name) == list(wages)
