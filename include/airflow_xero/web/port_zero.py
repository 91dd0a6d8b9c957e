"""Makes the Test button of a stored `xero` connection work, which has no host and no port.

Airflow 3.3's page sends the missing port as 0, and its API refuses to test a stored connection
whose port differs (400, "The host or port to test differs"). Knows that one request; every other
one passes untouched. Must not import Airflow. To be removed once Airflow sends null.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_xero.provider_info import CONN_TYPE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PATH = "/api/v2/connections/test"
_MOST_BYTES = 256 * 1024


class TestButtonFix:
    """ASGI middleware for the root of Airflow's API server (`fastapi_root_middlewares`)."""

    __test__ = False  # Not a test, whatever pytest thinks of the name.

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without the port 0 that nobody typed."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith(_PATH):
            receive = await _corrected(receive)
        await self.app(scope, receive, send)


async def _corrected(receive: Receive) -> Receive:
    """The same messages; a body that may be a connection's in one piece and corrected."""
    waiting = [await receive()]
    size = len(waiting[0].get("body", b""))
    # Nobody has logged in yet: what is longer than any connection is held by nobody.
    while waiting[-1].get("more_body") and size <= _MOST_BYTES:
        waiting.append(await receive())
        size += len(waiting[-1].get("body", b""))
    if waiting[-1]["type"] == "http.request" and not waiting[-1].get("more_body"):
        body = without_port_zero(b"".join(each.get("body", b"") for each in waiting))
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop(0) if waiting else await receive()

    return replay


def without_port_zero(body: bytes) -> bytes:
    """The JSON body of a connection test; only that of a `xero` connection is changed."""
    try:
        connection = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(connection, dict) or connection.get("conn_type") != CONN_TYPE:
        return body
    if connection.get("port") != 0:
        return body
    del connection["port"]
    return json.dumps(connection).encode()
