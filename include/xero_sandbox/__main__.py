"""The command `xero-sandbox`: reads its flags, prints one line when ready, and serves.

Must not know what the sandbox does.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from xero_sandbox.app import create_app
from xero_sandbox.errors import ControlError
from xero_sandbox.identity.registration import AppSettings, checked_uris
from xero_sandbox.server import ListenError, listen, new_server
from xero_sandbox.state import StateFile, StateFileError
from xero_sandbox.tls import TlsError, certificates
from xero_sandbox.world import DEFAULT_SEED, World


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; 0, or 2 with one sentence when it cannot start."""
    wanted = _parser().parse_args(arguments)
    app = AppSettings(
        client_id=wanted.client_id,
        client_secret=wanted.client_secret,
        redirect_uris=tuple(wanted.redirect_uri),
    )
    world = World(app, seed=wanted.seed, demo=wanted.demo)
    state = StateFile(Path(wanted.state)) if wanted.state else None
    try:
        checked_uris(wanted.redirect_uri)
        tls = certificates(Path(wanted.tls)) if wanted.tls else None
        if state is not None:
            state.load(world)
            state.save(world)
        sockets = listen(wanted.port, wanted.host)
    except (ControlError, ListenError, StateFileError, TlsError) as error:
        print(f"xero-sandbox: {error}", file=sys.stderr)
        return 2
    port = sockets[0].getsockname()[1]
    line = f"xero-sandbox listening on http{'s' if tls else ''}://localhost:{port}"
    if tls is not None:
        line = f"{line}\nclients have to trust {tls.authority}"
    server = new_server(
        create_app(world, save=state.save if state else None),
        on_ready=lambda: print(line, flush=True),
        tls=tls,
    )
    # Ctrl-C comes out again once every connection is closed.
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xero-sandbox", description="A pretend Xero on this machine, for tests and demos."
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument(
        "--host", help="the address to serve on, within a container; this machine alone if unset"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the demo's books")
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="remember organisations, logins, clocks and limits there (mode 600)",
    )
    parser.add_argument(
        "--tls",
        metavar="DIR",
        help="serve https for api, identity and login.xero.com; DIR/ca.pem is to be trusted",
    )
    parser.add_argument(
        "--demo",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="three organisations and two users to begin with (the default)",
    )
    parser.add_argument("--client-id", default=AppSettings.client_id)
    parser.add_argument("--client-secret", default="sandbox-secret")
    parser.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        metavar="URI",
        help="accept this one exactly; may be repeated (default: any http://localhost…)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
