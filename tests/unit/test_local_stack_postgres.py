"""The embedded server: durable, guarded, and back after a crash."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from local_stack import postgres
from local_stack.databases import embedded_warehouse, own_warehouse, prepare_embedded
from local_stack.errors import StackError
from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres, RunAs
from local_stack.secret_files import SecretFiles

_WAYS = (
    [postgres.in_user_namespace, postgres.as_nobody] if os.geteuid() == 0 else [postgres.as_myself]
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "deep folder" / "postgres", is_durable=False)
    yield server
    server.stop()


def _is_running(server: EmbeddedPostgres) -> bool:
    return server.pid is not None


@pytest.mark.parametrize("way", _WAYS)
def test_a_server_starts_stops_and_keeps_its_data(way: Callable[[], RunAs], tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", is_durable=False, run_as=way())
    server.create()
    server.start(free_port())
    server.create_database("kept")
    server.stop()
    assert server.pid is None
    server.create()
    server.start(free_port())
    with psycopg.connect(server.dsn("kept")) as connection:
        row = connection.execute("select datcollate, datlocale from pg_database").fetchone()
    server.stop()
    assert row == ("C", "C.UTF-8")


def test_a_durable_server_keeps_fsync_on(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.create()
    server.start(free_port())
    with psycopg.connect(server.dsn("postgres")) as connection:
        shown = [
            connection.execute(f"show {name}").fetchone()
            for name in ("fsync", "full_page_writes", "listen_addresses")
        ]
    server.stop()
    assert shown == [("on",), ("on",), ("127.0.0.1",)]


def test_a_server_takes_the_settings_it_is_given(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, is_durable=False, settings={"max_wal_size": "2GB"})
    server.create()
    server.start(free_port())
    try:
        with psycopg.connect(server.dsn("postgres")) as connection:
            shown = [
                connection.execute(f"show {name}").fetchone()
                for name in ("max_wal_size", "shared_buffers")
            ]
    finally:
        server.stop()
    assert shown == [("2GB",), ("64MB",)]


def test_a_wrong_password_is_refused(postgres_server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.dsn("postgres", password="guessed"))


def test_the_password_lies_in_a_private_file(postgres_server: EmbeddedPostgres) -> None:
    mode = (postgres_server.folder / "password").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_killed_server_comes_back_with_what_was_committed(server: EmbeddedPostgres) -> None:
    server.create()
    server.start(free_port())
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("create table kept as select 1 as one")
    killed = psutil.Process(server.pid)
    family = killed.children(recursive=True)
    os.kill(killed.pid, signal.SIGKILL)
    psutil.wait_procs([killed, *family], timeout=10)
    assert (server.pid, server.port) == (None, None)
    server.start(free_port())
    with psycopg.connect(server.dsn("postgres")) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


def test_a_pid_file_left_by_a_reboot_does_not_keep_the_server_down(
    server: EmbeddedPostgres,
) -> None:
    server.create()
    # After a reboot the number may be anybody's: here it is this test's own.
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n1\n\n\n0\n")
    assert not _is_running(server)
    server.start(free_port())
    assert _is_running(server)


def test_an_attempt_to_create_that_was_cut_short_is_begun_anew(server: EmbeddedPostgres) -> None:
    unfinished = server.folder / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    server.create()
    assert server.is_created
    assert not unfinished.exists()


def test_a_server_that_cannot_start_says_why_and_where_to_read(server: EmbeddedPostgres) -> None:
    server.create()
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(StackError) as caught:
        server.start(free_port())
    assert "incompatible" in str(caught.value)
    assert str(server.log) in str(caught.value)
    assert server.password not in str(caught.value)


def test_both_databases_have_an_owner_and_bi_reader_a_login(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    secrets = SecretFiles(tmp_path)
    prepare_embedded(postgres_server, secrets)
    prepare_embedded(postgres_server, secrets)
    warehouse = embedded_warehouse(postgres_server, secrets)
    assert warehouse.reader_dsn is not None
    assert "@localhost:" in warehouse.reader_dsn
    assert secrets.value("warehouse_password") not in repr(warehouse)
    for dsn, user in [(warehouse.dsn, "warehouse"), (warehouse.reader_dsn, "bi_reader")]:
        with psycopg.connect(dsn) as connection:
            row = connection.execute(
                "select current_user::text, rolsuper from pg_roles where rolname = current_user"
            ).fetchone()
        assert row == (user, False)
    with psycopg.connect(warehouse.reader_dsn) as connection:
        is_of_all = connection.execute("select pg_has_role('bi_reader_of_all', 'usage')")
        assert is_of_all.fetchone() == (True,)
    for name in ("airflow", "warehouse"):
        postgres_server.drop_database(name)
    # Roles are the server's: who reads what elsewhere is not this test's to say.
    with psycopg.connect(postgres_server.dsn("postgres")) as connection:
        connection.execute("revoke bi_reader_of_all from bi_reader")
        connection.execute("alter role bi_reader nologin password null")


def test_ones_own_warehouse_becomes_an_airflow_connection(empty_database_dsn: str) -> None:
    body = own_warehouse(empty_database_dsn + "?application_name=x").airflow_connection("w")
    assert body["connection_id"] == "w"
    assert body["conn_type"] == "postgres"
    assert body["host"] == "127.0.0.1"
    assert body["login"] == "postgres"
    assert body["extra"] == '{"application_name": "x"}'


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:hunter2@127.0.0.1:1/x", "nonsense hunter2", "host=127.0.0.1 hunter2"]
)
def test_a_wrong_warehouse_dsn_names_the_setting_and_never_the_password(dsn: str) -> None:
    with pytest.raises(StackError) as caught:
        own_warehouse(dsn)
    assert "XERO_WAREHOUSE_DSN" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_password_with_an_unescaped_at_sign_is_not_printed() -> None:
    with pytest.raises(StackError) as refused:
        own_warehouse("postgresql://user:s3cr3t@tail@no-such-host.invalid:5432/db")
    assert "XERO_WAREHOUSE_DSN is unknown" in str(refused.value)
    assert "%40" in str(refused.value)
    assert "tail" not in str(refused.value)


def test_nobody_but_its_owner_may_connect_to_airflows_database(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    prepare_embedded(postgres_server, SecretFiles(tmp_path / "secrets"))
    with psycopg.connect(postgres_server.dsn("postgres")) as connection:
        allowed = connection.execute(
            "select rolname from pg_roles where rolname in ('airflow', 'warehouse', 'bi_reader')"
            " and has_database_privilege(rolname, 'airflow', 'connect')"
        ).fetchall()
    assert allowed == [("airflow",)]
    for name in ("airflow", "warehouse"):
        postgres_server.drop_database(name)
