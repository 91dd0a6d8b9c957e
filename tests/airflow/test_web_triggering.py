"""Starting Dags from the pages: what Airflow's own tables hold then, and why it may refuse."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_xero.errors import XeroBusyError, XeroSetupError
from tests.airflow.conftest import queued_runs, xero_fields

KAURI = "6f5b2a0e-0000-4000-8000-000000000001"
BEACON = "6f5b2a0e-0000-4000-8000-000000000002"

pytestmark = [
    # Third parties, met inside Airflow's own code.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]


@pytest.fixture
def triggering(starting_dags: None) -> Any:
    """The module under test."""
    from airflow_xero.web import triggering

    return triggering


def change_dag(dag_id: str, **values: Any) -> None:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(**values))


def test_the_organisations_of_a_consent_are_queued_as_one_run_in_the_users_name(triggering):
    assert triggering.start_extraction([KAURI, BEACON], started_by="ada")

    conf = {"tenants": [KAURI, BEACON]}
    assert queued_runs() == [("xero_extract", "queued", conf, "ada")]


def test_a_consent_that_reached_nothing_starts_nothing(triggering):
    assert not triggering.start_extraction([], started_by="ada")
    assert queued_runs() == []


def test_what_was_asked_for_is_told_until_its_run_has_ended(triggering):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    triggering.request_extraction([KAURI], started_by="ada")
    triggering.request_extraction([BEACON], started_by="bob")
    assert triggering.plan().asked == {KAURI, BEACON}

    with create_session() as session:
        session.execute(update(DagRun).values(state="success"))
    assert triggering.plan().asked == frozenset()


def test_the_next_night_is_what_airflow_has_planned(triggering):
    moment = datetime(2026, 11, 22, 12, tzinfo=UTC)
    change_dag("xero_daily", next_dagrun_create_after=moment, is_paused=False)
    assert triggering.plan().next_night_at == moment

    change_dag("xero_daily", is_paused=True)
    assert (triggering.plan().next_night_at, triggering.plan().is_daily_paused) == (None, True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"is_paused": True}, "is switched off: switch it on"),
        ({"is_stale": True}, "does not know the Dag xero_extract yet"),
        ({"has_import_errors": True}, "has an import error"),
    ],
)
def test_a_dag_that_would_not_run_says_so_and_spoils_no_consent(triggering, values, said):
    change_dag("xero_extract", **values)

    try:
        assert not triggering.start_extraction([KAURI], started_by="ada")
        with pytest.raises(XeroSetupError, match=said):
            triggering.request_extraction([KAURI], started_by="ada")
        assert queued_runs() == []
    finally:
        change_dag("xero_extract", has_import_errors=False)


@pytest.fixture
def without_runs(triggering: Any) -> Iterator[None]:
    """Airflow's database cannot be asked about runs, nor take one."""
    rename_table("dag_run", "dag_run_away")
    yield
    rename_table("dag_run_away", "dag_run")


def rename_table(name: str, new_name: str) -> None:
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        # Else SQLite lets what refers to it refer to the new name.
        session.execute(text("pragma legacy_alter_table = on"))
        session.execute(text(f"alter table {name} rename to {new_name}"))


def test_a_database_of_airflows_that_fails_is_said_in_words_and_spoils_no_consent(
    triggering, without_runs
):
    assert not triggering.start_extraction([KAURI], started_by="ada")
    for ask in (
        triggering.plan,
        lambda: triggering.request_extraction([KAURI], started_by="ada"),
        lambda: triggering.request_erasure(KAURI, started_by="ada"),
    ):
        with pytest.raises(XeroBusyError, match="Airflow's own database"):
            ask()


def test_a_run_that_somebody_started_by_hand_with_nonsense_disturbs_no_page(triggering):
    for conf in ({}, {"tenants": "all"}, {"tenants": 7}):
        triggering._trigger("xero_extract", conf, started_by="ada")

    assert triggering.plan().asked == frozenset()


def test_connecting_at_the_command_line_starts_the_first_extraction(
    triggering, xero, set_connection, capsys
):
    from airflow_xero import cli_connecting

    set_connection("xero_default", **xero_fields(xero, app_kind="custom"))

    cli_connecting.connect(Namespace(conn_id=None))

    assert "The Dag xero_extract reads it at once." in capsys.readouterr().out
    assert not triggering.plan().asked.isdisjoint(xero.organisations().values())


def test_connecting_at_the_command_line_says_when_a_dag_that_is_off_reads_it(
    triggering, xero, set_connection, capsys
):
    from airflow_xero import cli_connecting

    change_dag(triggering.EXTRACT_DAG, is_paused=True)
    set_connection("xero_default", **xero_fields(xero, app_kind="custom"))

    cli_connecting.connect(Namespace(conn_id=None))

    assert "is switched off or not ready: the next night reads it" in capsys.readouterr().out
    assert triggering.plan().asked == frozenset()
