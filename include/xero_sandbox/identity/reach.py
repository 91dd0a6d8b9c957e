"""Whom an access token stands for, and which organisations it reaches.

Knows the claims of a checked token and the connections. Must not know what is read with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from xero_sandbox.errors import UnauthorizedError
from xero_sandbox.identity.scopes import APP_SCOPES
from xero_sandbox.identity.token_claims import scopes_of
from xero_sandbox.world import World


def claims_of(world: World, request: Request) -> dict[str, Any]:
    """The claims of the request's bearer token. Raises UnauthorizedError or one of its kind."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() != "bearer" or not token.strip():
        raise UnauthorizedError
    claims = world.signer.check(token.strip(), now=world.identity.now())
    if claims.get("authentication_event_id") not in world.grants.auth_events:
        raise UnauthorizedError
    return claims


def is_personal(claims: Mapping[str, Any]) -> bool:
    """Whether the token is a user's; if not, it is the app's own."""
    return "xero_userid" in claims


def is_for_app(claims: Mapping[str, Any]) -> bool:
    """Whether the token is for the app's affairs alone (`app.connections`): no organisation."""
    return not is_personal(claims) and set(scopes_of(claims)) <= set(APP_SCOPES)


def tenants_of(world: World, claims: Mapping[str, Any]) -> list[str]:
    """The organisations that a token reaches: all that its user connected, in that order."""
    if not is_personal(claims):
        only = None if is_for_app(claims) else _custom_tenant(world)
        return [] if only is None else [only]
    user = world.grants.user(claims["xero_userid"])
    if user is None:
        return []
    connected = (each.tenant_id for each in world.grants.live(user.email))
    owned = {key for key in user.organisations if key in world.plans}
    # Whoever loses an organisation loses its connection too.
    return [tenant_id for tenant_id in connected if tenant_id in owned]


def tenant_of(world: World, claims: Mapping[str, Any], asked: str) -> str | None:
    """The organisation of a call that names `asked` in its header; None when out of reach.

    A Custom Connection may leave the header out.
    """
    if not is_personal(claims):
        only = None if is_for_app(claims) else _custom_tenant(world)
        return only if asked in ("", only) else None
    user = world.grants.user(claims["xero_userid"])
    if user is None or world.grants.connection(user.email, asked) is None:
        return None
    return asked if asked in world.plans and asked in user.organisations else None


def _custom_tenant(world: World) -> str | None:
    chosen = world.app.custom_connection
    return chosen if chosen in world.plans else next(iter(world.plans), None)
