"""How much a build of the marts must make: everything, what moved, or what a night can change."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from airflow_xero.builds import Scope, finish_build, scope_of, start_build


def build(connection: psycopg.Connection, checksum: str, *, failure: str | None = None) -> bool:
    """A build of a project that ended at once; whether it was whole."""
    build_id, is_whole = start_build(connection, checksum=checksum, runs=1)
    finish_build(connection, build_id, failure=failure)
    return is_whole


def test_the_first_build_is_whole_and_the_next_makes_what_moved(warehouse):
    assert [build(warehouse, "this one") for _ in range(3)] == [True, False, False]


def test_a_build_that_failed_is_no_reason_to_make_everything_anew(warehouse):
    build(warehouse, "this one")
    assert not build(warehouse, "this one", failure="a test")
    assert not build(warehouse, "this one")


def test_what_a_failed_upgrade_left_is_made_anew_by_the_project_that_comes_back(warehouse):
    build(warehouse, "former")
    assert build(warehouse, "upgrade", failure="a test")
    assert build(warehouse, "former", failure="killed")
    assert build(warehouse, "former")
    assert not build(warehouse, "former")


@pytest.fixture
def project(tmp_path: Path, warehouse: psycopg.Connection) -> Path:
    """A project with one view, which stands, is read by everybody who may, and has its docs."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "rpt_thing.sql").write_text("select 1 as thing")
    (tmp_path / "selectors.yml").touch()
    build(warehouse, "this one")
    warehouse.execute("create schema xero_marts")
    warehouse.execute("create view xero_marts.rpt_thing as select 1 as thing")
    warehouse.execute("grant select on xero_marts.rpt_thing to bi_reader, bi_reader_of_all")
    warehouse.execute(
        "insert into xero_ops.published_pages (page_name, media_type, content)"
        " values ('docs', 'text/html', '')"
    )
    return tmp_path


def test_a_night_leaves_alone_what_stands_as_it_should(warehouse, project):
    assert scope_of(warehouse, project, "docs") is Scope.NIGHTLY


@pytest.mark.parametrize(
    "change",
    [
        "drop view xero_marts.rpt_thing",
        "revoke select on xero_marts.rpt_thing from bi_reader",
        "revoke select on xero_marts.rpt_thing from bi_reader_of_all",
        "delete from xero_ops.published_pages",
        "update xero_ops.builds set started_at = clock_timestamp()",
    ],
    ids=["gone", "not granted", "not granted for all", "without docs", "with docs of before"],
)
def test_a_night_makes_the_views_and_docs_when(warehouse, project, change):
    warehouse.execute(change)
    assert scope_of(warehouse, project, "docs") is Scope.MOVED


def test_a_project_of_ones_own_needs_no_selector(warehouse, project):
    (project / "selectors.yml").unlink()
    assert scope_of(warehouse, project, "docs") is Scope.MOVED
