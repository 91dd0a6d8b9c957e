"""What a person typed into the form of the `xero` connection, and whether Xero takes it.

Knows the form's fields, and names each as the form does. Must not import Airflow, nor know the
warehouse or who asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from airflow_xero import oauth
from airflow_xero.consent_page import try_authorize
from airflow_xero.errors import ConsentLostError, UnavailableError, XeroError, XeroSetupError
from airflow_xero.oauth import XeroApp
from airflow_xero.provider_info import APP_KINDS, FIELD_DEFAULTS, FIELD_LABELS
from airflow_xero.scope_choices import expanded
from airflow_xero.tiers import CONNECTIONS

# Tokens are renewed five minutes before their end; less than that does no harm.
_CLOCKS_APART = timedelta(minutes=2)


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
        scopes=expanded(fields["scopes"]),
        api_url=fields["api_url"],
        identity_url=fields["identity_url"],
        login_url=fields["login_url"],
        is_custom=_one_of(conn_id, fields, field="app_kind", known=APP_KINDS) == "custom",
        tier=_one_of(conn_id, fields, field="tier", known=("", *CONNECTIONS)),
    )


def try_app(app: XeroApp, *, http: httpx.Client, now: datetime) -> None:
    """Ask Xero about everything that the form says of the app; `now` (aware) is this machine's.

    Raises XeroSetupError in words, naming the field at fault: an address, the clock, client id or
    secret, redirect URI, a scope; UnavailableError.
    """
    try_api_host(app, http=http, now=now)
    if app.is_custom:
        oauth.client_credentials(app, http=http, now=now)
        return
    try_credentials(app, http=http, now=now)
    try:
        try_authorize(app, http=http)
    except UnavailableError as error:
        raise XeroSetupError(
            f"{FIELD_LABELS['login_url']!r} {app.login_url} cannot be reached: {error.message}"
        ) from None


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


def try_api_host(app: XeroApp, *, http: httpx.Client, now: datetime) -> None:
    """Raise XeroSetupError where nobody answers at the API's address, or tells another time."""
    try:
        answer = http.get(f"{app.api_url}/connections")
    except httpx.HTTPError as error:
        raise XeroSetupError(
            f"{FIELD_LABELS['api_url']!r} {app.api_url} cannot be reached: {error}"
        ) from None
    _require_same_time(answer.headers.get("Date"), now)


def _require_same_time(sent: str | None, now: datetime) -> None:
    try:
        apart = now - parsedate_to_datetime(sent or "")
    except (ValueError, TypeError):
        return
    if abs(apart) > _CLOCKS_APART:
        way = "ahead of" if apart > timedelta() else "behind"
        raise XeroSetupError(
            f"This machine's clock is {abs(apart) // timedelta(minutes=1)} minutes {way} Xero's:"
            " set it, for example with NTP, or tokens end before or after their time and consents"
            " are refused"
        )


def _one_of(conn_id: str, fields: Mapping[str, str], *, field: str, known: Sequence[str]) -> str:
    value = fields[field].lower()
    if value in known:
        return value
    raise XeroSetupError(
        f"{FIELD_LABELS[field]!r} of the Airflow connection {conn_id!r} is {value[:40]!r}:"
        f" choose one of {', '.join(filter(None, known))}"
    )


def _required(conn_id: str, value: str | None, *, field: str) -> str:
    if value and value.strip():
        return value.strip()
    raise XeroSetupError(
        f"{FIELD_LABELS[field]!r} of the Airflow connection {conn_id!r} is empty:"
        " copy it from developer.xero.com, My Apps, Configuration"
    )
