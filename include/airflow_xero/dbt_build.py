"""Publishing: one dbt build, in the task's own process, for every run that is not yet built.

Knows how to call dbt, which extraction runs a build publishes, and when everything must be made
anew: when the project's files are not those of the last good build. Hands on what the tie-out
found. Must not know a model by name.
The project folder is only read: dbt writes into a temporary folder, and its partial parse, which
saves seconds, is kept between runs under AIRFLOW_HOME.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from airflow_xero import causes, rereads
from airflow_xero.builds import (
    GOOD,
    WARNED,
    Scope,
    finish_build,
    project_checksum,
    rows_written,
    scope_of,
    start_build,
    store_results,
    warning_of,
)
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import PublishError, TieOutError
from airflow_xero.hook import XeroHook
from airflow_xero.notifiers import link_of
from airflow_xero.notify import note
from airflow_xero.outcome import FAILURE_KEY, UNTIED_KEY, message_of
from airflow_xero.settings import dbt_cache_dir, dbt_project_dir, tie_out_tolerance
from airflow_xero.tie_outs import BrokenTieOut, broken_tie_outs, still_broken_tie_outs
from airflow_xero.warehouse import warehouse_errors

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Connection, Context

DOCS_PAGE = "dbt_docs"
_PARTIAL_PARSE = "partial_parse.msgpack"
# A task's process ends at once, so that Python's helper finds dbt's semaphores and complains, as an
# error in the log of a task that went well. It removes them all the same.
_CALM_ENDING = {"PYTHONWARNINGS": "ignore:resource_tracker"}
# Extra of a Postgres connection → the variable by which libpq, and so dbt, learns it.
_LIBPQ_VARIABLES = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


# A view says the same every night; the selector, in the project, says what else need not be built.
_SCOPES = {
    Scope.WHOLE: ("--full-refresh",),
    Scope.MOVED: (),
    Scope.NIGHTLY: ("--selector", "nightly", "--no-write-json"),
}


class DbtBuildOperator(BaseOperator):
    """Builds the marts when some complete extraction is not in them yet; returns at once if not.

    Marks what it published (`extract_runs.built_at`), keeps the results of every model and test
    (`xero_ops.build_results`) and stores the docs as one page. Skips when the task that lists the
    organisations failed: then nothing is known to be unbuilt. Raises XeroSetupError before anything
    is built when a setting is wrong, PublishError naming the failed models and tests, and
    TieOutError naming the organisations whose published tie-out is broken by more than is
    tolerated: also when there is nothing to publish, so that clearing the task mends nothing. Keeps
    the reason for the report under the XCom key `failure`, of a TieOutError under `untied`.
    """

    publishes_statistics = True

    def __init__(self, *, xero_conn_id: str, listed_by: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id
        self.listed_by = listed_by

    def execute(self, context: Context) -> dict[str, Any]:
        """Return `{"runs": how many extraction runs were published}`."""
        if context["ti"].xcom_pull(task_ids=self.listed_by) is None:
            raise AirflowSkipException(f"{self.listed_by} failed: see its log")
        try:
            # Read first: nothing must be published that a wrong setting then fails.
            tolerance = tie_out_tolerance()
            published = self._publish(context)
            if tolerance is not None:
                require_tolerated(self._still_broken(context, published), tolerance)
        except Exception as error:
            key = UNTIED_KEY if isinstance(error, TieOutError) else FAILURE_KEY
            context["ti"].xcom_push(key=key, value=message_of(error))
            raise
        return {"runs": len(published)}

    def _still_broken(self, context: Context, published: Sequence[int]) -> list[BrokenTieOut]:
        """The broken tie-outs of what was published just now, and of what this Dag run extracted.

        Of the latter also when another build published it, a try before this one, say. By the
        organisations it listed, because runs of two Dags may have the same id.
        """
        listed = context["ti"].xcom_pull(task_ids=self.listed_by)
        tenant_ids = [tenant["tenant_id"] for tenant in listed]
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            with warehouse_errors():
                own = complete_runs(warehouse, context["dag_run"].run_id, tenant_ids)
            return still_broken_tie_outs(warehouse, [*published, *own])

    def _publish(self, context: Context) -> list[int]:
        """The extraction runs that were published, by run_id."""
        with XeroHook(self.xero_conn_id) as hook:
            # Asked before the build starts: whatever completes during it waits for the next.
            with hook.warehouse() as warehouse, warehouse_errors():
                runs = unbuilt_runs(warehouse)
            if not runs:
                self.log.info("Nothing to publish: every complete extraction is in the marts.")
                return []

            project = dbt_project_dir()
            with hook.warehouse() as warehouse, warehouse_errors():
                build_id, is_whole = start_build(
                    warehouse, checksum=project_checksum(project), runs=len(runs)
                )
                scope = Scope.WHOLE if is_whole else scope_of(warehouse, project, DOCS_PAGE)
            if is_whole:
                self.log.info("The dbt project has changed: everything is made anew.")

            def record(results: Sequence[Any]) -> None:
                self.log.info("%s", as_table(results))
                for warning in warnings_of(results):
                    self.log.warning("%s", warning)
                with hook.warehouse() as warehouse, warehouse_errors():
                    store_results(warehouse, build_id, results)

            def built() -> None:
                with hook.warehouse() as warehouse, warehouse_errors():
                    # Before the runs count as built: who is killed in between does it once more.
                    tell_of_broken_tie_outs(warehouse, runs, link=link_of(context))
                    mark_built(warehouse, runs)
                    finish_build(warehouse, build_id)

            try:
                docs = publish(
                    project,
                    environment=warehouse_environment(hook.get_connection(hook.store_conn_id())),
                    cache=dbt_cache_dir(),
                    scope=scope,
                    record=record,
                    built=built,
                )
            except PublishError as error:
                with hook.warehouse() as warehouse, warehouse_errors():
                    finish_build(warehouse, build_id, failure=str(error))
                raise
            with hook.warehouse() as warehouse, warehouse_errors():
                if docs is not None:
                    store_page(warehouse, DOCS_PAGE, docs)
        self.log.info("Published runs=%d docs_bytes=%d", len(runs), len(docs or b""))
        return runs


def tell_of_broken_tie_outs(
    warehouse: psycopg.Connection[Any], runs: Sequence[int], *, link: str | None
) -> list[BrokenTieOut]:
    """Note whose reports and documents differ, and have what may be stale read again.

    Read again once only: what stays different afterwards would cost its calls every night.
    """
    broken = broken_tie_outs(warehouse, runs)
    note(warehouse, map(causes.tie_out_broken, broken), now=datetime.now(UTC), link=link)
    for each in broken:
        if each.is_new:
            rereads.want_documents(
                warehouse, each.tenant_id, ENDPOINTS, reason="its tie-out is broken"
            )
    return broken


def require_tolerated(broken: Sequence[BrokenTieOut], tolerance: Decimal | None) -> None:
    """Raise TieOutError naming the organisations that differ by more than the tolerance.

    Figures that are no amounts, a count, say, go with the amounts broken beside them; where there
    are none, no tolerance holds for them.
    """
    names = [
        each.tenant_name
        for each in broken
        if tolerance is not None and not 0 < each.amount <= tolerance
    ]
    if names:
        raise TieOutError(
            f"The statistics are published, but the tie-out of {', '.join(names)} is broken by more"
            f" than {tolerance}, or in a figure that is no amount: see rpt_tie_out"
        )


def unbuilt_runs(warehouse: psycopg.Connection[Any]) -> list[int]:
    """The complete extraction runs that no build has published yet, by run_id."""
    rows = warehouse.execute(
        "select run_id from xero_ops.extract_runs"
        " where state = 'complete' and built_at is null order by run_id"
    )
    return [run_id for (run_id,) in rows]


def complete_runs(
    warehouse: psycopg.Connection[Any], dag_run_id: str, tenant_ids: Sequence[str]
) -> list[int]:
    """The complete extraction runs of a Dag run's organisations, by run_id."""
    rows = warehouse.execute(
        "select run_id from xero_ops.extract_runs"
        " where tenant_id = any(%s::uuid[]) and dag_run_id = %s and state = 'complete'"
        " order by run_id",
        (list(tenant_ids), dag_run_id),
    )
    return [run_id for (run_id,) in rows]


def mark_built(warehouse: psycopg.Connection[Any], runs: Sequence[int]) -> None:
    """Remember that these runs are in the marts."""
    warehouse.execute(
        "update xero_ops.extract_runs set built_at = clock_timestamp() where run_id = any(%s)",
        (list(runs),),
    )


def store_page(warehouse: psycopg.Connection[Any], page_name: str, html: bytes) -> None:
    """Keep a page that the plugin serves behind Airflow's login."""
    warehouse.execute(
        "insert into xero_ops.published_pages (page_name, media_type, content)"
        " values (%s, 'text/html; charset=utf-8', %s)"
        " on conflict (page_name) do update set content = excluded.content,"
        " media_type = excluded.media_type, published_at = clock_timestamp()",
        (page_name, html),
    )


def warehouse_environment(connection: Connection) -> dict[str, str]:
    """The variables that `dbt/profiles.yml` and libpq read, from the Airflow connection."""
    extra = connection.extra_dejson
    variables = {
        "DBT_HOST": connection.host or "localhost",
        "DBT_PORT": str(connection.port or 5432),
        "DBT_USER": connection.login or "",
        "DBT_PASSWORD": connection.password or "",
        "DBT_DBNAME": connection.schema or "",
        "DBT_SSLMODE": extra.get("sslmode") or "prefer",
    }
    for name, variable in _LIBPQ_VARIABLES.items():
        if extra.get(name):
            variables[variable] = str(extra[name])
    return variables


def publish(
    project: Path,
    *,
    environment: Mapping[str, str],
    cache: Path,
    scope: Scope,
    record: Callable[[Sequence[Any]], object],
    built: Callable[[], object],
) -> bytes | None:
    """Run `dbt build`, then `dbt docs generate --static`; the docs as one HTML page.

    None for the docs of a night: they tell of the project's files, which are those of the last one.
    `cache` keeps dbt's partial parse; `scope` says how much is built; `record` gets the results of
    every model and test, good or bad; `built` is called when the marts are renewed, so that docs
    which fail afterwards do not belie them. Raises PublishError naming what failed.
    """
    with (
        tempfile.TemporaryDirectory(prefix="xero_dbt_") as folder,
        _set_environment({**environment, **_CALM_ENDING}),
    ):
        target = Path(folder)
        kept = cache / hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:16]
        _copy(kept / _PARTIAL_PARSE, target / _PARTIAL_PARSE)
        # Unit tests prove the code, not the night's data: they run where the code is tested.
        command = ["build", "--exclude-resource-type", "unit_test"]
        build = _invoke(*command, *_SCOPES[scope], project=project, target=target)
        _copy(target / _PARTIAL_PARSE, kept / _PARTIAL_PARSE)
        if build.result is not None:
            record(build.result.results)
        _raise_failures(build)
        built()
        if scope is Scope.NIGHTLY:
            return None
        # The build has just compiled everything.
        _raise_failures(
            _invoke("docs", "generate", "--static", "--no-compile", project=project, target=target)
        )
        return (target / "static_index.html").read_bytes()


def _invoke(*command: str, project: Path, target: Path) -> Any:
    # dbt costs two seconds of imports: not before there is something to build.
    from dbt.cli.main import dbtRunner

    where = ["--project-dir", project, "--profiles-dir", project]
    where += ["--target-path", target, "--log-path", target]
    quiet = ["--quiet", "--log-level-file", "none", "--no-use-colors", "--no-version-check"]
    return dbtRunner().invoke([*command, *map(str, where), *quiet])


def _raise_failures(outcome: Any) -> None:
    if outcome.success:
        return
    if outcome.exception is not None or outcome.result is None:
        raise PublishError(f"dbt stopped: {_first_line(outcome.exception)}")
    failed = [
        f"{result.node.resource_type} {result.node.name}: {_first_line(result.message)}"
        for result in getattr(outcome.result, "results", ())
        if str(result.status) not in GOOD and str(result.status) != "skipped"
    ]
    raise PublishError(f"dbt failed at {len(failed)}: {'; '.join(failed)}")


def as_table(results: Sequence[Any]) -> str:
    """What dbt did, a line per model and seed with its seconds and rows, tests in one line.

    That line names the tests that warned. Those that failed follow, each with what it found.
    `results` are those of a dbtRunner: node, status, execution_time in seconds.
    """
    tests = [result for result in results if result.node.resource_type == "test"]
    built = [result for result in results if result not in tests]
    lines = [f"{'seconds':>8}  {'rows':>9}  {'status':<8} model"]
    lines += [
        f"{result.execution_time:8.2f}  {_rows(result):>9}  {result.status!s:<8} {result.node.name}"
        for result in built
    ]
    bad = [result for result in tests if str(result.status) not in GOOD | {"skipped"}]
    warned = [result for result in tests if str(result.status) == WARNED]
    passed = sum(str(result.status) in GOOD for result in tests) - len(warned)
    seconds = sum(result.execution_time for result in tests)
    names = ", ".join(sorted(map(_with_rows, warned)))
    warnings = f", {len(warned)} warned: {names}" if warned else ""
    lines.append(f"{seconds:8.2f}  {passed} of {len(tests)} tests passed{warnings}")
    lines += [f"{'':>10}{result.node.name}: {_first_line(result.message)}" for result in bad]
    return "\n".join(lines)


def warnings_of(results: Sequence[Any]) -> list[str]:
    """The tests that warned, a line each: what it found, and how that is looked at."""
    return [
        f"{result.node.name}: {warning_of(result)}"
        for result in results
        if str(result.status) == WARNED
    ]


def _with_rows(test: Any) -> str:
    return f"{test.node.name} ({test.failures} {'row' if test.failures == 1 else 'rows'})"


def _rows(result: Any) -> str:
    rows = rows_written(result)
    return "" if rows is None else str(rows)


def _first_line(message: object) -> str:
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    return " ".join(lines[:3])[:300] if lines else "no message"


def _copy(source: Path, destination: Path) -> None:
    # Only a saving of time: a folder that cannot be written, or another task, must not fail us.
    with suppress(OSError):
        destination.parent.mkdir(parents=True, exist_ok=True)
        unfinished = destination.with_suffix(f".{os.getpid()}")
        shutil.copyfile(source, unfinished)
        unfinished.replace(destination)


@contextmanager
def _set_environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            if name in before:
                os.environ[name] = before[name]
            else:
                del os.environ[name]
