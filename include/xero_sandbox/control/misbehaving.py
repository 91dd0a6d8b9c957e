"""Answers that go wrong on purpose: late, broken, cut short, or none at all.

Knows how a fault looks on the wire. Must not know which request gets one (`faults.py`), nor what
the right answer is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xero_sandbox.control.faults import REWRITES, Call, Fault
from xero_sandbox.control.rewriting import edit_between_pages, rewritten
from xero_sandbox.errors import (
    OAuthError,
    RateLimitError,
    ScopeMissingError,
    TenantForbiddenError,
    TokenExpiredError,
    UnavailableError,
    XeroSandboxError,
)
from xero_sandbox.identity.forms import first, read_form
from xero_sandbox.world import World

_HTML = (
    "<!doctype html><html><head><title>Xero</title></head>"
    "<body><h1>We'll be back soon</h1></body></html>"
)

Handler = Callable[[], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def open_to_faults(world: World, endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose calls faults may take; for what is reached without an organisation."""

    async def answer(request: Request) -> Response:
        form = await read_form(request) if request.method == "POST" else {}
        call = Call(
            request.method,
            request.url.path,
            request.query_params,
            is_refresh=first(form, "grant_type") == "refresh_token",
        )
        return await with_faults(world, request, call=call, handler=lambda: endpoint(request))

    return answer


async def with_faults(world: World, request: Request, *, call: Call, handler: Handler) -> Response:
    """The handler's answer, unless a fault of the control door takes this call.

    Raises UnavailableError when the world was started again since the request began.
    """
    generation: int = request.state.generation
    world.expect(generation)
    fault = world.faults.next(call)
    if fault is None:
        return await handler()
    request.state.fault = fault.kind
    if fault.kind == "disconnected" and call.tenant_id is not None:
        world.grants.disconnect_tenant(call.tenant_id)
        request.state.must_save = True
    error = _refusal(fault, world)
    if error is not None:
        raise error
    if fault.kind == "record_edited" and call.tenant_id is not None:
        response = await handler()
        request.state.must_save = True
        await edit_between_pages(
            world,
            call.tenant_id,
            response=response,
            record=fault.record,
            generation=generation,
        )
        return response
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        world.expect(generation)
        return await handler()
    return await _answer(fault, request, handler)


async def _answer(fault: Fault, request: Request, handler: Handler) -> Response:
    spoil = _SPOILED.get(fault.kind)
    if spoil is not None:
        return spoil(await handler(), fault)
    match fault.kind:
        case "drop":
            return Dropped()
        case "answer_lost" | "refresh_answer_lost":
            await handler()
            request.state.save()
            return Dropped()
        case "not_json":
            return Response(fault.body or _HTML, media_type="text/html", headers=fault.headers)
        case _:
            media_type = None if _has_content_type(fault) else "text/plain"
            return Response(
                fault.body or "",
                fault.status,
                headers=fault.headers,
                media_type=media_type,
            )


def _has_content_type(fault: Fault) -> bool:
    return any(name.casefold() == "content-type" for name in fault.headers)


def _refusal(fault: Fault, world: World) -> XeroSandboxError | None:
    seconds = int(fault.seconds)
    refusals: dict[str, Callable[[], XeroSandboxError]] = {
        "token_expired": lambda: TokenExpiredError(world.identity.now() - timedelta(minutes=1)),
        "scope_missing": ScopeMissingError,
        "forbidden": TenantForbiddenError,
        "disconnected": TenantForbiddenError,
        "offline": lambda: UnavailableError(fault.body or "The Organisation is offline"),
        "minute_limit": lambda: RateLimitError("minute", seconds),
        "day_limit": lambda: RateLimitError("day", seconds),
        "concurrent_limit": lambda: RateLimitError("concurrent"),
        "app_minute_limit": lambda: RateLimitError("appminute"),
        "refused_refresh": lambda: OAuthError("invalid_grant"),
    }
    make = refusals.get(fault.kind)
    return make() if make is not None else None


def _cut(whole: Response) -> Response:
    """The first half of an answer, with the length of that half: only its JSON is broken."""
    half = bytes(whole.body[: len(whole.body) // 2])
    headers = {k: v for k, v in whole.headers.items() if k.casefold() != "content-length"}
    return Response(half, whole.status_code, headers=headers)


def _transport(scope: Scope) -> asyncio.Transport:
    # ASGI has no word for hanging up, so the server's own transport is asked; the `receive` that
    # the frame keeps is a bound method of uvicorn's request cycle.
    cycle = getattr(scope["state"]["receive"], "__self__", None)
    transport: asyncio.Transport | None = getattr(cycle, "transport", None)
    if transport is None:
        message = "this server cannot drop a connection"
        raise RuntimeError(message)
    return transport


class Dropped(Response):
    """Closes the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hang up."""
        del send
        _transport(scope).abort()
        # Only once uvicorn has noticed does it not answer 500 by itself.
        while (await receive())["type"] != "http.disconnect":
            continue


class HungUpAfter(Response):
    """Sends an answer that promises to keep the connection, and closes it."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then hang up; what was written is still sent."""
        await super().__call__(scope, receive, send)
        _transport(scope).close()


class Truncated(Response):
    """Promises the whole of an answer, sends the first half of it, and hangs up."""

    def __init__(self, whole: Response) -> None:
        super().__init__(status_code=whole.status_code)
        self.body = whole.body
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the half."""
        del scope, receive
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        half = bytes(self.body[: len(self.body) // 2])
        # Ending without the last part makes the server close the connection.
        await send({"type": "http.response.body", "body": half, "more_body": True})


_SPOILED: Mapping[str, Callable[[Response, Fault], Response]] = MappingProxyType(
    {
        "truncated": lambda whole, _: Truncated(whole),
        "cut_json": lambda whole, _: _cut(whole),
        "drop_after": lambda whole, _: HungUpAfter(whole),
        **dict.fromkeys(REWRITES, rewritten),
    }
)
