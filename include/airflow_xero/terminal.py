"""What every command of `airflow xero` shares: its connection, and how it ends.

Knows exit codes. Must not know what any command does. Imported by every `airflow` command, so that
everything heavy is imported when it runs.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING

from airflow.cli.cli_config import Arg

if TYPE_CHECKING:
    from airflow_xero.hook import XeroHook

CONN_ID = Arg(  # type: ignore[no-untyped-call]
    ("--conn-id",),
    help="The Airflow connection of type Xero (default: [xero] conn_id)",
    default=None,
)

Command = Callable[[Namespace], None]


def clear_ending(command: Command) -> Command:
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


def printable(text: str) -> str:
    """Words that others wrote, without signs by which they could steer the terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def operator_name() -> str:
    """Who the audit log says was at the command line."""
    import getpass

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user that its image does not know.
        name = "somebody"
    return f"{name} at the command line"


@contextmanager
def opened_hook(args: Namespace) -> Iterator[XeroHook]:
    """The hook of the connection that was named, or of the usual one."""
    from airflow_xero import settings
    from airflow_xero.hook import XeroHook

    with XeroHook(args.conn_id or settings.conn_id()) as hook:
        yield hook
