"""The app's connections as Xero counts them: listed, ended one by one, all of them for the app.

Knows Xero's identity protocol over HTTP and stores nothing. Must not know Postgres or Airflow.
Source: https://developer.xero.com/documentation/guides/oauth2/tenants
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from airflow_xero.answers import error_of, storable
from airflow_xero.oauth import XeroApp, answer_of, unexpected, unreachable

_SCOPE = "app.connections"
_ENDED = (httpx.codes.NO_CONTENT, httpx.codes.OK, httpx.codes.NOT_FOUND)
_NOT_FOR_THIS_APP = (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


@dataclass(frozen=True)
class Connection:
    """One organisation (or practice) that a user's consent reaches, as Xero lists it."""

    connection_id: str
    auth_event_id: str | None
    tenant_id: str
    tenant_type: str
    tenant_name: str


def connections(
    app: XeroApp, access_token: str, *, http: httpx.Client, auth_event_id: str | None = None
) -> list[Connection]:
    """The organisations this access token reaches, or only those of one consent.

    Raises ConsentLostError when the token is refused, UnavailableError, UnexpectedPayloadError.
    """
    try:
        response = http.get(
            f"{app.api_url}/connections",
            params={"authEventId": auth_event_id} if auth_event_id else {},
            headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
        )
    except httpx.RequestError as error:
        raise unreachable(app.api_url, error) from None
    if response.status_code != httpx.codes.OK:
        raise error_of(response)
    listed = answer_of(response)
    if not isinstance(listed, list):
        raise unexpected(response, "the list of connections")
    try:
        return [_connection(entry) for entry in listed]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise unexpected(response, "the list of connections") from None


def delete_connection(
    app: XeroApp, access_token: str, connection_id: str, *, http: httpx.Client
) -> None:
    """End a connection at Xero; one that is gone already is no error.

    The token goes on living. Raises ConsentLostError when it is refused, UnavailableError.
    """
    try:
        response = http.delete(
            f"{app.api_url}/connections/{connection_id}",
            headers={"Authorization": f"Bearer {access_token}", "Accept": "application/json"},
        )
    except httpx.RequestError as error:
        raise unreachable(app.api_url, error) from None
    if response.status_code not in _ENDED:
        raise error_of(response)


def app_token(app: XeroApp, *, http: httpx.Client) -> str | None:
    """A token of the app itself that lists and ends connections of every user, or None.

    Xero gives it without any user, but not to every app: None then. Raises UnavailableError,
    UnexpectedPayloadError.
    """
    try:
        response = http.post(
            f"{app.identity_url}/connect/token",
            data={"grant_type": "client_credentials", "scope": _SCOPE},
            auth=httpx.BasicAuth(app.client_id, app.client_secret),
            headers={"Accept": "application/json"},
        )
    except httpx.RequestError as error:
        raise unreachable(app.identity_url, error) from None
    if response.status_code in _NOT_FOR_THIS_APP:
        return None
    if response.status_code != httpx.codes.OK:
        raise error_of(response)
    try:
        return str(answer_of(response)["access_token"])
    except (KeyError, TypeError):
        raise unexpected(response, "the token") from None


def _connection(entry: Mapping[str, Any]) -> Connection:
    auth_event_id = entry.get("authEventId")
    tenant_id = str(UUID(entry["tenantId"]))
    # Practices and long-gone trials come without a name.
    name = str(entry.get("tenantName") or tenant_id)
    return Connection(
        connection_id=str(UUID(entry["id"])),
        auth_event_id=str(UUID(auth_event_id)) if auth_event_id else None,
        tenant_id=tenant_id,
        tenant_type=str(entry["tenantType"]),
        tenant_name=storable(name),
    )
