"""The Dag file: exactly this Dag, these tasks, these edges; what each task may do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import BundleDagBag

from airflow_xero.retry import XeroRetryPolicy

DAGS = Path(__file__).resolve().parents[2] / "dags"


def load_dags() -> BundleDagBag:
    return BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")


@pytest.fixture(scope="module")
def dag() -> Any:
    return load_dags().dags["xero_daily"]


def test_the_folder_holds_exactly_these_dags_without_errors():
    bag = load_dags()

    assert bag.import_errors == {}
    assert set(bag.dags) == {
        "xero_backfill",
        "xero_daily",
        "xero_erase",
        "xero_extract",
        "xero_invoice_pdfs",
        "xero_refresh",
        "xero_resume",
    }


def test_tasks_and_edges_are_exactly_these(dag):
    assert {task_id: set(task.downstream_task_ids) for task_id, task in dag.task_dict.items()} == {
        "list_tenants": {"extract_tenant"},
        "extract_tenant": {"dbt_build", "report_outcome"},
        "dbt_build": {"report_outcome"},
        "report_outcome": set(),
    }


def test_one_mapped_task_per_organisation_labelled_by_its_name(dag):
    task = dag.get_task("extract_tenant")

    assert task.is_mapped
    assert task.partial_kwargs["map_index_template"] == "{{ task.tenant.tenant_name[:250] }}"


def test_pools_and_trigger_rules(dag):
    tasks = dag.task_dict

    assert {name: (task.pool, task.trigger_rule.value) for name, task in tasks.items()} == {
        "list_tenants": ("default_pool", "all_success"),
        "extract_tenant": ("xero_extract", "all_success"),
        "dbt_build": ("xero_dbt", "all_done"),
        "report_outcome": ("default_pool", "all_done"),
    }


def test_who_waits_comes_first_then_the_day_then_what_the_other_dags_do_in_the_same_pools():
    weights = {
        name: [task.priority_weight for task in each.tasks]
        for name, each in load_dags().dags.items()
    }
    asked, day = weights.pop("xero_extract"), weights.pop("xero_daily")

    # Airflow adds up the weights of what comes after a task.
    assert min(asked) > sum(day)
    assert min(day) > max(sum(others) for others in weights.values())


def test_every_pool_of_the_dag_is_made_by_migrate(dag):
    from airflow_xero.cli import POOLS

    assert {task.pool for task in dag.tasks} - {"default_pool"} == set(POOLS)


def test_every_task_follows_the_retry_policy(dag):
    assert {type(task.retry_policy) for task in dag.tasks} == {XeroRetryPolicy}
    assert {task.retries for task in dag.tasks} == {3}


def test_every_day_since_installation_is_published_one_after_another(dag):
    assert dag.start_date == datetime(2026, 11, 18, tzinfo=UTC)
    assert dag.catchup
    assert dag.max_active_runs == 1


def test_a_run_starts_at_noon_of_the_next_day_with_an_interval_of_a_day(dag):
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import TimeRestriction

    timetable: Any = coerce_to_core_timetable(dag.timetable)
    first = timetable.next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(earliest=dag.start_date, latest=None, catchup=True),
    )

    assert first.data_interval.start == datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert first.run_after - first.data_interval.start == timedelta(days=1)


def test_the_page_of_the_dag_explains_what_to_do(dag):
    assert all(task_id in dag.doc_md for task_id in dag.task_ids if task_id != "list_tenants")
    assert set(dag.tags) == {"xero"}


def test_dag_files_hold_no_logic():
    too_long = {
        path.name: len(path.read_text().splitlines())
        for path in DAGS.glob("*.py")
        if len(path.read_text().splitlines()) > 80
    }

    assert too_long == {}


@pytest.mark.parametrize("first_day", ["", "yesterday"])
def test_a_missing_first_day_is_an_import_error_that_names_the_setting(first_day, monkeypatch):
    monkeypatch.setenv("AIRFLOW__XERO__FIRST_DAY", first_day)

    (error,) = load_dags().import_errors.values()

    assert "AIRFLOW__XERO__FIRST_DAY" in error
