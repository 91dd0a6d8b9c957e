"""Reports that are read again: held against the documents of today, and kept when that is news.

From the sandbox through the library into the marts, over three nights around a month end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_xero import rereads
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import UnavailableError
from airflow_xero.extract import Tenant
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.extraction import ConnectedApp
from tests.warehouse.marts.ledger_books import mark_built, run_dbt
from xero_sandbox.testing import SandboxServer

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]

MONTH_END = date(2026, 10, 31)
BALANCES = f"TrialBalance:{MONTH_END}:accrual"
# The report that comes after the trial balances of the day and of the month end.
CUT = "Reports/BankSummary"
BUILD = ("build", "--resource-type", "seed", "--resource-type", "model")
# Of an own past night what is compared, and what that is made of.
REBUILD = (*BUILD, "--select", "+rpt_tie_out_summary")


@dataclass
class Nights:
    """The organisations by what happened to them, and the warehouse after the builds."""

    xero: ConnectedApp
    target: Path
    tenants: dict[str, Tenant]
    known_at: dict[tuple[str, int], datetime] = field(default_factory=dict)
    rebuilt: list[bool] = field(default_factory=list)
    history: list[list[tuple[Any, ...]]] = field(default_factory=list)

    def extract(self, name: str, night: int, **asked: Any) -> None:
        """A complete extraction for the day before the night, 0 being that of the month end."""
        tenant = self.tenants[name]
        day = MONTH_END + timedelta(days=night)
        assert self.xero.extract(tenant, day, **asked).state == "complete"
        (known_at,) = self.xero.one(
            "select complete_at from xero_ops.tenants where tenant_id = %s", tenant.tenant_id
        )
        self.known_at[name, night] = known_at

    def build(self, *arguments: str) -> None:
        """What the task does: build, then say that everything is built."""
        run_dbt(self.xero.dsn, self.target, *BUILD, *arguments)
        (rebuilt,) = self.xero.one("select bool_or(is_rebuilt) from xero_staging.stg_xero__tenants")
        self.rebuilt.append(rebuilt)
        mark_built(self.xero.dsn)
        self.history.append(
            self.xero.rows.execute(
                "select kept::text from xero_marts.rpt_tie_out as kept union all"
                " select kept::text from xero_marts.rpt_tie_out_summary as kept order by 1"
            ).fetchall()
        )

    def compared(
        self, name: str, report: str = "TrialBalance", *, schema: str = "xero_marts"
    ) -> list[tuple[datetime, list[str]]]:
        """Each comparison of the month end's report: when, and the kinds of its lines."""
        return self.xero.rows.execute(
            "select known_at, array_agg(distinct status order by status)"
            f" from {schema}.rpt_tie_out where tenant_id = %s and report = %s and report_date = %s"
            " and basis = 'accrual' group by known_at order by known_at",
            (self.tenants[name].tenant_id, report, MONTH_END),
        ).fetchall()


def noon_after(night: int) -> datetime:
    return datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(days=night)


@pytest.fixture(scope="module")
def nights(
    xero_sandbox_server: SandboxServer,
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Nights]:
    """Four nights and three builds; everything anew; two nights of the past rebuilt."""
    postgres_server.create_database("read_again", template=warehouse_template)
    xero_sandbox_server.reset()
    with ConnectedApp(xero_sandbox_server, postgres_server.dsn("read_again")) as xero:
        xero.sandbox.control("POST", "limits", {"enabled": False})
        target = tmp_path_factory.mktemp("dbt_read_again")
        made = Nights(xero, target, {})
        live(made)
        made.build("--full-refresh")
        for night in (1, 2):
            run_dbt(
                *(xero.dsn, tmp_path_factory.mktemp(f"dbt_read_again_{night}"), *REBUILD),
                known_at=made.known_at["recoded", night].isoformat(),
                schema_suffix=f"night_{night}",
            )
        yield made
    postgres_server.drop_database("read_again")


def live(nights: Nights) -> None:
    """The month ends, an edit without a stamp is found, an invoice comes late."""
    xero = nights.xero
    # Older than what a watermark reads once more.
    xero.set_clock(noon_after(-2))
    invoices = {}
    nights.tenants |= connected(xero, "recoded", "waited", "failed")
    for name in nights.tenants:
        xero.do(nights.tenants[name], "create_contact", name="Aroha")
        invoices[name] = invoice(nights, name, "2026-10-15")
    xero.set_clock(noon_after(-1))
    for name in nights.tenants:
        nights.extract(name, -1)
    # As by Find & Recode: Xero does not stamp the invoice.
    recoded = nights.tenants["recoded"]
    xero.do(recoded, "recode", id=invoices["recoded"], account_code="260")
    xero.set_clock(noon_after(0))
    for name in nights.tenants:
        nights.extract(name, 0)
    nights.build()

    xero.set_clock(noon_after(1))
    rereads.want_documents(xero.rows, recoded.tenant_id, ENDPOINTS, reason="a test")
    # The newest past day is the month end, six calls.
    nights.extract("recoded", 1, backfill_calls=6)
    for name in ("waited", "failed"):
        invoice(nights, name, "2026-10-20")
    wait(nights)
    fail(nights)
    nights.build()

    xero.set_clock(noon_after(2))
    for name in nights.tenants:
        nights.extract(name, 2)
    nights.build()


def connected(xero: ConnectedApp, *names: str) -> dict[str, Tenant]:
    """Organisations of one user that do no business of their own."""
    made = {
        name: xero.sandbox.control(
            "POST", "organisations", {"name": name, "seed": 3, "days": 0, "traits": {}}
        )["tenantId"]
        for name in names
    }
    ids = set(made.values())
    return {name: xero.connect_to(one, *(ids - {one})) for name, one in made.items()}


def invoice(nights: Nights, name: str, on: str) -> str:
    tenant = nights.tenants[name]
    made = nights.xero.do(tenant, "create_invoice", contact="Aroha", amount="10.00", date=on)
    return str(made["InvoiceID"])


def wait(nights: Nights) -> None:
    """The day's calls are used up after the trial balances; a moment later they are not."""
    nights.xero.fault(CUT, kind="day_limit", times=1)
    day = MONTH_END + timedelta(days=1)
    assert nights.xero.extract(nights.tenants["waited"], day).state == "waiting_for_limit"
    nights.extract("waited", 1)
    # This is what the test is about: neither trial balance was read again.
    assert nights.xero.calls("Reports/TrialBalance") == []


def fail(nights: Nights) -> None:
    """A report cannot be had; an hour later everything can, and is read again unchanged."""
    nights.xero.fault(CUT, status=500, times=4)
    with pytest.raises(UnavailableError):
        nights.xero.extract(nights.tenants["failed"], MONTH_END + timedelta(days=1))
    nights.xero.set_clock(noon_after(1) + timedelta(hours=1))
    nights.extract("failed", 1)


def test_report_that_stays_is_held_against_documents_that_were_mended(nights):
    known_at = nights.known_at
    assert nights.rebuilt == [True, False, False, True]
    [version] = nights.xero.rows.execute(
        "select known_from from xero_raw.trial_balances where tenant_id = %s and record_id = %s",
        (nights.tenants["recoded"].tenant_id, BALANCES),
    ).fetchall()
    assert version == (known_at["recoded", 0],)
    assert nights.compared("recoded") == [
        (known_at["recoded", 0], ["broken", "tied"]),
        (known_at["recoded", 1], ["tied"]),
    ]
    # Fetched with the past, as of a month that has moved.
    assert nights.compared("recoded", "ProfitAndLoss") == [
        (known_at["recoded", 0], ["broken"]),
        (known_at["recoded", 1], ["tied"]),
    ]


def test_comparison_that_says_the_same_is_not_kept_again(nights):
    [(readings,)] = nights.xero.rows.execute(
        "select count(*) from xero_ops.report_readings where tenant_id = %s and record_id = %s",
        (nights.tenants["recoded"].tenant_id, BALANCES),
    ).fetchall()
    # On its own night and on both that followed.
    assert readings == 3
    assert len(nights.compared("recoded")) == 2
    # The account of an invoice is not on the balance sheet.
    assert nights.compared("recoded", "BalanceSheet") == [(nights.known_at["recoded", 0], ["tied"])]


@pytest.mark.parametrize("name", ["waited", "failed"])
def test_month_end_that_a_try_read_is_compared_when_another_completes(nights, name):
    assert nights.compared(name) == [
        (nights.known_at[name, 0], ["tied"]),
        (nights.known_at[name, 1], ["tied"]),
    ]


def test_everything_made_anew_compares_nothing_else(nights):
    *_, moved_on, anew = nights.history
    assert len(anew) > 100
    assert anew == moved_on


@pytest.mark.parametrize("night", [1, 2])
def test_past_night_rebuilt_holds_what_was_compared_until_then(nights, night):
    """The night before comes from the marts; one on which reports said the same adds nothing."""
    schema = f"xero_marts_night_{night}"
    assert nights.compared("recoded", schema=schema) == [
        (nights.known_at["recoded", 0], ["broken", "tied"]),
        (nights.known_at["recoded", 1], ["tied"]),
    ]
