"""Which TCP ports of this machine are free, on IPv4 and on IPv6.

Everything printed says `localhost`, which a browser may try as ::1 first: a port that is free
on 127.0.0.1 alone would send people to somebody else's program. Knows nothing of who uses them.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection

_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
# What a machine without IPv6 answers; nobody can listen there.
_NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def is_free(port: int) -> bool:
    """Whether nothing listens on the port, neither on 127.0.0.1 nor on ::1."""
    return all(_is_free_on(family, address, port) for family, address in _LOOPBACKS)


def free_port(preferred: int = 0, *, taken: Collection[int] = ()) -> int:
    """Return `preferred` when it is free on both addresses, else a free port above 1023.

    `taken` are ports that are promised to others, although nobody may listen there yet.
    """
    if preferred and preferred not in taken and is_free(preferred):
        return preferred
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken and is_free(port):
            return port


def _is_free_on(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        probe = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return True
    with probe:
        # Without this a port whose last connection closed a minute ago counts as busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno in _NO_SUCH_ADDRESS
    return True
