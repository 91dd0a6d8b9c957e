"""The whole sandbox as one ASGI app: its rooms, and the frame around every request.

Knows which door leads where, gives every request its correlation id, log entry and headers, and
turns refusals into Xero's answers. Must not know what any door decides.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xero_sandbox.api import accounting
from xero_sandbox.api.gate import Gate
from xero_sandbox.control.control import ControlDoor, refuse_other_sites
from xero_sandbox.control.requestlog import LoggedRequest
from xero_sandbox.control.status import StatusDoor
from xero_sandbox.errors import (
    ConsentPageError,
    ControlError,
    InternalError,
    NotFoundError,
    XeroSandboxError,
)
from xero_sandbox.hosts import serves
from xero_sandbox.identity.consent import ConsentDoor
from xero_sandbox.identity.identity import IdentityDoor
from xero_sandbox.pages import refusal_page
from xero_sandbox.saving import Saving
from xero_sandbox.world import World

_API = "/api.xro/2.0"
_CONTROL = "/_sandbox/"
_STATIC = Path(__file__).parent / "static"
_EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'"
_HINTS = "Check the app's client id, redirect URI and scopes, then start again from the app."

logger = logging.getLogger("xero_sandbox")


def create_app(world: World, *, save: Callable[[World], None] | None = None) -> ASGIApp:
    """The app over one world. `save` is called, before the answer, when it may have changed.

    The first touch of an organisation is saved within a second, with others.
    """
    gate = Gate(world, accounting.routes)
    router = Router(
        [
            Route(f"{_API}/{{path:path}}", gate.answer, methods=_EVERY_METHOD),
            *IdentityDoor(world).routes(),
            *ConsentDoor(world).routes(),
            *ControlDoor(world).routes(),
            *StatusDoor(world).routes(),
            Route(f"{_CONTROL}static/{{name}}", _static, methods=["GET"]),
        ],
        redirect_slashes=False,
        default=_nowhere,
    )
    return Frame(router, world, Saving(world, save))


class Frame:
    """What happens around every request, whichever door it knocks at."""

    def __init__(self, inner: ASGIApp, world: World, saving: Saving) -> None:
        self._inner = inner
        self._world = world
        self._saving = saving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever breaks inside."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        if scope["type"] != "http":
            return
        state = scope["state"] = {
            **scope.get("state", {}),
            "correlation_id": str(uuid.uuid4()),
            "receive": receive,
            "generation": self._world.generation,
            "must_save_soon": False,
            "must_save": scope["method"] != "GET" and not scope["path"].startswith(_API),
        }
        visit = _Visit(self._world, scope, send=send, saving=self._saving)
        state["save"] = visit.save
        try:
            try:
                request = Request(scope, receive)
                _check_host(request)
                if _is_control(scope["path"]):
                    refuse_other_sites(request)
                await self._inner(scope, receive, visit.send)
            except XeroSandboxError as error:
                await _refusal(error, state["correlation_id"])(scope, receive, visit.send)
            except ClientDisconnect:
                return
            except Exception:
                # The last door: whatever broke, the client gets Xero's 500, and the log the cause.
                logger.exception("event=broken correlation_id=%s", state["correlation_id"])
                if visit.status is not None:
                    raise
                broken = _refusal(InternalError(), state["correlation_id"])
                await broken(scope, receive, visit.send)
        finally:
            visit.end()

    async def _live(self, receive: Receive, send: Send) -> None:
        """What the server says when it starts and ends."""
        while (message := (await receive())["type"]) != "lifespan.shutdown":
            await send({"type": f"{message}.complete"})
        self._saving.end()
        await send({"type": "lifespan.shutdown.complete"})


class _Visit:
    """One request on its way through: adds headers, saves before answering, and is logged."""

    def __init__(
        self,
        world: World,
        scope: Scope,
        *,
        send: Send,
        saving: Saving,
    ) -> None:
        self._world = world
        # That of now: what a reset forgets is not to come back with a late request.
        self._requests = world.requests
        self._scope = scope
        self._send = send
        self._saving = saving
        self._began = time.perf_counter()
        self._is_accounting = scope["path"].startswith(_API)
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.save()
            self.status = message["status"]
            extra = self._headers(message)
            given = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *((name, value) for name, value in extra if name not in given),
            ]
        await self._send(message)

    def end(self) -> None:
        # An answer that was dropped on purpose was not sent, but what it did must be kept.
        self.save()
        path = self._scope["path"]
        if _is_control(path):
            return
        state, is_api = self._scope["state"], path.lower().startswith((_API, "/connections"))
        headers = Request(self._scope).headers
        self._requests.add(
            LoggedRequest(
                number=self._requests.next_number(),
                at=self._world.business.now(),
                method=self._scope["method"],
                path=path,
                query=self._scope["query_string"].decode("latin-1") if is_api else "",
                modified_since=headers.get("If-Modified-Since") if is_api else None,
                tenant_id=state.get("tenant_id"),
                status=self.status,
                duration_ms=round((time.perf_counter() - self._began) * 1000, 1),
                fault=state.get("fault"),
            )
        )

    def save(self) -> None:
        """Keep what this request may have changed; once."""
        state = self._scope["state"]
        if state["must_save"]:
            state["must_save"] = False
            self._saving.now()
        elif state["must_save_soon"]:
            state["must_save_soon"] = False
            self._saving.soon()

    def _headers(self, message: Message) -> list[tuple[bytes, bytes]]:
        state = self._scope["state"]
        clock = self._world.business if self._is_accounting else self._world.identity
        headers = {
            "date": format_datetime(clock.now(), usegmt=True),
            "xero-correlation-id": state["correlation_id"],
            "cache-control": "max-age=0, no-cache, no-store",
            "pragma": "no-cache",
        }
        if state.get("tenant_id"):
            headers |= self._world.limits.headers(state["tenant_id"])
        types = [value for name, value in message["headers"] if name.lower() == b"content-type"]
        if types and types[0].startswith(b"text/html"):
            headers |= {"content-security-policy": _PAGE_POLICY, "referrer-policy": "no-referrer"}
        return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _is_control(path: str) -> bool:
    return path == "/" or path.startswith(_CONTROL)


def _check_host(request: Request) -> None:
    """Raise NotFoundError for a path of another host, ControlError for a host that is none."""
    try:
        is_served = serves(request)
    except ValueError as error:
        raise ControlError("the Host header cannot be read") from error
    if not is_served:
        raise NotFoundError


async def _static(request: Request) -> Response:
    for file in _STATIC.iterdir():
        if file.name == request.path_params["name"]:
            return FileResponse(file)
    raise NotFoundError


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive, send
    raise NotFoundError


def _refusal(error: XeroSandboxError, correlation_id: str) -> Response:
    if isinstance(error, ConsentPageError):
        return HTMLResponse(refusal_page(error.error, error.description, _HINTS), error.status)
    answer = error.answer(correlation_id)
    headers = {**answer.headers, "Content-Type": answer.content_type}
    return Response(answer.body, answer.status, headers=headers)
