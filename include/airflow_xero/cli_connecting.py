"""The commands of `airflow xero` by which organisations are connected.

Knows what a person at a terminal needs. Must not know SQL or Xero. Imported by every `airflow`
command, so that everything heavy is imported when it runs.
"""

from __future__ import annotations

from argparse import Namespace

from airflow.cli.cli_config import ActionCommand, Arg

from airflow_xero.terminal import CONN_ID, clear_ending, opened_hook, operator_name, printable

_HOST = Arg(  # type: ignore[no-untyped-call]
    ("--host",),
    help="The address to listen at (default: 127.0.0.1, for a proxy on this machine)",
    default="127.0.0.1",
)
_PORT = Arg(  # type: ignore[no-untyped-call]
    ("--port",), help="The port to listen at (default: 8081)", type=int, default=8081
)


@clear_ending
def connect(args: Namespace) -> None:
    """Connect the one organisation that a Custom Connection opens."""
    from datetime import UTC, datetime

    from airflow_xero.audit import Actor
    from airflow_xero.connect_custom import connect_custom
    from airflow_xero.web.triggering import start_extraction

    with opened_hook(args) as hook:
        app, tokens = hook.app(), hook.token_store()
        with hook.warehouse() as warehouse:
            reached = connect_custom(
                app,
                warehouse=warehouse,
                tokens=tokens,
                http=hook.http(),
                actor=Actor(operator_name()),
                now=datetime.now(UTC),
            )
    for one in reached:
        print(f"Connected {printable(one.tenant_name)}.")
    if start_extraction([one.tenant_id for one in reached], started_by=None):
        print("The Dag xero_extract reads it at once.")
    else:
        print("The Dag xero_extract is switched off or not ready: the next night reads it.")


@clear_ending
def public(args: Namespace) -> None:
    """Serve the public routes until it is ended; the rest of Airflow is not behind them."""
    import logging

    import uvicorn

    from airflow_xero.notifiers import page_link
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
        create_public_app(desk, redirect_uri=redirect_uri, airflow_page=page_link()),
        host=args.host,
        port=args.port,
        # Its lines would hold codes and states.
        access_log=False,
        server_header=False,
        timeout_keep_alive=5,
        limit_concurrency=200,
    )


COMMANDS = (
    ActionCommand(
        name="connect",
        help="Connect the organisation of a Custom Connection; safe to run again",
        func=connect,
        args=(CONN_ID,),
    ),
    ActionCommand(
        name="public",
        help="Serve the callback and the invitations alone, for the internet",
        func=public,
        args=(CONN_ID, _HOST, _PORT),
    ),
)
