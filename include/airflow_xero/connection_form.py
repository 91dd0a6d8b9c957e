"""What a person typed into the form of the `xero` connection, and whether Xero takes it.

Knows the form's fields, and names each as the form does. Must not import Airflow, nor know the
warehouse or who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from airflow_xero import oauth
from airflow_xero.errors import ConsentLostError, XeroError, XeroSetupError
from airflow_xero.oauth import XeroApp
from airflow_xero.provider_info import FIELD_DEFAULTS, FIELD_LABELS


def fields_of(extra: Mapping[str, Any]) -> dict[str, str]:
    """The form's own fields from a connection's extra; those left empty take their defaults."""
    return {
        name: (extra.get(name) or "").strip() or default for name, default in FIELD_DEFAULTS.items()
    }


def app_of(
    conn_id: str, fields: Mapping[str, str], *, login: str | None, password: str | None
) -> XeroApp:
    """The app that a connection describes; `fields` as `fields_of` gives them.

    Raises XeroSetupError naming the connection and the field that is missing or wrong.
    """
    return XeroApp(
        conn_id=conn_id,
        client_id=_required(conn_id, login, field="login"),
        client_secret=_required(conn_id, password, field="password"),
        redirect_uri=fields["redirect_uri"],
        scopes=tuple(fields["scopes"].split()),
        api_url=fields["api_url"],
        identity_url=fields["identity_url"],
        login_url=fields["login_url"],
    )


def try_credentials(app: XeroApp, *, http: httpx.Client, now: datetime) -> None:
    """Ask Xero whether it knows the app; raises XeroSetupError naming the field at fault."""
    # Xero checks the client before the token: refusing the token means the client is known.
    try:
        oauth.refresh(app, "a-token-that-xero-cannot-know", http=http, now=now)
    except ConsentLostError:
        return
    except XeroSetupError as error:
        raise XeroSetupError(
            f"Xero refuses {FIELD_LABELS['login']!r} or {FIELD_LABELS['password']!r}:"
            f" {error.message}"
        ) from None
    except XeroError as error:
        raise XeroSetupError(
            f"{FIELD_LABELS['identity_url']!r} {app.identity_url} does not answer as Xero"
            f" does: {error.message}"
        ) from None


def try_api_host(app: XeroApp, *, http: httpx.Client) -> None:
    """Raise XeroSetupError, naming the field, where nobody answers at the API's address."""
    try:
        http.get(f"{app.api_url}/connections")
    except httpx.HTTPError as error:
        raise XeroSetupError(
            f"{FIELD_LABELS['api_url']!r} {app.api_url} cannot be reached: {error}"
        ) from None


def _required(conn_id: str, value: str | None, *, field: str) -> str:
    if value and value.strip():
        return value.strip()
    raise XeroSetupError(
        f"{FIELD_LABELS[field]!r} of the Airflow connection {conn_id!r} is empty:"
        " copy it from developer.xero.com, My Apps, Configuration"
    )
