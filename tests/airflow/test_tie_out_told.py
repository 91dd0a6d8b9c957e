"""A broken tie-out is told and read again, also when the build ends badly after it found it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from airflow_xero import rereads
from airflow_xero.dbt_build import DbtBuildOperator, unbuilt_runs
from airflow_xero.errors import PublishError, TieOutError, WarehouseBusyError, XeroSetupError
from airflow_xero.settings import tie_out_tolerance

TENANT_ID = "11111111-1111-1111-1111-111111111111"
# An organisation with an extraction that is not built, and what a build would make of it.
BROKEN = f"""
insert into xero_ops.tenants (tenant_id, tenant_name) values ('{TENANT_ID}', 'Kauri');
insert into xero_ops.extract_runs (tenant_id, day, known_at, state, dag_run_id)
values ('{TENANT_ID}', '2026-11-19', '2026-11-20 12:00Z', 'complete', 'a night');
create schema xero_marts;
create table xero_marts.rpt_tie_out as
select
    tenant_id, 'TrialBalance' as report, 'accrual' as basis, day as report_date, known_at,
    'balance' as measure, 'sales' as line_key, 'Sales (200)' as line_label, 5.00 as difference,
    'broken' as status
from xero_ops.extract_runs;
create table xero_marts.rpt_tie_out_summary as
select tenant_id, report, basis, report_date, known_at, difference as difference_amount,
    difference as broken_amount
from xero_marts.rpt_tie_out;
"""
# As when the next night's reports agree with the documents.
MENDED = """
insert into xero_marts.rpt_tie_out
select
    tenant_id, report, basis, report_date + 1, known_at + interval '1 day',
    measure, line_key, line_label, 0.00, 'tied'
from xero_marts.rpt_tie_out;
insert into xero_marts.rpt_tie_out_summary
select tenant_id, report, basis, report_date, known_at, 0.00, 0.00
from xero_marts.rpt_tie_out where status = 'tied';
"""
# As when another session holds the row for too long.
STUCK = """
create function stuck() returns trigger language plpgsql as $$
begin raise exception 'locked' using errcode = 'lock_not_available'; end $$;
create trigger stuck before update of built_at on xero_ops.extract_runs
for each row execute function stuck();
"""


@pytest.fixture
def build(xero, warehouse, small_project, monkeypatch) -> Callable[[], int]:
    """Build a small project where xero_marts has a tie-out, which is broken."""
    (small_project / "models" / "published.sql").write_text("select 1 as one")
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))
    warehouse.execute(BROKEN)

    def run() -> int:
        task = DbtBuildOperator(task_id="dbt", xero_conn_id="xero_default", listed_by="list")
        ti = SimpleNamespace(
            xcom_pull=lambda **_: [{"tenant_id": TENANT_ID, "tenant_name": "Kauri"}],
            xcom_push=lambda **_: None,
            log_url=None,
        )
        dag_run = SimpleNamespace(dag_id="xero_daily", run_id="a night")
        published: int = task.execute(cast(Any, {"ti": ti, "dag_run": dag_run}))["runs"]
        return published

    return run


def wanted(warehouse: Any) -> set[str]:
    """The endpoints that are to be read whole."""
    states = rereads.states_of(warehouse, TENANT_ID)
    return {name for name, state in states.items() if state.wanted_reason is not None}


def test_what_a_build_found_is_not_lost_when_it_fails_before_its_runs_are_marked(build, warehouse):
    warehouse.execute(STUCK)
    with pytest.raises(WarehouseBusyError):
        build()
    assert wanted(warehouse) >= {"invoices", "manual_journals"}
    assert unbuilt_runs(warehouse) == [1]

    warehouse.execute("drop trigger stuck on xero_ops.extract_runs")
    assert build() == 1
    assert unbuilt_runs(warehouse) == []
    told = warehouse.execute("select cause from xero_ops.notices").fetchall()
    assert told == [(f"tie_out_broken:{TENANT_ID}",)]
    assert build() == 0


def test_nobodys_run_fails_unless_somebody_wants_that(build, monkeypatch):
    monkeypatch.setenv("AIRFLOW__XERO__TIE_OUT_TOLERANCE", "0.00")

    assert build() == 1


def test_where_it_is_wanted_a_run_fails_on_a_cent_after_it_has_published(
    build, warehouse, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")

    with pytest.raises(PublishError, match=r"Kauri is broken by more than 0\.00"):
        build()
    assert unbuilt_runs(warehouse) == []


def test_a_task_that_is_cleared_fails_again_until_a_later_extraction_agrees(
    build, warehouse, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")

    for _ in range(3):
        with pytest.raises(TieOutError, match=r"are published, but .* Kauri is broken by more"):
            build()
    assert unbuilt_runs(warehouse) == []

    warehouse.execute(MENDED)
    assert build() == 0


def test_a_task_that_is_cleared_passes_when_the_tolerance_was_raised(build, monkeypatch):
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")
    with pytest.raises(TieOutError):
        build()

    monkeypatch.setenv("AIRFLOW__XERO__TIE_OUT_TOLERANCE", "5.00")
    assert build() == 0


def test_a_broken_tie_out_of_another_runs_organisation_fails_no_run_that_publishes_nothing(
    build, warehouse, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")
    with pytest.raises(TieOutError):
        build()

    warehouse.execute("update xero_ops.extract_runs set dag_run_id = 'another'")
    assert build() == 0


def test_a_wrong_setting_fails_the_task_before_anything_is_published(build, warehouse, monkeypatch):
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")
    monkeypatch.setenv("AIRFLOW__XERO__TIE_OUT_TOLERANCE", "abc")

    for _ in range(2):
        with pytest.raises(
            XeroSetupError, match=r"is 'abc': set AIRFLOW__XERO__TIE_OUT_TOLERANCE to an amount"
        ):
            build()
    assert unbuilt_runs(warehouse) == [1]
    assert warehouse.execute("select state from xero_ops.builds").fetchall() == []


def test_what_is_left_over_within_the_tolerance_fails_no_run(build, monkeypatch):
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")
    monkeypatch.setenv("AIRFLOW__XERO__TIE_OUT_TOLERANCE", "5.00")

    assert build() == 1


def test_a_broken_count_beside_no_broken_amount_is_within_no_tolerance(
    build, warehouse, monkeypatch
):
    warehouse.execute("update xero_marts.rpt_tie_out_summary set broken_amount = 0")
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")
    monkeypatch.setenv("AIRFLOW__XERO__TIE_OUT_TOLERANCE", "5.00")

    with pytest.raises(PublishError, match="no amount"):
        build()


@pytest.mark.parametrize(
    ("name", "text"), [("FAIL_ON_BROKEN_TIE_OUT", "perhaps"), ("TIE_OUT_TOLERANCE", "-1")]
)
def test_a_wrong_setting_of_the_tie_out_is_named(monkeypatch, name, text):
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")
    monkeypatch.setenv(f"AIRFLOW__XERO__{name}", text)

    with pytest.raises(XeroSetupError, match=f"AIRFLOW__XERO__{name}"):
        tie_out_tolerance()
