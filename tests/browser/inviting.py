"""An invitation over HTTP: its link, the two questions of its page, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

Invite = Callable[..., dict[str, Any]]
OURS = {"X-Xero-Page": "1", "Sec-Fetch-Site": "same-origin"}


def ask(client: httpx.Client, question: str, token: str, **headers: str) -> httpx.Response:
    return client.post(
        f"/xero/invitation/{question}", json={"token": token}, headers={**OURS, **headers}
    )


def token_of(invitation: dict[str, Any]) -> str:
    return str(urlsplit(invitation["url"]).fragment)


def state_of(warehouse: Any) -> Any:
    return warehouse.execute(
        "select used_at is not null, used_by_email, revoked_at is not null"
        " from xero_ops.invitations"
    ).fetchone()
