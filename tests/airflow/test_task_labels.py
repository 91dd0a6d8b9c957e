"""What Airflow shows of a mapped task: the organisation's name, as long as its database takes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.airflow.conftest import REPOSITORY

# Of rendered_map_index in Airflow's database; Postgres refuses a longer one, and the task fails.
LABEL_LENGTH = 250
LABELLED = ["xero_backfill", "xero_daily", "xero_extract", "xero_refresh", "xero_resume"]


@pytest.mark.parametrize("dag_id", LABELLED)
@pytest.mark.parametrize("name", ["Kauri & <Sons>", "🌙" * 10_000], ids=["short", "long"])
def test_a_task_is_called_by_as_much_of_the_name_as_airflow_keeps(airflow_database, dag_id, name):
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(REPOSITORY / "dags" / f"{dag_id}.py").dags[dag_id]
    templates = [text for one in dag.tasks if (text := getattr(one, "map_index_template", None))]
    task = SimpleNamespace(tenant=SimpleNamespace(tenant_name=name))

    labels = [dag.get_template_env().from_string(one).render(task=task) for one in templates]

    assert labels == [name[:LABEL_LENGTH]]
