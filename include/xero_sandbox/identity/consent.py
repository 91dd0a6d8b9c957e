"""Log in and consent: the pages a person meets between the app and its callback.

Knows when to ask for a login, what a request to authorize must hold, and where the answer goes.
The looks are those of `pages.py`. What is wrong with the app (client, redirect URI, scope) is
shown as a page, since going back to it would not be safe; what the person decides goes back.
Follows Xero's "Standard authorization code flow".
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from xero_sandbox.control.misbehaving import Endpoint, open_to_faults
from xero_sandbox.errors import ConsentPageError
from xero_sandbox.identity.forms import first, read_form
from xero_sandbox.identity.permits import Session
from xero_sandbox.identity.scopes import SCOPES_IN_WORDS
from xero_sandbox.pages import Choice, consent_page, login_page
from xero_sandbox.world import World

COOKIE = "xero_sandbox_session"
PASSWORD = "sandbox"
_AUTHORIZE = "/identity/connect/authorize"
_LOGIN = "/identity/login"
_PENDING_PAGES = 1000
_PEOPLE_OFFERED = 12
# The length of a SHA-256 in base64url.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_FULL = (
    "This app has reached the number of connections that its tier allows. "
    "Disconnect an organisation first, or move the app to a higher tier."
)


@dataclass(frozen=True)
class AuthorizeRequest:
    """A request to authorize that was found in order. `url` is its own path and query."""

    url: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None
    nonce: str | None
    one_only: bool

    def back(self, **answer: str) -> str:
        """The callback with an answer, and the app's `state` beside it."""
        fields = answer | ({} if self.state is None else {"state": self.state})
        mark = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{mark}{urlencode(fields)}"


def authorize_request(world: World, query: Mapping[str, str], url: str) -> AuthorizeRequest:
    """Check a request to authorize. Raises ConsentPageError for what the app did wrong."""
    app = world.app
    if query.get("client_id") != app.client_id:
        raise ConsentPageError("unauthorized_client", "Unknown client or client not enabled")
    redirect_uri = query.get("redirect_uri", "")
    if not app.accepts(redirect_uri):
        raise ConsentPageError("unauthorized_client", "Invalid redirect_uri")
    if query.get("response_type") != "code":
        raise ConsentPageError("unsupported_response_type", "Response type not supported")
    scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
    if not scopes or not world.allowed_scopes().issuperset(scopes):
        raise ConsentPageError("invalid_scope", "Invalid scope for client")
    challenge = query.get("code_challenge") or None
    if challenge is not None and query.get("code_challenge_method") != "S256":
        raise ConsentPageError("invalid_request", "Transform algorithm not supported")
    if challenge is not None and _CHALLENGE.fullmatch(challenge) is None:
        raise ConsentPageError("invalid_request", "Invalid code_challenge")
    return AuthorizeRequest(
        url=url,
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=query.get("state"),
        challenge=challenge,
        nonce=query.get("nonce"),
        # Several organisations in one pass are for the Advanced tier, unless it does not want to.
        one_only=not world.tier.is_premium
        or "bulk_connect:false" in query.get("acr_values", "").split(),
    )


class ConsentDoor:
    """The routes of login and consent, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        # Consent pages that were shown and not answered: id → request and the session's cookie.
        self._pending: OrderedDict[str, tuple[AuthorizeRequest, str]] = OrderedDict()

    def routes(self) -> list[Route]:
        """Login, logout, authorize and consent."""
        pages: list[tuple[str, str, Endpoint]] = [
            ("GET", _AUTHORIZE, self.authorize),
            ("GET", _LOGIN, self.show_login),
            ("POST", _LOGIN, self.log_in),
            ("GET", "/identity/logout", self.log_out),
            ("POST", "/identity/consent", self.decide),
        ]
        return [
            Route(path, open_to_faults(self._world, endpoint), methods=[method])
            for method, path, endpoint in pages
        ]

    async def authorize(self, request: Request) -> Response:
        """Where the app sends the browser: login first, if nobody is logged in; then consent."""
        url = f"{_AUTHORIZE}?{request.url.query}"
        wanted = authorize_request(self._world, request.query_params, url)
        session = self._session(request)
        if session is None:
            return RedirectResponse(_with_return(_LOGIN, url), 302)
        return self._consent(wanted, session, request.cookies[COOKIE])

    async def show_login(self, request: Request) -> Response:
        """Ask who is there."""
        return self._login(request.query_params.get("return_url", "/"))

    async def log_in(self, request: Request) -> Response:
        """Check email and password, or take the demo person whose button was pressed."""
        form = await read_form(request)
        return_url = first(form, "return_url") or "/"
        email = first(form, "as") or first(form, "email") or ""
        knows = first(form, "as") is not None or first(form, "password") == PASSWORD
        email = next((known for known in self._world.grants.users if same(known, email)), "")
        if not (email and knows):
            return self._login(return_url, "Your email address or password is not right.")
        response = RedirectResponse(_local(return_url), 303)
        response.set_cookie(
            COOKIE,
            self._world.grants.log_in(email),
            path="/identity",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def log_out(self, request: Request) -> Response:
        """Forget the session, and ask again."""
        self._world.grants.log_out(request.cookies.get(COOKIE, ""))
        return_url = _local(request.query_params.get("return_url", "/"))
        response = RedirectResponse(_with_return(_LOGIN, return_url), 302)
        response.delete_cookie(COOKIE, path="/identity")
        return response

    async def decide(self, request: Request) -> Response:
        """Take the person's decision back to the app."""
        form = await read_form(request)
        wanted, secret = self._pending.get(first(form, "consent_id") or "", (None, ""))
        session = self._session(request)
        if wanted is None or session is None or request.cookies[COOKIE] != secret:
            raise ConsentPageError(
                "invalid_request", "This page is too old: start again in the app"
            )
        if first(form, "decision") != "allow":
            self._pending.pop(first(form, "consent_id") or "")
            return RedirectResponse(wanted.back(error="access_denied"), 303)
        owned = self._world.grants.users[session.email].organisations
        chosen = [key for key in form.get("tenant_id", []) if key in owned]
        if not chosen or (wanted.one_only and len(chosen) > 1):
            return self._consent(wanted, session, secret, "Choose an organisation first.")
        if self._is_full(session, chosen):
            return self._consent(wanted, session, secret, _FULL)
        self._pending.pop(first(form, "consent_id") or "")
        return RedirectResponse(self._allow(wanted, session, chosen), 303)

    def _is_full(self, session: Session, chosen: list[str]) -> bool:
        """Whether the app may not have as many connections; those that work already count once."""
        left = self._world.connections_left()
        known = self._world.grants.connection
        new = [tenant_id for tenant_id in chosen if known(session.email, tenant_id) is None]
        return left is not None and len(new) > left

    def _allow(self, wanted: AuthorizeRequest, session: Session, chosen: list[str]) -> str:
        code = self._world.grants.allow(
            session,
            chosen,
            scopes=wanted.scopes,
            redirect_uri=wanted.redirect_uri,
            challenge=wanted.challenge,
            nonce=wanted.nonce,
        )
        return wanted.back(
            code=code,
            scope=" ".join(wanted.scopes),
            session_state=f"{secrets.token_urlsafe(32)}.{secrets.token_hex(16)}",
        )

    def _session(self, request: Request) -> Session | None:
        return self._world.grants.session(request.cookies.get(COOKIE, ""))

    def _login(self, return_url: str, problem: str = "") -> Response:
        people = [
            (user.email, user.full_name)
            for user in islice(self._world.grants.users.values(), _PEOPLE_OFFERED)
        ]
        return HTMLResponse(login_page(_local(return_url), people, problem))

    def _consent(self, wanted: AuthorizeRequest, session: Session, *rest: str) -> Response:
        secret, problem = (*rest, "")[:2]
        consent_id = secrets.token_urlsafe(16)
        self._pending[consent_id] = (wanted, secret)
        if len(self._pending) > _PENDING_PAGES:
            self._pending.popitem(last=False)
        user = self._world.grants.users[session.email]
        connected = {each.tenant_id for each in self._world.grants.live(session.email)}
        named = self._world.names(user.organisations)
        choices = [
            Choice(key, name, key in connected, is_chosen=len(named) == 1) for key, name in named
        ]
        page = consent_page(
            consent_id=consent_id,
            app_name=self._world.app.name,
            person=f"{user.full_name} ({user.email})",
            choices=choices,
            scopes=[SCOPES_IN_WORDS[scope] for scope in wanted.scopes],
            one_only=wanted.one_only,
            switch_url=_with_return("/identity/logout", wanted.url),
            problem=problem,
        )
        return HTMLResponse(page)


def same(known: str, typed: str) -> bool:
    """Whether two email addresses are the same to Xero."""
    return known.casefold() == typed.strip().casefold()


def _with_return(path: str, return_url: str) -> str:
    return f"{path}?{urlencode({'return_url': return_url})}"


def _local(url: str) -> str:
    """The URL if it leads to the page that asked for a login, else the start page."""
    return url if url.startswith(f"{_AUTHORIZE}?") else "/"
