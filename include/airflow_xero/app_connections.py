"""The app's connections as Xero counts them: ending one, and the app's own look at all of them.

Knows Xero's identity protocol over HTTP and stores nothing. Must not know Postgres or Airflow.
Source: https://developer.xero.com/documentation/guides/oauth2/tenants
"""

from __future__ import annotations

import httpx

from airflow_xero.answers import error_of
from airflow_xero.errors import UnexpectedPayloadError
from airflow_xero.oauth import XeroApp, unreachable

_SCOPE = "app.connections"
_ENDED = (httpx.codes.NO_CONTENT, httpx.codes.OK, httpx.codes.NOT_FOUND)
_NOT_FOR_THIS_APP = (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


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
        return str(response.json()["access_token"])
    except (ValueError, KeyError, TypeError):
        raise UnexpectedPayloadError(
            "Xero's answer is not the token as documented; please report it",
            status=response.status_code,
        ) from None
