"""What every room's tests share: a clean environment, Postgres, the sandbox, real payloads.

Each pytest-xdist worker has a server and an Airflow home of its own; each test has a database of
its own, so that tests may run in any order.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres

# Everywhere the examples that continuous integration tries: a test that passed goes on passing.
settings.load_profile("ci")

pytest_plugins = ["xero_sandbox.testing"]

REPOSITORY = Path(__file__).resolve().parents[1]
REAL_PAYLOADS = REPOSITORY.parent / "shared" / "real-payloads"

_FOREIGN_SETTINGS = ("XERO_", "AIRFLOW", "DBT_", "PG")
_TEMPLATE = "warehouse_template"


def _clean_environment() -> None:
    """Remove the caller's settings, and give Airflow a home that nobody misses.

    At import, because Airflow reads its environment when it is imported, which the folders'
    own conftest files may do.
    """
    for name in list(os.environ):
        if name.startswith(_FOREIGN_SETTINGS):
            del os.environ[name]
    home = tempfile.mkdtemp(prefix="airflow-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["AIRFLOW_HOME"] = home


_clean_environment()


_running: list[EmbeddedPostgres] = []


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A running server. Without fsync: its data is thrown away, and tests are twice as fast."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), is_durable=False)
    server.create()
    server.start(free_port())
    _running.append(server)
    yield server
    _running.remove(server)
    server.stop()


@pytest.fixture(scope="module", autouse=True)
def _groups_as_found() -> Iterator[None]:
    """Roles are the server's, not a database's: nobody stays in a group after a file's tests."""
    yield
    for server in _running:
        with psycopg.connect(server.dsn("postgres")) as connection:
            for group, member in connection.execute(_MEMBERS).fetchall():
                connection.execute(f'revoke "{group}" from "{member}"')


_MEMBERS = """
select roleid::regrole::text, member::regrole::text from pg_catalog.pg_auth_members
where roleid::regrole::text in ('bi_reader', 'bi_reader_of_all')
"""


@pytest.fixture
def empty_database_dsn(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The DSN of a fresh, empty database, dropped at the end."""
    yield from _fresh_database(postgres_server)


@pytest.fixture(scope="session")
def warehouse_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database that was migrated once; `warehouse_dsn` copies it."""
    from airflow_xero.migrate import migrate

    postgres_server.create_database(_TEMPLATE)
    with psycopg.connect(postgres_server.dsn(_TEMPLATE)) as connection:
        migrate(connection)
    return _TEMPLATE


@pytest.fixture
def warehouse_dsn(postgres_server: EmbeddedPostgres, warehouse_template: str) -> Iterator[str]:
    """The DSN of a fresh warehouse with every migration applied, dropped at the end."""
    yield from _fresh_database(postgres_server, template=warehouse_template)


def _fresh_database(server: EmbeddedPostgres, *, template: str = "template1") -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    server.create_database(name, template=template)
    yield server.dsn(name)
    server.drop_database(name)


@pytest.fixture
def real_payloads() -> Path:
    """The folder of real Xero payloads beside the clone; use with the marker `real_payloads`."""
    if not REAL_PAYLOADS.is_dir():
        pytest.skip(f"real payloads are not here: {REAL_PAYLOADS}")
    return REAL_PAYLOADS


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test counts as failed, unless it needs the real payloads."""
    report = yield
    is_forgiven = item.get_closest_marker("real_payloads") or hasattr(report, "wasxfail")
    if _must_not_skip() and report.skipped and not is_forgiven:
        report.outcome = "failed"
        report.longrepr = _complaint(item.nodeid, report.longrepr)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI a skipped module counts as failed, too."""
    report = yield
    if _must_not_skip() and report.skipped:
        report.outcome = "failed"
        report.longrepr = _complaint(collector.nodeid, report.longrepr)
    return report


def _must_not_skip() -> bool:
    return os.environ.get("CI") == "true"


def _complaint(name: str, reason: object) -> str:
    return f"{name} was skipped, which CI=true forbids: {reason}"
