"""The gate before the accounting API: who may pass, how often, and to which organisation.

In Xero's order: the token, the path, its scope, the tenant, the format, the limits; then the
faults, then the handler. Must not know what the handlers answer.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from xero_sandbox.errors import (
    MethodNotAllowedError,
    NotAcceptableError,
    NotFoundError,
    ScopeMissingError,
    TenantForbiddenError,
    UnauthorizedError,
)
from xero_sandbox.faults import Call
from xero_sandbox.grants import scopes_of
from xero_sandbox.misbehaving import with_faults
from xero_sandbox.scopes import suffices
from xero_sandbox.world import World


class Gate:
    """Lets calls through to `routes` (paths relative to /api.xro/2.0), each with its `scopes`."""

    def __init__(
        self, world: World, routes: Sequence[Route], scopes: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._world = world
        self._routes = routes
        self._scopes = scopes
        self._locks: dict[str, asyncio.Lock] = {}

    async def answer(self, request: Request) -> Response:
        """The answer to one call of the accounting API. Raises XeroSandboxError for a refusal."""
        claims = claims_of(self._world, request)
        route, inner = self._route(request)
        request.state.scopes = scopes_of(claims)
        if not suffices(request.state.scopes, self._needed(request)):
            raise ScopeMissingError
        tenant_id = self._tenant(request, claims)
        request.state.tenant_id = tenant_id
        if "application/json" not in request.headers.get("Accept", "").casefold():
            raise NotAcceptableError
        with self._world.limits.call(tenant_id):
            call = Call(request.method, request.url.path, request.query_params, tenant_id)
            return await with_faults(
                self._world,
                request,
                call=call,
                handler=lambda: self._handle(route, inner, tenant_id),
            )

    async def _handle(self, route: Route, request: Request, tenant_id: str) -> Response:
        now = self._world.business.now()
        request.state.business_now = now
        request.state.provider_name = self._world.app.name
        # One call at a time reads an organisation; the others wait here, in flight.
        async with self._locks.setdefault(tenant_id, asyncio.Lock()):
            await self._touch(request, tenant_id, now)
            if inspect.iscoroutinefunction(route.endpoint):
                response: Response = await route.endpoint(request)
                return response
            return await run_in_threadpool(route.endpoint, request)

    async def _touch(self, request: Request, tenant_id: str, now: datetime) -> None:
        is_new = not self._world.is_built(tenant_id)
        # Building years of business takes a while, and other requests should not wait for it.
        organisation = await run_in_threadpool(self._world.organisation, tenant_id, now)
        request.state.organisation = organisation
        request.state.must_save |= is_new

    def _route(self, request: Request) -> tuple[Route, Request]:
        inner = dict(request.scope, path=f"/{request.path_params['path']}", root_path="")
        for route in self._routes:
            match, extra = route.matches(inner)
            if match is Match.NONE:
                continue
            if match is Match.PARTIAL:
                raise MethodNotAllowedError
            inner.update(extra)
            return route, Request(inner, request.receive)
        raise NotFoundError

    def _needed(self, request: Request) -> tuple[str, ...]:
        parts = str(request.path_params["path"]).split("/")
        resource = "/".join(parts[:2]) if parts[0] == "Reports" else parts[0]
        if resource not in self._scopes:
            raise NotFoundError
        return self._scopes[resource]

    def _tenant(self, request: Request, claims: Mapping[str, Any]) -> str:
        asked = request.headers.get("xero-tenant-id", "").strip().lower()
        reachable = tenants_of(self._world, claims)
        if is_custom(claims) and not asked and reachable:
            return reachable[0]
        if asked not in reachable:
            raise TenantForbiddenError
        return asked


def claims_of(world: World, request: Request) -> dict[str, Any]:
    """The claims of the request's bearer token. Raises UnauthorizedError or one of its kind."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() != "bearer" or not token.strip():
        raise UnauthorizedError
    claims = world.signer.check(token.strip(), now=world.identity.now())
    if claims.get("authentication_event_id") not in world.grants.auth_events:
        raise UnauthorizedError
    return claims


def tenants_of(world: World, claims: Mapping[str, Any]) -> list[str]:
    """The organisations that a token reaches: all that its user connected, in that order."""
    if is_custom(claims):
        return list(world.plans)[:1]
    user = next(
        (u for u in world.grants.users.values() if u.user_id == claims["xero_userid"]), None
    )
    if user is None:
        return []
    # Whoever loses an organisation loses its connection too.
    return [
        connection.tenant_id
        for connection in world.grants.live(user.email)
        if connection.tenant_id in world.plans and connection.tenant_id in user.organisations
    ]


def is_custom(claims: Mapping[str, Any]) -> bool:
    """Whether the token is one of a Custom Connection: no user, and the first organisation."""
    return "xero_userid" not in claims
