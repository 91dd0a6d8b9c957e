"""Serves the app on this machine alone: 127.0.0.1 and, where there is one, ::1.

A container is a machine of its own, so there one address may be named instead.

Knows sockets and uvicorn. Must not know what is served.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from xero_sandbox.tls import Certificates

_ATTEMPTS = 20
_BACKLOG = 2048
_GOODBYE_SECONDS = 0.3
_MOST_PORT = 65_535


class ListenError(Exception):
    """The port that was asked for cannot be had; the message says what to do."""


class PortInUseError(ListenError):
    """Somebody else listens there."""


def listen(port: int, host: str | None = None) -> list[socket.socket]:
    """Sockets on both loopback addresses, or on `host` alone, on one port; a free one for 0.

    Raises PortInUseError when the port is taken on either address, ListenError when it may not
    be had at all.
    """
    if not 0 <= port <= _MOST_PORT:
        message = f"there is no port {port}: choose one from 1 to {_MOST_PORT}, or 0 for a free one"
        raise ListenError(message)
    if host is not None:
        return [_bind_elsewhere(host, port)]
    for _ in range(_ATTEMPTS):
        first = _bind(socket.AF_INET, "127.0.0.1", port)
        taken = first.getsockname()[1]
        try:
            return [first, *_also_on_ipv6(taken)]
        except PortInUseError:
            first.close()
            if port != 0:
                raise
    message = "no port is free on both 127.0.0.1 and ::1"
    raise PortInUseError(message)


def new_server(
    app: ASGIApp, *, on_ready: Callable[[], None], tls: Certificates | None = None
) -> uvicorn.Server:
    """A server that logs nothing by itself; `on_ready` is called once it answers.

    With `tls` it speaks https, and nothing else.
    """
    config = uvicorn.Config(
        app,
        lifespan="on",
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=60,
        backlog=_BACKLOG,
        ssl_certfile=tls.chain if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    return _Server(config, on_ready)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to every client, and hang up on those that do not answer.

        Over TLS, closing waits for the other side, and a client that keeps its connection for
        later says nothing.
        """
        later = asyncio.get_running_loop().call_later(_GOODBYE_SECONDS, self._hang_up)
        await super().shutdown(sockets)
        later.cancel()

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport.is_closing():
                connection.transport.abort()


def _bind(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} is in use on {address}: choose another one with --port"
            raise PortInUseError(message) from error
        if error.errno == errno.EACCES:
            message = f"port {port} is not for every user: run as root, or choose one above 1023"
            raise ListenError(message) from error
        raise
    return bound


def _bind_elsewhere(host: str, port: int) -> socket.socket:
    try:
        return _bind(socket.AF_INET, host, port)
    except OSError as error:
        message = f"{host} is no address of this machine: {error.strerror}"
        raise ListenError(message) from error


def _also_on_ipv6(port: int) -> list[socket.socket]:
    try:
        return [_bind(socket.AF_INET6, "::1", port)]
    except OSError:
        # A machine without IPv6 is served on 127.0.0.1 alone.
        return []
