"""The browser of a person under way: its address, the cookie that binds a consent, what it sends.

Knows cookies and requests. Must not import Airflow, nor know what a consent is.
"""

from __future__ import annotations

import hashlib
import re

from fastapi import Request
from fastapi.responses import Response

from airflow_xero.authorisations import CONSENT_TIME
from airflow_xero.connect import Begun

INVITED = "invited."
"""How the cookie of somebody begins who came by an invitation; the whole of it is compared."""

HANDED_OVER = "handed."
"""The same of a user of Airflow who was handed over from its page at another address."""

PAGE_HEADER = "x-xero-page"
"""What our own scripts send with every change, and no form or link of another site can."""

_RANDOM = "[A-Za-z0-9_-]{43}"
_STATE = re.compile(rf"{_RANDOM}\.[A-Za-z0-9_-]{{22}}")
_COOKIE = re.compile(rf"(?:{re.escape(INVITED)}|{re.escape(HANDED_OVER)})?{_RANDOM}")


def is_from_our_page(request: Request) -> bool:
    """Whether our own script sent a change: the cookies alone are not enough.

    A form or link of another site can neither send JSON nor a header of its own, and a browser says
    where a request comes from.
    """
    return (
        request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        and request.headers.get(PAGE_HEADER) == "1"
        and request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    )


def is_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site leads here; a typed address is the person's own."""
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def may_be_ours(state: str, cookie: str) -> bool:
    """Whether a state and its cookie look as we make them: what does not is worth no question."""
    return bool(_STATE.fullmatch(state) and _COOKIE.fullmatch(cookie))


def consent_cookie(state: str) -> str:
    """The name of the cookie that binds a consent to its browser: one each, so tabs may race."""
    return "xero_consent_" + hashlib.sha256(state.encode()).hexdigest()[:16]


def bind(answer: Response, begun: Begun, request: Request) -> None:
    """Give the browser the cookie without which the consent cannot be completed."""
    answer.set_cookie(
        consent_cookie(begun.state),
        begun.browser_cookie,
        max_age=int(CONSENT_TIME.total_seconds()),
        path=mount(request),
        # Where Xero sends the browser back decides; a proxy may hide https from us.
        secure=begun.is_secure,
        httponly=True,
        samesite="lax",
    )


def unbind(answer: Response, state: str, request: Request) -> None:
    """Take the cookie away again."""
    answer.delete_cookie(consent_cookie(state), path=mount(request))


def mount(request: Request) -> str:
    """The path under which these pages are served, `/xero` unless Airflow has a base path."""
    return str(request.scope.get("root_path", "")) or "/"


def address_of(request: Request) -> str | None:
    """From where it is asked: the peer, or whom a trusted proxy named."""
    return request.client.host if request.client else None
