"""Answers that go wrong on purpose: late, broken, cut short, or none at all.

Knows how a fault looks on the wire. Must not know which request gets one (`faults.py`), nor what
the right answer is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from xero_sandbox.errors import (
    OAuthError,
    RateLimitError,
    ScopeMissingError,
    TenantForbiddenError,
    TokenExpiredError,
    UnavailableError,
    XeroSandboxError,
)
from xero_sandbox.faults import Call, Fault
from xero_sandbox.world import World

_HTML = (
    "<!doctype html><html><head><title>Xero</title></head>"
    "<body><h1>We'll be back soon</h1></body></html>"
)

Handler = Callable[[], Awaitable[Response]]


async def with_faults(world: World, request: Request, *, call: Call, handler: Handler) -> Response:
    """The handler's answer, unless a fault of the control door takes this call."""
    fault = world.faults.next(call)
    if fault is None:
        return await handler()
    request.state.fault = fault.kind
    error = _refusal(fault, world)
    if error is not None:
        raise error
    return await _answer(fault, request, handler)


async def _answer(fault: Fault, request: Request, handler: Handler) -> Response:
    match fault.kind:
        case "drop":
            return Dropped()
        case "answer_lost" | "refresh_answer_lost":
            await handler()
            request.state.save()
            return Dropped()
        case "slow":
            await asyncio.sleep(fault.seconds)
            return await handler()
        case "truncated":
            return Truncated(await handler())
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
        "offline": lambda: UnavailableError(fault.body or "The Organisation is offline"),
        "minute_limit": lambda: RateLimitError("minute", seconds),
        "day_limit": lambda: RateLimitError("day", seconds),
        "concurrent_limit": lambda: RateLimitError("concurrent"),
        "app_minute_limit": lambda: RateLimitError("appminute"),
        "refused_refresh": lambda: OAuthError("invalid_grant"),
    }
    make = refusals.get(fault.kind)
    return make() if make is not None else None


class Dropped(Response):
    """Closes the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hang up."""
        del send
        # ASGI has no word for hanging up, so the server's own transport is asked; `receive` that
        # reaches here is a bound method of uvicorn's request cycle.
        cycle = getattr(scope["state"]["receive"], "__self__", None)
        transport = getattr(cycle, "transport", None)
        if transport is None:
            message = "this server cannot drop a connection"
            raise RuntimeError(message)
        transport.abort()
        # Only once uvicorn has noticed does it not answer 500 by itself.
        while (await receive())["type"] != "http.disconnect":
            continue


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
