"""The commands of `airflow xero` that say who reads which organisations in the marts.

Knows what a person at a terminal types and reads. Must not know SQL. Imported by every `airflow`
command, so that everything heavy is imported when it runs.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from airflow.cli.cli_config import ActionCommand, Arg

from airflow_xero.terminal import CONN_ID, clear_ending, opened_hook

if TYPE_CHECKING:
    from airflow_xero.readers import Reader

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


@clear_ending
def readers(args: Namespace) -> None:
    """Print one line per role that was let read something, with what it reads in effect."""
    from airflow_xero.migrate import require_migrated
    from airflow_xero.readers import readers as known_readers

    with opened_hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        found = known_readers(warehouse)
    if not found:
        print("Nobody reads the marts yet: `airflow xero let-read bi_reader --every-tenant`, say.")
    for reader in found:
        print(f"{reader.name}: {_read_by(reader)}")


@clear_ending
def let_read(args: Namespace) -> None:
    """Let a role read the organisations that are named, or every one."""
    from airflow_xero.migrate import require_migrated
    from airflow_xero.readers import let_read as let_role_read

    tenants = _chosen_tenants(args)
    with opened_hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        notices = let_role_read(warehouse, args.reader, tenants)
    for notice in notices:
        print(f"note: {notice}")
    # What a note belies is not said.
    reads = "was let read" if notices else "reads"
    which = "every organisation" if tenants is None else ", ".join(tenants)
    print(f"{args.reader} {reads} {which}.")


@clear_ending
def stop_reading(args: Namespace) -> None:
    """Take back what was given to a role."""
    from airflow_xero.migrate import require_migrated
    from airflow_xero.readers import stop_reading as stop_role_reading

    tenants = _chosen_tenants(args)
    with opened_hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        gone = stop_role_reading(warehouse, args.reader, tenants)
    print(f"Took {gone} permissions from {args.reader}.")


def _chosen_tenants(args: Namespace) -> list[str] | None:
    """The organisations that were named; None for every one."""
    if bool(args.tenants) == args.every_tenant:
        sys.exit("airflow xero: say which organisations: --tenant or --every-tenant")
    return None if args.every_tenant else list(args.tenants)


def _read_by(reader: Reader) -> str:
    which = "every organisation" if reader.is_every_tenant else ", ".join(reader.tenant_names)
    through = f" (through {', '.join(reader.through)})" if reader.through else ""
    if not reader.is_admitted:
        return f"nothing before it is a member of bi_reader, then {which}{through}"
    return f"{which}{through}"


COMMANDS = (
    ActionCommand(
        name="readers",
        help="List who reads which organisations in the marts",
        func=readers,
        args=(CONN_ID,),
    ),
    ActionCommand(
        name="let-read",
        help="Let a role of the database read organisations in the marts",
        func=let_read,
        args=(_READER, _TENANTS, _EVERY_TENANT, CONN_ID),
    ),
    ActionCommand(
        name="stop-reading",
        help="Take that back: for some organisations, or for all",
        func=stop_reading,
        args=(_READER, _TENANTS, _EVERY_TENANT, CONN_ID),
    ),
)
