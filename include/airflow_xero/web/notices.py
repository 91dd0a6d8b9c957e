"""The small pages outside Airflow's shell: what happened, what to do, and the way back.

Knows how a consent ends in the words of the person who clicked, whether a user of Airflow or
somebody invited. All text is escaped; nothing but a message is shown of an error. Must not import
Airflow.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_xero.errors import (
    ConsentRefusedError,
    XeroBusyError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.web.visitors import mount

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

_LONGEST_NAME = 120

BACK = "Back to the Xero page"


@dataclass(frozen=True)
class Ending:
    """How something ended: a page's title, its message, and the status beside it."""

    title: str
    message: str
    status: int = 200


class Hindered(Exception):  # noqa: N818 -- it is no error: who knows better goes on
    """Before somebody leaves for Xero: what will probably keep them from connecting there."""

    def told(self, *, is_invited: bool = False) -> Ending:
        """What to say; the person may go on all the same."""
        raise NotImplementedError


class CapReached(Hindered):
    """Xero counts as many connections as the app's tier allows."""

    def __init__(self, *, used: int, allowed: int | None) -> None:
        super().__init__()
        self._counts = f"allows {allowed} connections, and {used} are used"

    def told(self, *, is_invited: bool = False) -> Ending:
        """Status 409: a person must act."""
        why = f"The app's tier at Xero {self._counts}"
        advice = "Disconnect one on the page Xero, or choose a higher tier at developer.xero.com."
        if is_invited:
            why = "All that this app may have at Xero are used"
            advice = "Please tell the person who invited you, and open your link again afterwards."
        return Ending(
            "All connections of this app are used",
            f"{why}: Xero will refuse an organisation that is not connected yet. {advice} An"
            " organisation that you connected before can be connected again.",
            409,
        )


class XeroSilent(Hindered):
    """Xero's login page does not answer us; it may answer the person."""

    def told(self, *, is_invited: bool = False) -> Ending:
        """Status 503: try later."""
        again = "open your invitation link again" if is_invited else "press Connect to Xero again"
        return Ending(
            "Xero cannot answer now",
            "Xero's login page does not answer at the moment, and nothing was changed. Please"
            f" {again} in a few minutes.",
            503,
        )


# What Xero may append to the callback instead of a code, in the words of who clicked.
_REFUSALS = MappingProxyType(
    {
        "access_denied": Ending(
            "Nothing was connected",
            "You chose not to give access at Xero, and nothing was changed. Whenever you are "
            "ready, {again}.",
        ),
        "invalid_scope": Ending(
            "Xero refused what was asked for",
            "The app may not ask for one of its scopes. The owner of the Airflow connection can "
            "correct the field Scopes: apps made since March 2026 have granular scopes only.",
        ),
        "unauthorized_client": Ending(
            "Xero does not know this app",
            "The owner of the Airflow connection should compare the client id and the redirect "
            "URI with those at developer.xero.com, under My Apps.",
        ),
        "temporarily_unavailable": Ending(
            "Xero cannot answer now",
            "Xero is not available at the moment, and nothing was changed. Please try again in a "
            "few minutes.",
        ),
    }
)
# Of the rest the invited cannot do anything, and our set-up is none of their business.
_FOR_EVERYBODY = frozenset({"access_denied", "temporarily_unavailable"})
_ERROR_NAME = re.compile(r"[a-z_]{1,40}")

_FOR_THE_INVITED = (
    "Something is not set up right where you were invited, and nothing was changed in Xero's "
    "books. Please tell the person who invited you, and open your link again afterwards."
)


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
                # However it was asked: the access log is written hereafter, and must hold no code.
                if str(scope["path"]).endswith("/callback"):
                    scope["query_string"] = b""
            await send(message)

        await self.app(scope, receive, send_protected)


def _with_defaults(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    missing = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
    return [*headers, *(pair for pair in missing if pair[0] not in present)]


def refusal_of(error: str, *, is_invited: bool = False) -> Ending:
    """What an `error` that Xero appended to the callback means."""
    if is_invited and error not in _FOR_EVERYBODY:
        return Ending("Xero did not connect", _FOR_THE_INVITED, 409)
    name = f" ({error})" if named(error) else ""
    unknown = Ending(
        "Xero did not connect",
        f"Xero ended the consent with an error{name}. Please try once more; "
        "if it happens again, show this page to the owner of the Airflow connection.",
        400,
    )
    known = _REFUSALS.get(error, unknown)
    again = "press Connect to Xero again"
    if is_invited:
        again = "open your invitation link again"
    return replace(known, message=known.message.replace("{again}", again))


def named(error: str) -> str | None:
    """The error, if it is a name like those of Xero: who writes the address writes no page."""
    return error if _ERROR_NAME.fullmatch(error) else None


def ending_of(error: XeroError, *, is_invited: bool = False) -> Ending:
    """How an error reads: its own message, which names what to do; for the invited without ours.

    Status 409: a person must act; 503: try later; 502: Xero surprised us.
    """
    if isinstance(error, ConsentRefusedError):
        return Ending("Not connected", error.message, 409)
    if isinstance(error, XeroSetupError):
        return Ending("Not connected", _FOR_THE_INVITED if is_invited else error.message, 409)
    if isinstance(error, XeroBusyError):
        message = error.message
        if is_invited:
            message = (
                "Xero, or where it connects to, does not answer at the moment. Please open your "
                "invitation link again in a few minutes."
            )
        return Ending("Xero cannot answer now", message, 503)
    return Ending("Not connected", _FOR_THE_INVITED if is_invited else error.message, 502)


def status_of(error: XeroError) -> int:
    """The HTTP status that fits: see `ending_of`."""
    return ending_of(error).status


def error_page(request: Request, error: XeroError) -> Response:
    """A page with the error's own message, which names what to do, and never where it arose."""
    return ending_page(request, ending_of(error))


async def show_error(request: Request, error: Exception) -> Response:
    """The handler for a XeroError that no route expected."""
    if not isinstance(error, XeroError):
        raise error
    return ending_page(request, ending_of(error, is_invited=True), back=None)


def ending_page(request: Request, ending: Ending, *, back: str | None = "") -> Response:
    """The page of an ending; `back` is an address in Airflow, where the invited have no business.

    Without a word about it the way back leads to the page beside this one.
    """
    link = None if back is None else (back, BACK)
    return notice(
        request, title=ending.title, message=ending.message, status=ending.status, link=link
    )


def too_many(request: Request, wait_seconds: int) -> Response:
    """The page for an address that asked too often."""
    answer = notice(
        request,
        title="Too many requests",
        message="Too many requests came from your network. Please wait a minute and try again.",
        status=429,
        link=None,
    )
    answer.headers["retry-after"] = str(wait_seconds)
    return answer


HOME = ("", BACK)


def notice(
    request: Request,
    *,
    title: str,
    message: str,
    status: int = 200,
    is_good: bool = False,
    items: Sequence[str] = (),
    remark: str = "",
    link: tuple[str, str] | None = HOME,
) -> HTMLResponse:
    """A page of our own: what happened, names, a remark, and a link (address, text). All escaped.

    The usual link leads back to the page in Airflow.
    """
    base = mount(request).rstrip("/")
    address, text = link or ("", "")
    anchor = f'<a href="{html.escape(address or f"{base}/")}">{html.escape(text)}</a>'
    names = "".join(f"<li><bdi>{html.escape(shortened(name))}</bdi></li>" for name in items)
    return HTMLResponse(
        _PAGE.format(
            title=html.escape(title),
            message=html.escape(message),
            kind="good" if is_good else "plain",
            style=html.escape(f"{base}/static/notice.css"),
            names=f"<ul>{names}</ul>\n" if names else "",
            remark=f'<p class="small"><bdi>{html.escape(remark)}</bdi></p>\n' if remark else "",
            link=anchor if link else "",
        ),
        status_code=status,
    )


def shortened(name: str) -> str:
    """A name that somebody else chose, no longer than a page bears."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


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
{names}{remark}{link}
</main>
</body>
</html>
"""
