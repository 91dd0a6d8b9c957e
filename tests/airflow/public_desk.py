"""A desk that says what a test wants it to, and a browser that visits the public room before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_xero.connect import Begun, Connected, Finished
from airflow_xero.errors import XeroError
from airflow_xero.invitations import HANDOVER_TIME, Invited
from airflow_xero.scope_choices import choices_of
from airflow_xero.web.notices import Hindered
from airflow_xero.web.public import public_router
from airflow_xero.web.thanks import Reading
from airflow_xero.web.visitors import HANDED_OVER, INVITED, consent_cookie

Visit = Callable[..., Any]
NOW = datetime(2026, 11, 20, tzinfo=UTC)
KAURI = Connected("1", "Kauri")
OURS = {"X-Xero-Page": "1"}
STATE = f"{'s' * 43}.{'x' * 22}"
MINE = {consent_cookie(STATE): "c" * 43}
INVITEE = {consent_cookie(STATE): f"{INVITED}{'c' * 43}"}
HANDED = {consent_cookie(STATE): f"{HANDED_OVER}{'c' * 43}"}
OWN = "own"
"""The link of a user of Airflow who was handed over; any other is an invitation."""

CALLBACK = f"/xero/callback?state={STATE}&code=c"


class Desk:
    """Says what a test wants it to, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []
        self.reading: Reading = "at_once"

    def _said(self, *asked: Any) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, XeroError):
            raise self.answer
        return self.answer

    def finish(self, **asked: Any) -> tuple[Finished, Reading]:
        said = self._said(asked)
        return said if isinstance(said, Finished) else Finished(tuple(said)), self.reading

    def abandon(self, **asked: Any) -> None:
        self._said(asked)

    def is_own(self, token: str) -> bool:
        return token == OWN

    def look(self, token: str) -> Any:
        self._said(token)
        invited = Invited(
            invitation_id="i",
            invited_by="ada " * 100,
            note="<b>",
            scopes=[],
            created_at=NOW,
            expires_at=NOW + (HANDOVER_TIME if token == OWN else timedelta(1)),
            used_at=None,
            used_by_email=None,
            revoked_at=None,
            revoked_by=None,
            state="open",
        )
        return invited, choices_of(["accounting.budgets.read"])

    def begin_invited(self, token: str, *, is_sure: bool, address: str | None) -> Begun:
        self._said(token, is_sure)
        if isinstance(self.answer, Hindered) and not is_sure:
            raise self.answer
        return Begun("https://xero.example", "s1", "invited.cookie", is_secure=True)


def visit_public(path: str, *, answer: Any = (KAURI,), home: Any = None, **request: Any) -> Any:
    """Ask the public room for a path; `answer` is what its desk says."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from airflow_xero.web.notices import ProtectiveHeaders

    pages, root = FastAPI(redirect_slashes=False), FastAPI()
    pages.add_middleware(ProtectiveHeaders)
    desk = answer if isinstance(answer, Desk) else Desk(answer)
    budgets = {name: request.pop(name, None) for name in ("budget", "files")}
    airflow_page = request.pop("airflow_page", None)
    pages.include_router(public_router(desk, home=home, airflow_page=airflow_page, **budgets))
    root.mount("/xero", pages)
    cookies, method = request.pop("cookies", {}), request.pop("method", "GET")
    with TestClient(root, follow_redirects=False, cookies=cookies) as client:
        return client.request(method, path, **request)
