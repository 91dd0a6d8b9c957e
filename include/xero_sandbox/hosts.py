"""The names of the real Xero, for clients whose addresses cannot be changed.

Knows which host serves which paths. A request to one of the real names (by TLS and a
redirection of names) is answered as there: that host's paths alone, and addresses of the real
hosts. Every other name, such as localhost, serves everything.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request

API, IDENTITY, LOGIN = "api.xero.com", "identity.xero.com", "login.xero.com"

_PATHS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        API: ("/api.xro/", "/connections"),
        IDENTITY: ("/connect/", "/.well-known/"),
        LOGIN: ("/identity/", "/_sandbox/static/"),
    }
)
REAL_HOSTS = tuple(_PATHS)


def serves(request: Request) -> bool:
    """Whether the host that was asked has such a path at all."""
    paths = _PATHS.get(_host(request))
    return paths is None or request.url.path.casefold().startswith(paths)


def origin_of(request: Request, host: str) -> str:
    """Where a client that came by a real name finds `host`; for others the same origin.

    A port that the client named stays.
    """
    if _host(request) not in _PATHS:
        return str(request.base_url).rstrip("/")
    port = f":{request.url.port}" if request.url.port not in (None, 443) else ""
    return f"{request.url.scheme}://{host}{port}"


def is_this_machine(request: Request) -> bool:
    """Whether the name that was asked for could be nobody else's.

    A site may give a name of its own the address of this machine, and then a browser would let
    its pages read what is here. It cannot do so with an address, with a name under `.localhost`
    or one without a dot (a service of Docker Compose), nor by https with Xero's names.
    """
    host = _host(request).rstrip(".")
    if "." not in host or host.endswith(".localhost") or host in REAL_HOSTS:
        return True
    return _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(request: Request) -> str:
    return (request.url.hostname or "").casefold()
