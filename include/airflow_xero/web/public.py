"""The room that anybody may enter: where Xero sends the browser back, and invitations.

Knows how a consent ends for the person who clicked. Must not import Airflow, so that it can be
served alone, and must not know how a consent is finished or an invitation kept: that is handed in
as a desk.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_xero.authorisations import other_browser
from airflow_xero.connect import Finished
from airflow_xero.errors import XeroError, XeroSetupError
from airflow_xero.web import assets
from airflow_xero.web.assets import PUBLIC_FILES
from airflow_xero.web.invited import InvitationDesk, invited_router
from airflow_xero.web.limiting import FILES_A_MINUTE, RequestBudget
from airflow_xero.web.notices import (
    Ending,
    ProtectiveHeaders,
    ending_of,
    ending_page,
    named,
    refusal_of,
    show_error,
    too_many,
)
from airflow_xero.web.thanks import Reading, thank_you
from airflow_xero.web.visitors import (
    HANDED_OVER,
    INVITED,
    address_of,
    consent_cookie,
    may_be_ours,
    unbind,
)

_NOTHING_TO_DO = Ending(
    "Nothing to do here",
    "Xero sends you to this address at the end of a consent. "
    "To connect an organisation, press Connect to Xero, or open your invitation link.",
    400,
)

_log = logging.getLogger(__name__)

Home = Callable[[Request], str]


class Desk(InvitationDesk, Protocol):
    """Completes consents and knows invitations."""

    def finish(
        self, *, state: str, code: str, browser_cookie: str, address: str | None
    ) -> tuple[Finished, Reading]:
        """Store what was consented to; that, and when it is read. Raises XeroError."""

    def abandon(self, *, state: str, browser_cookie: str, reason: str, address: str | None) -> None:
        """Forget a consent that Xero ended, and audit why. Raises XeroError."""


def public_router(
    desk: Desk,
    *,
    home: Home | None = None,
    airflow_page: str | None = None,
    budget: RequestBudget | None = None,
    files: RequestBudget | None = None,
) -> APIRouter:
    """The callback, the invitations and the static files: open to all, and safe to be.

    `home` gives the address in Airflow to return to after a consent of one of its users, and
    `airflow_page` that for those who were handed over from another address; without either a
    thank-you page is shown, as to the invited. Of each address `budget` bounds what opens the
    warehouse, `files` the rest.
    """
    router = APIRouter()
    budget = budget or RequestBudget()
    files = files or RequestBudget(a_minute=FILES_A_MINUTE)
    router.include_router(invited_router(desk, budget))

    @router.get("/callback")
    def callback(request: Request, *, state: str = "", code: str = "", error: str = "") -> Response:
        """End a consent: Xero sends the browser here with a code, or with its refusal."""
        # The access log is written once we have answered, and must hold neither code nor state.
        request.scope["query_string"] = b""
        if wait := budget.wait_seconds(address_of(request)):
            return too_many(request, wait)
        ended = _Callback(request, state, code=code, error=error)
        answer = _answer(ended, desk, back=ended.way_back(home, airflow_page))
        if state:
            unbind(answer, state, request)
        return answer

    @router.get("/static/{name}")
    def static(request: Request, name: str) -> Response:
        """One of the files of `static/`: script and style, which hold no secret."""
        # Alone there is no page in Airflow, and no script of its.
        name = name if home is not None or name in PUBLIC_FILES else ""
        return _file(request, name, budget=files)

    if home is None:
        return router

    @router.get("/static/{version}/{name}")
    def kept_static(request: Request, version: str, name: str) -> Response:
        """The same, by an address that a browser may keep for a year."""
        return _file(request, name, budget=files, may_keep=version == assets.version())

    return router


def _file(
    request: Request, name: str, *, budget: RequestBudget, may_keep: bool = False
) -> Response:
    if wait := budget.wait_seconds(address_of(request)):
        return too_many(request, wait)
    found = assets.asset(name)
    if found is None:
        return Response(status_code=404)
    # Asked for anew each time, an upgrade shows at once; unchanged costs no body.
    kept = "public, max-age=31536000, immutable" if may_keep else "no-cache"
    headers = {"etag": found.etag, "cache-control": kept}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)


@dataclass(frozen=True)
class _Callback:
    """What Xero sent the browser back with, and whose browser it is."""

    request: Request
    state: str = field(repr=False)
    code: str = field(repr=False)
    error: str

    @property
    def cookie(self) -> str:
        return self.request.cookies.get(consent_cookie(self.state), "")

    @property
    def may_be_ours(self) -> bool:
        return may_be_ours(self.state, self.cookie)

    @property
    def is_invited(self) -> bool:
        return self.cookie.startswith(INVITED)

    @property
    def is_handed_over(self) -> bool:
        return self.cookie.startswith(HANDED_OVER)

    def way_back(self, home: Home | None, airflow_page: str | None) -> str | None:
        """The address in Airflow to go back to; the invited have no business there."""
        if self.is_invited:
            return None
        if self.is_handed_over and airflow_page:
            return airflow_page
        return home(self.request) if home else None


def _answer(callback: _Callback, desk: Desk, *, back: str | None) -> Response:
    request, is_invited = callback.request, callback.is_invited
    if callback.error:
        _abandon(callback, desk)
        refusal = refusal_of(callback.error, is_invited=is_invited)
        return ending_page(request, refusal, back=back)
    if not callback.state or not callback.code:
        return ending_page(request, _NOTHING_TO_DO, back=back)
    if not callback.may_be_ours:
        # Neither the warehouse nor anybody's state is touched by what strangers make up.
        return ending_page(request, ending_of(other_browser()), back=back)
    try:
        finished, reading = desk.finish(
            state=callback.state,
            code=callback.code,
            browser_cookie=callback.cookie,
            address=address_of(request),
        )
    except XeroError as problem:
        ending = ending_of(problem, is_invited=is_invited)
        return ending_page(request, ending, back=back)
    is_user = callback.is_handed_over
    return thank_you(request, finished, reading, home=back, is_user=is_user)


def _abandon(callback: _Callback, desk: Desk) -> None:
    """Have it audited, where it is a consent of this browser; the person reads the same page."""
    if not callback.may_be_ours:
        return
    reason = f"Xero ended it ({named(callback.error) or 'an unknown error'})"
    with contextlib.suppress(XeroError):
        desk.abandon(
            state=callback.state,
            browser_cookie=callback.cookie,
            reason=reason,
            address=address_of(callback.request),
        )


def create_public_app(desk: Desk, *, redirect_uri: str, airflow_page: str | None = None) -> ASGIApp:
    """The public routes as an application of their own, there where Xero sends people.

    It answers requests for the redirect URI's own host alone; users of Airflow who were handed
    over go back to `airflow_page`. Raises XeroSetupError for a redirect URI that does not end with
    `/callback`.
    """
    address = urlsplit(redirect_uri)
    if not address.path.endswith("/callback"):
        raise XeroSetupError(
            f"The redirect URI {redirect_uri} of the Airflow connection must end with /callback:"
            " the invitations are beside it. Change it there and at developer.xero.com"
        )
    prefix = address.path.removesuffix("/callback")
    pages = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    pages.add_exception_handler(XeroError, show_error)
    pages.include_router(public_router(desk, airflow_page=airflow_page))
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    outer.mount(prefix, pages)
    return _Logged(ProtectiveHeaders(_OneHost(outer, address.hostname or "")))


class _OneHost:
    """Refuses every request that is not for this host, so that no name of others leads here."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app = app
        self._host = host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._host not in _hosts_of(scope):
            answer = PlainTextResponse("This host is not served here.", status_code=421)
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _hosts_of(scope: Scope) -> Collection[str]:
    """The host that the request is for; none when it does not say, or says two."""
    named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(named) != 1:
        return ()
    try:
        return (urlsplit(f"//{named[0]}").hostname or "",)
    except ValueError:
        return ()


class _Logged:
    """Writes a line for each request: method, path, status and address, and never a query."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                client = scope.get("client") or ("-", 0)
                _log.info(
                    "method=%s path=%r status=%s address=%s",
                    scope["method"],
                    path[:100],
                    message["status"],
                    client[0],
                )
            await send(message)

        # Mounting changes what the scope says of the path.
        path = str(scope.get("path", ""))
        await self.app(scope, receive, send_logged)
