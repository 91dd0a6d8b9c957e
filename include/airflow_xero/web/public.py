"""The room that anybody may enter: where Xero sends the browser back, and the static files.

Knows how a consent ends for the person who clicked: the cookie that binds it to their browser,
and a page that says what happened. Must not import Airflow, so that it can be served alone, and
must not know how a consent is finished: that is handed in as `finish`.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_xero.errors import XeroBusyError, XeroError, XeroSetupError

CONSENT_SECONDS = 600

_STATIC = Path(__file__).parent / "static"
_MEDIA_TYPES = MappingProxyType(
    {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
)
_HEADERS = MappingProxyType(
    {
        "cache-control": "no-store",
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
)


@dataclass(frozen=True)
class _Refusal:
    title: str
    message: str


# What Xero may append to the callback instead of a code, in the words of who clicked.
_REFUSALS = MappingProxyType(
    {
        "access_denied": _Refusal(
            title="Nothing was connected",
            message="You chose not to give access at Xero, and nothing was changed. "
            "Press Connect to Xero whenever you are ready.",
        ),
        "invalid_scope": _Refusal(
            title="Xero refused what was asked for",
            message="The app may not ask for one of its scopes. The owner of the Airflow "
            "connection can correct the field Scopes: apps made since March 2026 have granular "
            "scopes only.",
        ),
        "unauthorized_client": _Refusal(
            title="Xero does not know this app",
            message="The owner of the Airflow connection should compare the client id and the "
            "redirect URI with those at developer.xero.com, under My Apps.",
        ),
    }
)
_ERROR_NAME = re.compile(r"[a-z_]{1,40}")


class Finish(Protocol):
    """Completes a consent; returns how many organisations it reached, raises XeroError."""

    def __call__(self, *, state: str, code: str, browser_cookie: str) -> int:
        """Store what was consented to; `browser_cookie` is empty where the browser had none."""


class ProtectiveHeaders:
    """Adds the headers that keep an answer out of caches, frames and referrers.

    A route that needs another value sets its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of its answer."""

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_defaults(message["headers"])
            await send(message)

        await self.app(scope, receive, send_protected)


def _with_defaults(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    missing = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
    return [*headers, *(pair for pair in missing if pair[0] not in present)]


def create_public_app(*, finish: Finish, home: Callable[[Request], str] | None = None) -> FastAPI:
    """The public routes as an application of their own, to be mounted at `/xero`.

    `home` gives the address to return to after a consent; without it a thank-you page is shown.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(ProtectiveHeaders)
    app.include_router(public_router(finish=finish, home=home))
    app.add_exception_handler(XeroError, show_error)
    return app


def public_router(*, finish: Finish, home: Callable[[Request], str] | None = None) -> APIRouter:
    """`GET /callback` and `GET /static/{name}`: open to all, and safe to be."""
    router = APIRouter()

    @router.get("/callback")
    def callback(request: Request, *, state: str = "", code: str = "", error: str = "") -> Response:
        """End a consent: Xero sends the browser here with a code, or with its refusal."""
        # The access log is written once we have answered, and must hold neither code nor state.
        request.scope["query_string"] = b""
        answer = _refused(request, error) if error else _finished(request, state, code)
        if state:
            answer.delete_cookie(consent_cookie(state), path=_mount(request))
        return answer

    def _finished(request: Request, state: str, code: str) -> Response:
        if not state or not code:
            return notice(
                request,
                title="Nothing to do here",
                message="Xero sends you to this address at the end of a consent. "
                "To connect an organisation, press Connect to Xero.",
                status=400,
            )
        cookie = request.cookies.get(consent_cookie(state), "")
        try:
            count = finish(state=state, code=code, browser_cookie=cookie)
        except XeroError as problem:
            return error_page(request, problem)
        if home:
            return RedirectResponse(f"{home(request)}?connected={count}", status_code=303)
        return notice(request, title="Thank you", message=_thanks(count), is_good=True)

    @router.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        """One of the files of `static/`: script and style, which hold no secret."""
        return _static_file(request, name)

    return router


def consent_cookie(state: str) -> str:
    """The name of the cookie that binds a consent to its browser: one each, so tabs may race."""
    return "xero_consent_" + hashlib.sha256(state.encode()).hexdigest()[:16]


def _mount(request: Request) -> str:
    """The path under which these pages are served, `/xero` unless Airflow has a base path."""
    return str(request.scope.get("root_path", "")) or "/"


def _refused(request: Request, error: str) -> Response:
    known = _REFUSALS.get(error)
    # Whoever writes the address must not write our page: only a name like Xero's is repeated.
    name = f" ({error})" if _ERROR_NAME.fullmatch(error) else ""
    refusal = known or _Refusal(
        title="Xero did not connect",
        message=f"Xero ended the consent with an error{name}. Please try once more; "
        "if it happens again, show this page to the owner of the Airflow connection.",
    )
    status = 200 if known else 400
    return notice(request, title=refusal.title, message=refusal.message, status=status)


def _thanks(count: int) -> str:
    what = "One organisation is" if count == 1 else f"{count} organisations are"
    return f"{what} connected. You may close this window."


def status_of(error: XeroError) -> int:
    """The HTTP status that fits: 409 a person must act, 503 try later, 502 Xero surprised us."""
    if isinstance(error, XeroSetupError):
        return 409
    return 503 if isinstance(error, XeroBusyError) else 502


def error_page(request: Request, error: XeroError) -> Response:
    """A page with the error's own message, which names what to do, and never where it arose."""
    title = "Xero cannot answer now" if isinstance(error, XeroBusyError) else "Not connected"
    return notice(request, title=title, message=error.message, status=status_of(error))


async def show_error(request: Request, error: Exception) -> Response:
    """The handler for a XeroError that no route expected."""
    if not isinstance(error, XeroError):
        raise error
    return error_page(request, error)


def notice(
    request: Request, *, title: str, message: str, status: int = 200, is_good: bool = False
) -> HTMLResponse:
    """A small page of our own: what happened, what to do, and the way back. All is escaped."""
    mount = _mount(request)
    return HTMLResponse(
        _PAGE.format(
            title=html.escape(title),
            message=html.escape(message),
            kind="good" if is_good else "plain",
            style=html.escape(f"{mount}/static/notice.css"),
            back=html.escape(f"{mount}/"),
        ),
        status_code=status,
    )


def _static_file(request: Request, name: str) -> Response:
    file = _STATIC / name
    # A name with a slash never arrives here; the list keeps out `..` and hidden files as well.
    if file.suffix not in _MEDIA_TYPES or file not in set(_STATIC.iterdir()):
        return Response(status_code=404)
    body = file.read_bytes()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # Asked for anew each time, so that an upgrade shows at once; unchanged costs no body.
    headers = {"etag": etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_MEDIA_TYPES[file.suffix], headers=headers)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Xero</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<main class="{kind}">
<span class="mark" aria-hidden="true"></span>
<h1>{title}</h1>
<p>{message}</p>
<a href="{back}">Back to the Xero page</a>
</main>
</body>
</html>
"""
