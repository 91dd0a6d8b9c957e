"""The pages of somebody who was invited: what they are asked for, and off to Xero.

The secret of the link is behind the `#` of its address, which a browser sends to nobody; the
page's script reads it, clears the address, and sends it in the body of its two questions. Must
not import Airflow, nor know how invitations are kept: that is handed in.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from airflow_xero.connect import Begun
from airflow_xero.errors import XeroError
from airflow_xero.invitations import Invited
from airflow_xero.scope_choices import Choice, are_read_only
from airflow_xero.web.limiting import RequestBudget
from airflow_xero.web.notices import Hindered, ending_of, shortened, too_many
from airflow_xero.web.visitors import address_of, bind, is_from_our_page, mount

_MOST_BYTES = 2048
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class InvitationDesk(Protocol):
    """What can be done with the secret of an invitation; raises XeroError."""

    def is_own(self, token: str) -> bool:
        """Whether a user of Airflow made the link for themselves; raises nothing."""

    def look(self, token: str) -> tuple[Invited, Sequence[Choice]]:
        """The invitation, if it can still be used, and what it asks for."""

    def begin_invited(self, token: str, *, is_sure: bool, address: str | None) -> Begun:
        """Begin the consent that it is for; `address` is the person's, for the audit.

        Raises Hindered for what the person may know better, unless they are sure.
        """


def invited_router(desk: InvitationDesk, budget: RequestBudget) -> APIRouter:
    """`GET /invitation`, and the two questions of its script: open to all, and safe to be."""
    router = APIRouter()

    @router.get("/invitation")
    def invitation(request: Request) -> Response:
        """The page behind every link; which one it is, only its script knows."""
        if wait := budget.wait_seconds(address_of(request)):
            return too_many(request, wait)
        base = mount(request).rstrip("/")
        page = _PAGE.replace("{base}", html.escape(base))
        return HTMLResponse(page, headers={"content-security-policy": _POLICY})

    @router.post("/invitation/look")
    def look(request: Request, asked: Annotated[_Asked, Depends(_asked_of)]) -> Response:
        """Who invites, and to what."""
        return _answered(request, asked, lambda: JSONResponse(_as_json(*desk.look(asked.token))))

    @router.post("/invitation/begin")
    def begin(request: Request, asked: Annotated[_Asked, Depends(_asked_of)]) -> Response:
        """The address of Xero's page, and the cookie that binds the consent to this browser."""

        def begun() -> Response:
            one = desk.begin_invited(
                asked.token, is_sure=asked.is_sure, address=address_of(request)
            )
            answer = JSONResponse({"url": one.url})
            bind(answer, one, request)
            return answer

        return _answered(request, asked, begun)

    def _answered(request: Request, asked: _Asked, answer: Callable[[], Response]) -> Response:
        if wait := budget.wait_seconds(address_of(request)):
            return JSONResponse(
                {"title": "Too many requests", "message": "Please wait a minute and try again."},
                status_code=429,
                headers={"retry-after": str(wait)},
            )
        try:
            return answer()
        except Hindered as hindrance:
            ending = hindrance.told(is_invited=not desk.is_own(asked.token))
            told = {"title": ending.title, "message": ending.message, "may_go_on": True}
            return JSONResponse(told, status_code=ending.status)
        except XeroError as error:
            ending = ending_of(error, is_invited=not desk.is_own(asked.token))
            told = {"title": ending.title, "message": ending.message}
            return JSONResponse(told, status_code=ending.status)

    return router


@dataclass(frozen=True)
class _Asked:
    """What the page's script sent: the secret of its link, and whether the person is sure."""

    token: str = field(repr=False)
    is_sure: bool


async def _asked_of(request: Request) -> _Asked:
    """What our own page sent; answers 403 to forms and links of other sites."""
    if not is_from_our_page(request):
        raise HTTPException(403, "Open the invitation link in your browser.")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, "That is no invitation.")
    try:
        sent = json.loads(body)
        token, is_sure = sent["token"], sent.get("sure") is True
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        token, is_sure = None, False
    if not isinstance(token, str) or not token.isascii():
        raise HTTPException(400, "That is no invitation.")
    return _Asked(token, is_sure)


def _as_json(invited: Invited, choices: Sequence[Choice]) -> dict[str, Any]:
    asked = [scope for one in choices for scope in one.scopes]
    return {
        "is_read_only": are_read_only(asked),
        "invited_by": shortened(invited.invited_by),
        "is_own": invited.is_own,
        "note": invited.note,
        "expires_at": invited.expires_at.isoformat(),
        "choices": [
            {"label": one.label, "description": one.description, "scopes": one.scopes}
            for one in choices
            if one.is_offered
        ],
    }


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Connect your organisation · Xero</title>
<link rel="stylesheet" href="{base}/static/notice.css">
<script src="{base}/static/invitation.js" type="module"></script>
</head>
<body>
<main class="plain" id="main" aria-live="polite">
<span class="mark" aria-hidden="true"></span>
<h1 id="title">One moment…</h1>
<p id="message">Your invitation is being read.</p>
<noscript><p>This page needs JavaScript to read your invitation.</p></noscript>
<div id="invitation" hidden>
<blockquote id="note" hidden></blockquote>
<p>This is what will be read. <span id="promise"></span> You can end the access at any time in
Xero, under Connected apps.</p>
<ul id="choices"></ul>
<details><summary>The exact scopes</summary><p id="scopes"></p></details>
<button id="go" type="button">Continue to Xero</button>
<p class="small" id="expires"></p>
</div>
<button id="anyway" type="button" hidden>Go on to Xero all the same</button>
</main>
</body>
</html>
"""
