"""The browser of a person under way: its address, and the cookie that binds a consent to it.

Knows cookies and requests. Must not import Airflow, nor know what a consent is.
"""

from __future__ import annotations

import hashlib

from fastapi import Request
from fastapi.responses import Response

from airflow_xero.authorisations import CONSENT_TIME
from airflow_xero.connect import Begun

INVITED = "invited."
"""How the cookie of somebody begins who came by an invitation; the whole of it is compared."""


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
