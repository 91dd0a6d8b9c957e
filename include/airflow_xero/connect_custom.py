"""Connecting the one organisation of a Custom Connection, for which no person consents at Xero.

The app's own credentials open it, as often as wanted. Must not know Airflow, web frameworks, or how
a person connects.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import psycopg

from airflow_xero import oauth
from airflow_xero.audit import Actor
from airflow_xero.errors import XeroError, XeroSetupError
from airflow_xero.identity import XeroUser
from airflow_xero.oauth import XeroApp
from airflow_xero.reaching import Connected, Reached, organisations_of, refuse, store, told
from airflow_xero.tokens import TokenStore
from airflow_xero.warehouse import require_idle


def connect_custom(
    app: XeroApp,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    actor: Actor,
    now: datetime,
) -> list[Connected]:
    """Connect the one organisation of a Custom Connection, with the app's own credentials.

    Doing it again is safe. Raises XeroSetupError, and whatever Xero's answers mean.
    """
    require_idle(warehouse)
    if not app.is_custom:
        raise XeroSetupError(
            f"The Airflow connection {app.conn_id} is of an app for people, who connect by the "
            "page Xero; choose custom as its kind if it is a Custom Connection"
        )
    try:
        granted = oauth.client_credentials(app, http=http, now=now)
        listed = organisations_of(app, granted.access_token, http=http)
        if not listed:
            raise XeroSetupError(
                "This Custom Connection reaches no organisation: its owner must authorise it with "
                "the link that Xero sent, see developer.xero.com, My Apps"
            )
        # Grants belong to users; the app is its own.
        user = XeroUser(str(uuid5(NAMESPACE_URL, app.client_id)), "Custom Connection")
        grant_id = tokens.save(user, granted, connected_by=actor.name)
    except XeroError as error:
        refuse(warehouse, actor, reason=error.message)
        raise
    reached = Reached(listed, kept=(), others=())
    store(warehouse, reached, app=app, grant_id=grant_id, now=now, actor=actor)
    return told(listed, ())
