"""Daily reports that are old enough leave the raw tables; month ends never do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from airflow_xero.endpoint import Cadence, Reading
from airflow_xero.endpoints import ENDPOINTS, report_key
from airflow_xero.pruning import KEPT, prune_reports
from tests.warehouse.extraction import ConnectedApp

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
DAILY = tuple(
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.reading is Reading.REPORT and endpoint.cadence is Cadence.DAILY
)
TENANT = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
DAY = date(2026, 11, 20)
FIRST_KEPT = DAY - KEPT


def stored(warehouse, table="trial_balances", tenant_id=TENANT):
    rows = warehouse.execute(
        f"select record_id from xero_raw.{table} where tenant_id = %s order by record_id",
        (tenant_id,),
    )
    return [record_id for (record_id,) in rows]


def store(warehouse, *record_ids, table="trial_balances", tenant_id=TENANT):
    with warehouse.cursor() as cursor:
        cursor.executemany(
            f"insert into xero_raw.{table} (tenant_id, record_id, known_from, known_to, payload,"
            " run_id) values (%s, %s, %s, null, '{}', 1)",
            [(tenant_id, record_id, DAY) for record_id in record_ids],
        )


def key(day, basis="accrual", name="trial_balances"):
    return report_key(BY_NAME[name], day, basis)


def test_no_report_of_the_last_400_days_goes(warehouse):
    days = [FIRST_KEPT + timedelta(days=each) for each in range(401)]
    store(warehouse, *map(key, days))
    assert prune_reports(warehouse, TENANT, day=DAY) == 0
    assert stored(warehouse) == [key(day) for day in days]


def test_of_three_older_years_only_month_ends_stay(warehouse):
    days = [FIRST_KEPT - timedelta(days=each) for each in range(1, 1_096)]
    ends = sorted(day for day in days if (day + timedelta(days=1)).day == 1)
    assert len(ends) == 36
    assert date(2024, 2, 29) in ends
    store(warehouse, *map(key, days))
    assert prune_reports(warehouse, TENANT, day=DAY) == len(days) - len(ends)
    assert stored(warehouse) == [key(day) for day in ends]
    assert prune_reports(warehouse, TENANT, day=DAY) == 0


@pytest.mark.parametrize("name", [endpoint.name for endpoint in DAILY])
def test_every_daily_report_is_pruned_on_all_its_bases(warehouse, name):
    gone, kept = FIRST_KEPT - timedelta(days=1), FIRST_KEPT
    report = BY_NAME[name].report
    assert report is not None
    bases = report.bases
    store(
        warehouse,
        *(key(day, basis, name) for day in (gone, kept) for basis in bases),
        table=name,
    )
    assert prune_reports(warehouse, TENANT, day=DAY) == len(bases)
    assert stored(warehouse, name) == sorted(key(kept, basis, name) for basis in bases)


def test_every_version_of_an_old_report_goes(warehouse):
    old = key(FIRST_KEPT - timedelta(days=1))
    warehouse.execute(
        "insert into xero_raw.trial_balances (tenant_id, record_id, known_from, known_to, payload,"
        " run_id) values (%(t)s, %(id)s, '2025-10-01', '2025-10-02', '{}', 1),"
        " (%(t)s, %(id)s, '2025-10-02', null, '{}', 2)",
        {"t": TENANT, "id": old},
    )
    assert prune_reports(warehouse, TENANT, day=DAY) == 2
    assert stored(warehouse) == []


def test_budget_summaries_other_organisations_and_foreign_keys_stay(warehouse):
    old = FIRST_KEPT - timedelta(days=1)
    budget = key(old, name="budget_summaries")
    store(warehouse, budget, table="budget_summaries")
    store(warehouse, key(old), tenant_id=OTHER)
    store(warehouse, "TrialBalance", "TrialBalance:yesterday:accrual")
    assert prune_reports(warehouse, TENANT, day=DAY) == 0
    assert stored(warehouse, "budget_summaries") == [budget]
    assert stored(warehouse, tenant_id=OTHER) == [key(old)]
    assert stored(warehouse) == ["TrialBalance", "TrialBalance:yesterday:accrual"]


@pytest.mark.parametrize("closes_day", [True, False])
def test_every_extraction_that_closes_its_day_prunes(xero_sandbox, warehouse_dsn, closes_day):
    gone = FIRST_KEPT - timedelta(days=1)
    with ConnectedApp(xero_sandbox, warehouse_dsn) as xero:
        tenant_id = (tenant := xero.organisation()).tenant_id
        store(xero.rows, key(gone), key(FIRST_KEPT), tenant_id=tenant_id)
        xero.extract(tenant, DAY, closes_day=closes_day)
        kept = stored(xero.rows, tenant_id=tenant_id)
    assert (key(gone) in kept, key(FIRST_KEPT) in kept) == (not closes_day, True)
