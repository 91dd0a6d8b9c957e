"""The command `airflow xero`: what it offers, and those of its commands that keep it running.

Knows what a person at a terminal needs: one clear line, and an exit code. Must not know SQL or
Xero. Imported by every `airflow` command, so that everything heavy is imported when it runs.
"""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from airflow.cli.cli_config import ActionCommand, CLICommand, GroupCommand

from airflow_xero import cli_connecting, cli_readers
from airflow_xero.terminal import CONN_ID, clear_ending, opened_hook, operator_name, printable

if TYPE_CHECKING:
    import psycopg

    from airflow_xero.connect import OrganisationStatus

# Pool → (slots, what for). One build at a time; extractions wait for Xero more than they work.
POOLS = {
    "xero_extract": (8, "Organisations extracted at once."),
    "xero_dbt": (1, "One dbt build at a time."),
}


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
                    args=(CONN_ID,),
                ),
                ActionCommand(
                    name="status",
                    help="List the organisations and how they are doing",
                    func=status,
                    args=(CONN_ID,),
                ),
                *cli_readers.COMMANDS,
                *cli_connecting.COMMANDS,
                ActionCommand(
                    name="rotate-keys",
                    help="Encrypt every stored token with the first key of XERO_TOKEN_KEYS",
                    func=rotate_keys,
                    args=(CONN_ID,),
                ),
            ),
        )
    ]


@clear_ending
def migrate(args: Namespace) -> None:
    """Apply the missing migrations and create the missing pools."""
    from airflow_xero.migrate import migrate as migrate_warehouse

    with opened_hook(args) as hook, hook.warehouse() as warehouse:
        migrated = migrate_warehouse(warehouse)
        if migrated.applied:
            detail = {"applied": list(migrated.applied)}
            _record(warehouse, action="migrate", outcome="migrated", detail=detail)
    for name in migrated.applied:
        print(f"applied {name}")
    for notice in migrated.notices:
        print(f"note: {notice}")
    for pool in ensure_pools():
        print(f"created pool {pool}")
    print("The warehouse is up to date.")


@clear_ending
def status(args: Namespace) -> None:
    """Print one line per organisation."""
    from airflow_xero.connect import status as organisations_status
    from airflow_xero.migrate import require_migrated
    from airflow_xero.tie_outs import judged, tie_outs

    with opened_hook(args) as hook, hook.warehouse() as warehouse:
        require_migrated(warehouse)
        found = organisations_status(warehouse, hook.xero_conn_id)
        compared = tie_outs(warehouse, [one.tenant_id for one in found])
        organisations = judged(found, compared)
    if not organisations:
        print("No organisation is connected yet: open the page Xero in Airflow.")
    for line in as_lines(organisations):
        print(line)


@clear_ending
def rotate_keys(args: Namespace) -> None:
    """Re-encrypt the stored tokens with the first key."""
    from airflow_xero.migrate import require_migrated

    with opened_hook(args) as hook:
        with hook.warehouse() as warehouse:
            require_migrated(warehouse)
        grants = hook.token_store().rotate_keys()
        with hook.warehouse() as warehouse:
            _record(warehouse, action="rotate keys", outcome="rotated", detail={"grants": grants})
    print(f"Re-encrypted the tokens of {grants} grants with the first key.")
    print("Once this says 0 grants, the other keys of XERO_TOKEN_KEYS can be removed.")


def _record(
    warehouse: psycopg.Connection[Any], *, action: str, outcome: str, detail: dict[str, Any]
) -> None:
    from airflow_xero.audit import Actor, record

    record(warehouse, Actor(operator_name()), action=action, outcome=outcome, detail=detail)


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
        printable(
            "  ".join(
                [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
            )
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
