"""Planned months outlive the two years for which Xero can be asked.

Budgets are extracted from the sandbox, months apart, and built from all of their versions. A night
builds those of the organisations that changed one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_xero.extract import Tenant
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.extraction import BY_NAME, DAY, NOW, ConnectedApp, write_payloads
from tests.warehouse.marts.ledger_books import run_dbt
from tests.warehouse.marts.loaded import Warehouse
from xero_sandbox.testing import SandboxServer

MODELS = ("build", "--resource-type", "model", "--resource-type", "seed", "--select")
LATER = timedelta(days=121)
# What was done at a moment is listed after it.
MINUTE = timedelta(minutes=1)

Planned = dict[str, Decimal]
Plan = Callable[..., Planned]


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = [BY_NAME[name] for name in ("organisations", "accounts", "budgets")]
        yield app


@pytest.fixture
def planned(xero: ConnectedApp, tmp_path: Path) -> Plan:
    """Builds the budgets, of a past night if one is named, and gives the amounts by month."""

    def build(known_at: datetime | None = None) -> Planned:
        night = {"known_at": known_at.isoformat(), "schema_suffix": "night"} if known_at else {}
        suffix = "_night" if known_at else ""
        run_dbt(xero.dsn, tmp_path / f"dbt{suffix}", *MODELS, "+fct_budgets", **night)
        rows = xero.rows.execute(
            "select to_char(month_start_date, 'YYYY-MM'), base_amount"
            f" from xero_marts{suffix}.fct_budgets"
        ).fetchall()
        assert len(rows) == len(dict(rows))
        return dict(rows)

    return build


def read(xero: ConnectedApp, tenant: Tenant, later: timedelta) -> None:
    """Extract the organisation so long after the first day."""
    xero.set_clock(NOW + MINUTE + later)
    assert xero.extract(tenant, DAY + later, accept_deletions=True).state == "complete"


def budget(folder: Path, name: str = "plan", **months: int) -> Path:
    """Payloads of one budget: amounts by month, the year first, as in y2026_11."""
    balances = [
        {"Period": month[1:].replace("_", "-"), "Amount": amount}
        for month, amount in months.items()
    ]
    lines = [{"AccountID": "sales", "AccountCode": "200", "BudgetBalances": balances}]
    record = {"BudgetID": name, "Type": "OVERALL", "BudgetLines": lines}
    return write_payloads(folder, Budgets=[record])


def test_months_of_which_xero_is_asked_no_more_stay_planned(xero: ConnectedApp, planned: Plan):
    tenant = xero.organisation()
    plan = {"date": "2025-11-01", "months": 26, "amounts": {"200": "100.00"}}
    xero.do(tenant, "create_budget", **plan)
    read(xero, tenant, timedelta())
    read(xero, tenant, LATER)

    (told,) = xero.stored(tenant, "budgets").values()
    (line,) = told["BudgetLines"]
    assert min(each["Period"] for each in line["BudgetBalances"]) == "2026-03"
    assert planned() == {
        f"{year}-{month:02}": Decimal(100)
        for year in (2025, 2026, 2027)
        for month in range(1, 13)
        if date(year, month, 1) >= date(2025, 11, 1)
    }


def test_a_month_that_xero_is_asked_for_again_is_what_it_says_now(
    xero: ConnectedApp, planned: Plan, tmp_path: Path
):
    tenant = xero.payloads(budget(tmp_path, y2025_11=1, y2026_02=2, y2026_03=3, y2026_04=4))
    read(xero, tenant, timedelta())
    xero.serve(budget(tmp_path, y2026_04=40))
    read(xero, tenant, LATER)

    # March was asked for in both, February in the first alone.
    assert planned() == {"2025-11": 1, "2026-02": 2, "2026-04": 40}
    (first_night,) = xero.one("select min(known_at) from xero_ops.extract_runs")
    assert planned(first_night) == {"2025-11": 1, "2026-02": 2, "2026-03": 3, "2026-04": 4}


def test_a_budget_that_is_gone_takes_all_of_its_months_along(
    xero: ConnectedApp, planned: Plan, tmp_path: Path
):
    tenant = xero.payloads(budget(tmp_path, y2025_11=1))
    read(xero, tenant, timedelta())
    xero.serve(budget(tmp_path, "another plan", y2026_04=40))
    read(xero, tenant, LATER)

    assert planned() == {"2026-04": 40}


# --- One night -----------------------------------------------------------------------------------


@pytest.fixture
def own(marts: Warehouse, postgres_server: EmbeddedPostgres, tmp_path: Path) -> Iterator[Warehouse]:
    """The built marts in a database of their own; what was extracted is built."""
    postgres_server.create_database("replanned", template="marts")
    own = replace(marts, dsn=postgres_server.dsn("replanned"), target=tmp_path / "night")
    with own.connect() as warehouse:
        warehouse.execute(
            "update xero_ops.extract_runs set built_at = clock_timestamp() where state = 'complete'"
        )
    yield own
    postgres_server.drop_database("replanned")


_READ_LATER = """
with run as (
    insert into xero_ops.extract_runs (tenant_id, day, known_at, state)
    select tenant_id, (complete_day + %(later)s)::date, complete_at + %(later)s, 'complete'
    from xero_ops.tenants where tenant_id = %(tenant_id)s
    returning tenant_id, run_id, day, known_at
),
complete as (
    update xero_ops.tenants as tenant set complete_at = run.known_at, complete_day = run.day
    from run where tenant.tenant_id = run.tenant_id
),
closed as (
    update xero_raw.budgets as version set known_to = run.known_at
    from run where version.tenant_id = run.tenant_id and version.known_to is null
    returning 1
)
insert into xero_raw.budgets (tenant_id, record_id, known_from, payload, run_id)
select run.tenant_id, said.payload ->> 'BudgetID', run.known_at, said.payload, run.run_id
from run, jsonb_array_elements(%(said)s) as said (payload)
where (select count(*) from closed) > 0
"""


def read_without_november(own: Warehouse, tenant_id: str) -> None:
    """Ten months later Xero tells of September on alone, and no longer of November."""
    said = [
        payload
        for (payload,) in own.rows(
            "select payload from xero_raw.budgets where tenant_id = %s", tenant_id
        )
    ]
    for line in [line for record in said for line in record["BudgetLines"]]:
        line["BudgetBalances"] = [
            each
            for each in line["BudgetBalances"]
            if each["Period"] >= "2026-09" and each["Period"] != "2026-11"
        ]
    with own.connect() as warehouse:
        told = {"tenant_id": tenant_id, "later": timedelta(days=300), "said": json.dumps(said)}
        warehouse.execute(_READ_LATER, told)


def test_a_night_leaves_the_budgets_that_everything_made_anew_has(own: Warehouse, tmp_path: Path):
    tenant_id = own.tenants["every kind"].tenant_id
    before = own.rows("select * from xero_marts.fct_budgets order by 1, 2, 7, 9")
    read_without_november(own, tenant_id)

    own.dbt("run", "--select", "stg_xero__tenants", "fct_budgets")

    after = own.rows("select * from xero_marts.fct_budgets order by 1, 2, 7, 9")
    assert after == [
        row for row in before if (str(row[0]), row[8]) != (tenant_id, date(2026, 11, 1))
    ]
    assert len(after) < len(before)
    assert min(row[8] for row in after) < date(2026, 9, 1)
    ((rebuilt,),) = own.rows(
        "select count(*) filter (where is_rebuilt) from xero_staging.stg_xero__tenants"
    )
    assert rebuilt == 0
    beside = replace(own, target=tmp_path / "whole")
    beside.dbt(*MODELS, "+fct_budgets", "--full-refresh", schema_suffix="whole")
    assert after == own.rows("select * from xero_marts_whole.fct_budgets order by 1, 2, 7, 9")
