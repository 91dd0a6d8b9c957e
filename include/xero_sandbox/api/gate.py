"""The gate before the accounting API: who may pass, how often, and to which organisation.

In Xero's order: the token, the path, its scope, the tenant, the format, the limits; then the
faults, then the handler. Must not know what the handlers answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from xero_sandbox.api.operation import Operation
from xero_sandbox.control.faults import Call
from xero_sandbox.control.misbehaving import with_faults
from xero_sandbox.errors import (
    MethodNotAllowedError,
    NotAcceptableError,
    NotFoundError,
    ScopeMissingError,
    TenantForbiddenError,
)
from xero_sandbox.identity.reach import claims_of, is_personal, tenant_of
from xero_sandbox.identity.scopes import suffices
from xero_sandbox.identity.token_claims import scopes_of
from xero_sandbox.world import World

_RAPID_SYNC = timedelta(minutes=30)
_READING = ("GET", "HEAD")


class Gate:
    """Lets calls through to `operations`, whose paths are relative to /api.xro/2.0."""

    def __init__(self, world: World, operations: Sequence[Operation]) -> None:
        self._world = world
        self._operations = operations
        self._names = {_first_name(operation.path) for operation in operations}

    async def answer(self, request: Request) -> Response:
        """The answer to one call of the accounting API. Raises XeroSandboxError for a refusal."""
        claims = claims_of(self._world, request)
        # Looked up early, so that every answer can say what its organisation has left.
        tenant_id = self._tenant(request, claims)
        request.state.tenant_id = tenant_id
        operation, inner = self._operation(request)
        request.state.scopes = scopes_of(claims)
        if not suffices(request.state.scopes, operation.scopes):
            raise ScopeMissingError
        if tenant_id is None:
            raise TenantForbiddenError
        if not operation.answers(request.headers.get("Accept", "")):
            raise NotAcceptableError
        is_lifted = self._is_lifted(claims, tenant_id)
        with self._world.limits.call(tenant_id, is_lifted=is_lifted):
            call = Call(request.method, request.url.path, request.query_params, tenant_id)
            return await with_faults(
                self._world,
                request,
                call=call,
                handler=lambda: self._handle(operation, inner, tenant_id),
            )

    async def _handle(self, operation: Operation, request: Request, tenant_id: str) -> Response:
        now = self._world.business.now()
        request.state.business_now = now
        request.state.provider_name = self._world.app.name
        request.state.high_volume = self._world.limits.settings.high_volume
        request.state.page_size = self._world.limits.settings.page_size
        # One call at a time reads an organisation; the others wait here, in flight.
        async with self._world.turn(tenant_id, request.state.generation):
            await self._touch(request, tenant_id, now)
            if inspect.iscoroutinefunction(operation.endpoint):
                response: Response = await operation.endpoint(request)
                return response
            return await run_in_threadpool(operation.endpoint, request)

    async def _touch(self, request: Request, tenant_id: str, now: datetime) -> None:
        is_new = not self._world.is_built(tenant_id)
        if self._world.is_current(tenant_id, now):
            organisation = self._world.organisation(tenant_id, now)
        else:
            # Years of business take a while to build; other requests should not wait for it.
            organisation = await run_in_threadpool(self._world.organisation, tenant_id, now)
        request.state.organisation = organisation
        request.state.must_save_soon |= is_new

    def _operation(self, request: Request) -> tuple[Operation, Request]:
        """What the path and the method ask for. Raises NotFoundError, MethodNotAllowedError."""
        path = "/" + str(request.path_params["path"]).removesuffix("/")
        inner = dict(request.scope, path=path, root_path="")
        for operation in self._operations:
            match, extra = operation.matches(inner)
            if match is Match.FULL:
                inner.update(extra)
                return operation, Request(inner, request.receive)
        # Much that can be written has a path of its own, so a known first name suffices.
        if request.method not in _READING and _first_name(path) in self._names:
            raise MethodNotAllowedError
        raise NotFoundError

    def _tenant(self, request: Request, claims: Mapping[str, Any]) -> str | None:
        asked = request.headers.get("xero-tenant-id", "").strip().lower()
        return tenant_of(self._world, claims, asked)

    def _is_lifted(self, claims: Mapping[str, Any], tenant_id: str) -> bool:
        """Whether Rapid Sync lifts the limits: the connection is new."""
        world = self._world
        if not (world.limits.settings.rapid_sync and world.tier.has_rapid_sync):
            return False
        user = world.grants.user(claims["xero_userid"]) if is_personal(claims) else None
        connection = world.grants.connection(user.email, tenant_id) if user else None
        return connection is not None and world.identity.now() < connection.created_at + _RAPID_SYNC


def _first_name(path: str) -> str:
    return path.split("/")[1].lower()
