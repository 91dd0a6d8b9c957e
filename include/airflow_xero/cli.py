"""The commands of `airflow xero`: migrate, status, connect, public, readers, rotate-keys …

Knows what a person at a terminal needs: one clear line, and an exit code. Must not know SQL or
Xero. Imported by every `airflow` command, so that everything heavy is imported when it runs.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand

if TYPE_CHECKING:
    from airflow_xero.connect import OrganisationStatus
    from airflow_xero.hook import XeroHook
    from airflow_xero.readers import Reader

# Pool → (slots, what for). One build at a time; extractions wait for Xero more than they work.
POOLS = {
    "xero_extract": (8, "Organisations extracted at once."),
    "xero_dbt": (1, "One dbt build at a time."),
}

_CONN_ID = Arg(  # type: ignore[no-untyped-call]
    ("--conn-id",),
    help="The Airflow connection of type Xero (default: [xero] conn_id)",
    default=None,
)

_READER = Arg(  # type: ignore[no-untyped-call]
    ("reader",),
    help="A role of the warehouse's database: a login, or a group such as bi_reader",
)
_TENANTS = Arg(  # type: ignore[no-untyped-call]
    ("--tenant",),
    help="An organisation, by its tenant_id or its exact name; may be given again",
    action="append",
    dest="tenants",
)
_EVERY_TENANT = Arg(  # type: ignore[no-untyped-call]
    ("--every-tenant",),
    help="Every organisation, those connected later included",
    action="store_true",
)
_HOST = Arg(  # type: ignore[no-untyped-call]
    ("--host",),
    help="The address to listen at (default: 127.0.0.1, for a proxy on this machine)",
    default="127.0.0.1",
)
_PORT = Arg(  # type: ignore[no-untyped-call]
    ("--port",), help="The port to listen at (default: 8081)", type=int, default=8081
)

Command = Callable[[Namespace], None]


def commands() -> list[CLICommand]:
    """What the provider adds to the command `airflow`."""
    return [
        GroupCommand(
            name="xero",
            help="Extraction of Xero: warehouse, organisations, keys",
            subcommands=(
                ActionCommand(
                    name="migrate",
                    help="Bring the warehouse to the version of this code; safe to run again",
                    func=migrate,
                    args=(_CONN_ID,),
                ),
                ActionCommand(
                    name="status",
                    help="List the organisations and how they are doing",
                    func=status,
                    args=(_CONN_ID,),
                ),
                ActionCommand(
                    name="readers",
                    help="List who reads which organisations in the marts",
                    func=readers,
                    args=(_CONN_ID,),
                ),
                ActionCommand(
                    name="let-read",
                    help="Let a role of the database read organisations in the marts",
                    func=let_read,
                    args=(_READER, _TENANTS, _EVERY_TENANT, _CONN_ID),
                ),
                ActionCommand(
                    name="stop-reading",
                    help="Take that back: for some organisations, or for all",
                    func=stop_reading,
                    args=(_READER, _TENANTS, _EVERY_TENANT, _CONN_ID),
                ),
                ActionCommand(
                    name="connect",
                    help="Connect the organisation of a Custom Connection; safe to run again",
                    func=connect,
                    args=(_CONN_ID,),
                ),
                ActionCommand(
                    name="public",
                    help="Serve the callback and the invitations alone, for the internet",
                    func=public,
                    args=(_CONN_ID, _HOST, _PORT),
                ),
                ActionCommand(
                    name="rotate-keys",
                    help="Encrypt every stored token with the first key of XERO_TOKEN_KEYS",
                    func=rotate_keys,
                    args=(_CONN_ID,),
                ),
            ),
        )
    ]


def _clear_ending(command: Command) -> Command:
    """End with one message and exit code 1 where a person must act, without a traceback."""

    @wraps(command)
    def run(args: Namespace) -> None:
        # Without it Airflow's SDK does not look for connections in the metadata database.
        os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
        from airflow_xero.errors import XeroError
        from airflow_xero.warehouse import warehouse_errors

        try:
            with warehouse_errors():
                command(args)
        except XeroError as error:
            sys.exit(f"airflow xero: {error}")

    return run


@_clear_ending
def migrate(args: Namespace) -> None:
    """Apply the missing migrations and create the missing pools."""
    from airflow_xero.migrate import migrate as migrate_warehouse

    with _hook(args) as hook, hook.warehouse() as warehouse:
        migrated = migrate_warehouse(warehouse)
    for name in migrated.applied:
        print(f"applied {name}")
    for notice in migrated.notices:
        print(f"note: {notice}")
    for pool in ensure_pools():
        print(f"created pool {pool}")
    print("The warehouse is up to date.")


@_clear_ending
def status(args: Namespace) -> None:
    """Print one line per organisation."""
    from airflow_xero.connect import status as organisations_status
    from airflow_xero.migrate import require_migrated

    with _hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        organisations = organisations_status(warehouse, hook.xero_conn_id)
    if not organisations:
        print("No organisation is connected yet: open the page Xero in Airflow.")
    for line in as_lines(organisations):
        print(line)


@_clear_ending
def readers(args: Namespace) -> None:
    """Print one line per role that reads something."""
    from airflow_xero.migrate import require_migrated
    from airflow_xero.readers import readers as known_readers

    with _hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        found = known_readers(warehouse)
    if not found:
        print("Nobody reads the marts yet: `airflow xero let-read bi_reader --every-tenant`, say.")
    for reader in found:
        print(f"{reader.name}: {_read_by(reader)}")


@_clear_ending
def let_read(args: Namespace) -> None:
    """Let a role read the organisations that are named, or every one."""
    from airflow_xero.migrate import require_migrated
    from airflow_xero.readers import let_read as let_role_read

    tenants = _chosen_tenants(args)
    with _hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        notices = let_role_read(warehouse, args.reader, tenants)
    for notice in notices:
        print(f"note: {notice}")
    print(f"{args.reader} reads {'every organisation' if tenants is None else ', '.join(tenants)}.")


@_clear_ending
def stop_reading(args: Namespace) -> None:
    """Take back what was given to a role."""
    from airflow_xero.migrate import require_migrated
    from airflow_xero.readers import stop_reading as stop_role_reading

    tenants = _chosen_tenants(args)
    with _hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        gone = stop_role_reading(warehouse, args.reader, tenants)
    print(f"Took {gone} permissions from {args.reader}.")


def _chosen_tenants(args: Namespace) -> list[str] | None:
    """The organisations that were named; None for every one."""
    if bool(args.tenants) == args.every_tenant:
        sys.exit("airflow xero: say which organisations: --tenant or --every-tenant")
    return None if args.every_tenant else list(args.tenants)


def _read_by(reader: Reader) -> str:
    return "every organisation" if reader.is_every_tenant else ", ".join(reader.tenant_names)


@_clear_ending
def connect(args: Namespace) -> None:
    """Connect the one organisation that a Custom Connection opens."""
    import getpass
    from datetime import UTC, datetime

    from airflow_xero.audit import Actor
    from airflow_xero.connect import connect_custom

    with _hook(args) as hook:
        app, tokens = hook.app(), hook.token_store()
        with hook.warehouse() as warehouse:
            reached = connect_custom(
                app,
                warehouse=warehouse,
                tokens=tokens,
                http=hook.http(),
                actor=Actor(f"{getpass.getuser()} at the command line"),
                now=datetime.now(UTC),
            )
    for one in reached:
        print(f"Connected {one.tenant_name}.")


@_clear_ending
def public(args: Namespace) -> None:
    """Serve the public routes until it is ended; the rest of Airflow is not behind them."""
    import logging

    import uvicorn

    from airflow_xero.web.desk import ConsentDesk
    from airflow_xero.web.public import create_public_app
    from airflow_xero.web.triggering import start_extraction

    desk = ConsentDesk(
        conn_id=args.conn_id,
        when_connected=lambda reached: start_extraction(
            [one.tenant_id for one in reached], started_by=None
        ),
    )
    redirect_uri = desk.redirect_uri()
    logging.getLogger("airflow_xero.web").setLevel(logging.INFO)
    print(f"Serving {redirect_uri} and invitations at http://{args.host}:{args.port}.", flush=True)
    uvicorn.run(
        create_public_app(desk, redirect_uri=redirect_uri),
        host=args.host,
        port=args.port,
        # Its lines would hold codes and states.
        access_log=False,
        server_header=False,
        timeout_keep_alive=5,
        limit_concurrency=200,
    )


@_clear_ending
def rotate_keys(args: Namespace) -> None:
    """Re-encrypt the stored tokens with the first key."""
    from airflow_xero.migrate import require_migrated

    with _hook(args) as hook:
        with hook.warehouse() as warehouse:
            require_migrated(warehouse)
        grants = hook.token_store().rotate_keys()
    print(f"Re-encrypted the tokens of {grants} grants with the first key.")
    print("Once this says 0 grants, the other keys of XERO_TOKEN_KEYS can be removed.")


def as_lines(organisations: list[OrganisationStatus]) -> list[str]:
    """A table: name, state, last complete day, and what a person should know."""
    rows = [("ORGANISATION", "STATE", "LAST DAY", "REMARK")]
    for organisation in organisations:
        remark = organisation.last_run_reason or ""
        if organisation.resume_at is not None:
            remark = f"resumes {organisation.resume_at:%Y-%m-%d %H:%M} UTC. {remark}"
        day = organisation.complete_day
        rows.append(
            (organisation.tenant_name, organisation.state, str(day) if day else "never", remark)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
        ).rstrip()
        for row in rows
    ]


def ensure_pools() -> list[str]:
    """Create the pools that the Dags use where they are missing; a changed size is kept."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from airflow_xero import settings

    with create_session() as session:
        missing = [name for name in POOLS if Pool.get_pool(name, session=session) is None]
        for name in missing:
            slots, description = POOLS[name]
            if name == "xero_extract":
                slots = settings.extract_slots()
            session.add(
                Pool(pool=name, slots=slots, description=description, include_deferred=False)
            )
    return missing


@contextmanager
def _hook(args: Namespace) -> Iterator[XeroHook]:
    from airflow_xero import settings
    from airflow_xero.hook import XeroHook

    with XeroHook(args.conn_id or settings.conn_id()) as hook:
        yield hook
