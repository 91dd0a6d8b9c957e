"""What every build of the marts did: when, of which project, how much, with what result.

Knows `xero_ops.builds` and `xero_ops.build_results`, and by what a project is known again. Must
not know Airflow, nor how dbt is called.
"""

from __future__ import annotations

import enum
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

GOOD = frozenset({"success", "pass", "warn", "no-op", "partial success"})
# What fails nothing, and is to be looked at all the same.
WARNED = "warn"
# A table that grows from build to build holds what an older project made of its rows.
_PROJECT = ("dbt_project.yml", "macros", "models", "seeds")
_KEPT_BUILDS = 100
_MESSAGE_LENGTH = 2000


class Scope(enum.Enum):
    """How much a build makes: everything anew, what moved, or of that what a night can change."""

    WHOLE = "whole"
    MOVED = "moved"
    NIGHTLY = "nightly"


def scope_of(warehouse: psycopg.Connection[Any], project: Path, page_name: str) -> Scope:
    """How much a build must make of a project that stayed the same.

    A night leaves the views alone where the project has a selector `nightly`, unless one of its
    tables or views is missing, a reader may not read one of the marts yet, or the page of its docs
    is older than the tables.
    """
    if not (project / "selectors.yml").is_file():
        return Scope.MOVED
    files = [*(project / "models").rglob("*.sql"), *(project / "seeds").rglob("*.csv")]
    wanted = {file.stem for file in files}
    found = warehouse.execute(_STANDING, {"names": list(wanted), "page": page_name}).fetchone()
    return Scope.NIGHTLY if found == (len(wanted), True, True) else Scope.MOVED


_STANDING = """
with relations as (
    select pg_class.oid, relname, nspname
    from pg_catalog.pg_class
    inner join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where
        relkind in ('r', 'v')
        and nspname in ('xero_staging', 'xero_intermediate', 'xero_marts')
)

select
    (select count(distinct relname) from relations where relname = any(%(names)s)),
    not exists (
        select from relations
        cross join pg_catalog.pg_roles
        where
            nspname = 'xero_marts'
            and relname = any(%(names)s)
            and rolname in ('bi_reader', 'bi_reader_of_all')
            and not has_table_privilege(pg_roles.oid, relations.oid, 'select')
    ),
    exists (
        select from xero_ops.published_pages
        where
            page_name = %(page)s
            and published_at > coalesce(
                (select max(started_at) from xero_ops.builds where is_whole), '-infinity'
            )
    )
"""


def project_checksum(project: Path) -> str:
    """A digest of all files by which the project makes its tables; tests make none."""
    digest = hashlib.sha256()
    for name in _PROJECT:
        place = project / name
        for file in [place] if place.is_file() else sorted(place.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                digest.update(f"{file.relative_to(project).as_posix()}\0".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def start_build(
    warehouse: psycopg.Connection[Any], *, checksum: str, runs: int
) -> tuple[int, bool]:
    """Remember that a build begins; its id, and whether it must make everything anew.

    It must when there was no good build, or when the last one or any that failed since was of
    another project. A build that is still called running was killed: builds never overlap.
    """
    warehouse.execute(
        "update xero_ops.builds set state = 'failed', failure = 'the task was killed',"
        " finished_at = clock_timestamp() where state = 'running'"
    )
    rows = warehouse.execute(
        "insert into xero_ops.builds (project_checksum, is_whole, runs)"
        " select %(checksum)s, last_good is null or exists ("
        "     select from xero_ops.builds"
        "     where build_id >= last_good and project_checksum <> %(checksum)s"
        " ), %(runs)s"
        " from ("
        "     select max(build_id) as last_good from xero_ops.builds where state = 'good'"
        " ) as good"
        " returning build_id, is_whole",
        {"checksum": checksum, "runs": runs},
    ).fetchall()
    build_id, is_whole = rows[0]
    return int(build_id), bool(is_whole)


def store_results(
    warehouse: psycopg.Connection[Any], build_id: int, results: Sequence[Any]
) -> None:
    """Keep what a build did: a row per model and seed with its tests counted, and per test.

    A test that warned counts neither as passed nor as failed. `results` are those of a dbtRunner.
    """
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for result in results:
        if result.node.resource_type == "test" and str(result.status) != WARNED:
            count = passed if str(result.status) in GOOD else failed
            count[str(getattr(result.node, "attached_node", None))] += 1
    warehouse.cursor().executemany(
        "insert into xero_ops.build_results (build_id, kind, name, status, seconds, rows_written,"
        " failures, tests_passed, tests_failed, message)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        [
            (
                build_id,
                str(result.node.resource_type),
                result.node.name,
                str(result.status),
                result.execution_time,
                rows_written(result),
                result.failures,
                passed[result.node.unique_id],
                failed[result.node.unique_id],
                _message_of(result),
            )
            for result in results
        ],
    )


def _message_of(result: Any) -> str | None:
    """What a person should know of a result; None where everything is well."""
    if str(result.status) == WARNED:
        return warning_of(result)
    return None if str(result.status) in GOOD else str(result.message)[:_MESSAGE_LENGTH]


def warning_of(result: Any) -> str:
    """What a test that warned found, in dbt's words, and how its rows are looked at."""
    return (
        f"{result.message}; until the next build `dbt show --select {result.node.name} --limit 100`"
        " shows the rows"
    )


def rows_written(result: Any) -> int | None:
    """The rows that a model wrote; None where dbt does not say, as for views and tests."""
    answer = result.adapter_response or {}
    rows = answer.get("rows_affected")
    if result.node.resource_type == "test" or not isinstance(rows, int) or rows < 0:
        return None
    return rows


def finish_build(
    warehouse: psycopg.Connection[Any], build_id: int, *, failure: str | None = None
) -> None:
    """Say how the build ended, and forget the oldest but the last good one.

    A build that ended well stays good, whatever fails after it.
    """
    warehouse.execute(
        "update xero_ops.builds set finished_at = clock_timestamp(), failure = %s,"
        " state = case when %s::text is null then 'good' else 'failed' end"
        " where build_id = %s and state = 'running'",
        (failure and failure[:_MESSAGE_LENGTH], failure, build_id),
    )
    warehouse.execute(
        "delete from xero_ops.builds where build_id <= %s - %s and build_id is distinct from"
        " (select max(build_id) from xero_ops.builds where state = 'good')",
        (build_id, _KEPT_BUILDS),
    )
