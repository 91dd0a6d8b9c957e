"""`airflow xero …` at a terminal: what it says, how it ends, what it costs."""

import subprocess
import sys
from argparse import Namespace
from datetime import UTC, date, datetime

import psycopg
import pytest
from airflow.models.pool import Pool
from cryptography.fernet import Fernet

from airflow_xero import cli, cli_readers
from airflow_xero.connect import OrganisationStatus
from tests.browser.organisations import fill

pytestmark = pytest.mark.usefixtures("airflow_database")

DEFAULT = Namespace(conn_id=None)
XERO = {"conn_type": "xero", "login": "an-id", "password": "a-client-secret"}


@pytest.fixture(autouse=True)
def _as_another_process(monkeypatch):
    # The commands set it for their own process.
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")


def ending(command, args=DEFAULT) -> str:
    with pytest.raises(SystemExit) as ended:
        command(args)
    return str(ended.value.code)


def test_migrate_brings_an_empty_database_up_to_date(empty_database_dsn, set_warehouse, capsys):
    set_warehouse(empty_database_dsn)

    cli.migrate(DEFAULT)

    said = capsys.readouterr().out
    assert "applied 0001_ops_and_raw.sql" in said
    assert said.endswith("The warehouse is up to date.\n")
    with psycopg.connect(empty_database_dsn) as connection:
        assert connection.execute("select count(*) from xero_raw.invoices").fetchone() == (0,)


def test_migrate_again_changes_nothing(warehouse, capsys):
    cli.migrate(DEFAULT)
    capsys.readouterr()

    cli.migrate(DEFAULT)

    assert capsys.readouterr().out == "The warehouse is up to date.\n"


def test_migrate_makes_the_pools_and_keeps_a_size_that_was_changed(warehouse):
    Pool.create_or_update_pool("xero_extract", 3, "ours", include_deferred=False)

    cli.migrate(DEFAULT)

    pools = {pool.pool: pool.slots for pool in Pool.get_pools()}
    assert pools["xero_extract"] == 3
    assert pools["xero_dbt"] == 1


def test_a_missing_warehouse_connection_is_named(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_XERO_WAREHOUSE", raising=False)

    assert "'xero_warehouse' is not defined" in ending(cli.migrate)


def test_a_misspelt_warehouse_connection_names_the_field(set_connection):
    set_connection("xero_default", **XERO, extra={"store_conn_id": "warehous"})

    said = ending(cli.status)

    assert "'warehous' is not defined" in said
    assert "'Warehouse connection' in 'xero_default'" in said


def test_an_unreachable_warehouse_is_one_line_without_its_password(set_connection):
    set_connection(
        "xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9, password="hunter2"
    )

    said = ending(cli.status)

    assert "check the Airflow connection 'xero_warehouse'" in said
    assert "hunter2" not in said
    assert "\n" not in said


def test_a_warehouse_that_was_never_migrated_names_the_command(empty_database_dsn, set_warehouse):
    set_warehouse(empty_database_dsn)

    assert "airflow xero migrate" in ending(cli.status)


def test_status_of_nobody_says_where_to_begin(warehouse, capsys):
    cli.status(DEFAULT)

    assert "open the page Xero" in capsys.readouterr().out


def organisation(**changes) -> OrganisationStatus:
    blank = {
        "tenant_id": "1",
        "tenant_name": "Kauri",
        "state": "healthy",
        "connected_by": "ada",
        "connected_at": datetime(2026, 11, 1, tzinfo=UTC),
        "complete_day": date(2026, 11, 20),
        "complete_at": datetime(2026, 11, 21, 12, tzinfo=UTC),
        "last_run_day": date(2026, 11, 20),
        "last_run_state": "complete",
        "last_run_reason": None,
        "resume_at": None,
    }
    return OrganisationStatus(**{**blank, **changes})


def test_status_is_a_table_with_a_line_per_organisation():
    waiting = organisation(
        tenant_name="Måne Studio",
        state="waiting_for_limit",
        complete_day=None,
        resume_at=datetime(2026, 11, 21, 0, 5, tzinfo=UTC),
        last_run_reason="day limit",
    )

    assert cli.as_lines([organisation(), waiting]) == [
        "ORGANISATION  STATE              LAST DAY    REMARK",
        "Kauri         healthy            2026-11-20",
        "Måne Studio   waiting_for_limit  never       resumes 2026-11-21 00:05 UTC. day limit",
    ]


def test_status_says_whose_figures_differ_from_xeros_reports_and_where_to_look(warehouse, capsys):
    for name in ("Kauri", "Rata"):
        fill(warehouse, name, run="complete", complete="2026-11-20")
    warehouse.execute(
        "create schema xero_marts; create table xero_marts.rpt_tie_out_summary as"
        " select tenant_id, 'TrialBalance' as report, 'accrual' as basis,"
        " date '2026-11-19' as report_date, now() as known_at, 40 as lines,"
        " case tenant_name when 'Kauri' then 1 else 0 end as broken_lines,"
        " case tenant_name when 'Kauri' then 0.01 else 0 end as difference_amount"
        " from xero_ops.tenants"
    )

    cli.status(DEFAULT)

    _, kauri, rata = capsys.readouterr().out.splitlines()
    assert kauri.startswith("Kauri         tie_out_broken  2026-11-20  1 line of Xero's reports")
    assert "see xero_marts.rpt_tie_out where status = 'broken'" in kauri
    assert rata.split() == ["Rata", "healthy", "2026-11-20"]


def test_rotate_keys_says_how_many(warehouse, set_connection, capsys):
    set_connection("xero_default", **XERO)

    cli.rotate_keys(DEFAULT)

    assert "Re-encrypted the tokens of 0 grants" in capsys.readouterr().out


@pytest.mark.parametrize(
    "keys",
    ["", "not-a-fernet-key", f"{Fernet.generate_key()!r}"],
    # Named: a value made anew in each worker of pytest-xdist would name another test in each.
    ids=["none", "no key", "bytes repr"],
)
def test_missing_or_malformed_keys_name_the_setting(keys, warehouse, set_connection, monkeypatch):
    set_connection("xero_default", **XERO)
    monkeypatch.setenv("XERO_TOKEN_KEYS", keys)

    said = ending(cli.rotate_keys)

    assert "XERO_TOKEN_KEYS" in said
    assert "a-client-secret" not in said


def test_keys_may_come_from_airflows_configuration(warehouse, set_connection, monkeypatch, capsys):
    set_connection("xero_default", **XERO)
    monkeypatch.delenv("XERO_TOKEN_KEYS")
    monkeypatch.setenv("AIRFLOW__XERO__TOKEN_KEYS_CMD", f"echo {Fernet.generate_key().decode()}")

    cli.rotate_keys(DEFAULT)

    assert "0 grants" in capsys.readouterr().out


def test_an_empty_client_secret_names_the_field(warehouse, set_connection):
    set_connection("xero_default", conn_type="xero", login="an-id")

    assert "'Client secret' of the Airflow connection 'xero_default' is empty" in ending(
        cli.rotate_keys
    )


def test_the_commands_cost_other_airflow_commands_nothing():
    code = (
        "import sys; import airflow_xero.cli;"
        "heavy = ('psycopg', 'dbt', 'xero_python', 'airflow_xero.hook');"
        "print([name for name in heavy if name in sys.modules])"
    )

    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert seen.stdout.strip().splitlines()[-1] == "[]"


def reading(reader="bi_reader", tenants=None, *, every_tenant=False) -> Namespace:
    return Namespace(conn_id=None, reader=reader, tenants=tenants, every_tenant=every_tenant)


def test_readers_of_nobody_says_how_to_let_somebody(warehouse, capsys):
    cli_readers.readers(DEFAULT)

    assert "airflow xero let-read bi_reader --every-tenant" in capsys.readouterr().out


def test_let_read_and_stop_reading_are_seen_by_readers(warehouse, capsys):
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name) values (gen_random_uuid(), 'Kauri')"
    )
    said = []
    for command, args in [
        (cli_readers.let_read, reading(tenants=["Kauri"])),
        (cli_readers.readers, DEFAULT),
        (cli_readers.let_read, reading(every_tenant=True)),
        (cli_readers.readers, DEFAULT),
        (cli_readers.stop_reading, reading(every_tenant=True)),
    ]:
        command(args)
        said.append(capsys.readouterr().out)
    assert said == [
        "bi_reader reads Kauri.\n",
        "bi_reader: Kauri\n",
        "bi_reader reads every organisation.\n",
        "bi_reader: every organisation\n",
        "Took 2 permissions from bi_reader.\n",
    ]


def test_what_a_reader_reads_in_effect_is_said_and_not_what_it_was_let(warehouse, capsys):
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name) values (gen_random_uuid(), 'Kauri')"
    )
    warehouse.execute("create role ana nologin in role bi_reader")
    warehouse.execute("create role zoe nologin")
    try:
        cli_readers.let_read(reading(every_tenant=True))
        capsys.readouterr()
        cli_readers.let_read(reading("ana", tenants=["Kauri"]))
        note, said = capsys.readouterr().out.splitlines()
        cli_readers.let_read(reading("zoe", tenants=["Kauri"]))
        capsys.readouterr()
        cli_readers.readers(DEFAULT)
        listed = capsys.readouterr().out.splitlines()
    finally:
        cli_readers.stop_reading(reading(every_tenant=True))
        warehouse.execute("drop role ana, zoe")
    assert note.startswith("note: ana reads every organisation all the same, through bi_reader:")
    assert said == "ana was let read Kauri."
    assert listed == [
        "ana: every organisation (through bi_reader)",
        "bi_reader: every organisation",
        "zoe: nothing before it is a member of bi_reader, then Kauri",
    ]


@pytest.mark.parametrize("args", [reading(), reading(tenants=["Kauri"], every_tenant=True)])
@pytest.mark.parametrize("command", [cli_readers.let_read, cli_readers.stop_reading])
def test_which_organisations_must_be_said(command, args):
    assert "say which organisations" in ending(command, args)


def test_let_read_of_an_unknown_role_says_how_it_is_made(warehouse):
    assert 'create role "nobody_there" login' in ending(
        cli_readers.let_read, reading("nobody_there", every_tenant=True)
    )
