"""Disconnecting an organisation: at Xero first, then here; its data stay.

The order is Xero's: the connection is deleted with a living token, and only when it was the last
that the user's consent reached is the consent itself revoked, since a revocation ends every
connection of that user. Must not know Airflow, nor how tokens are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg
from psycopg.rows import class_row

from airflow_xero import app_connections
from airflow_xero.app_connections import app_token, delete_connection
from airflow_xero.audit import Actor, record
from airflow_xero.errors import (
    ConsentLostError,
    NotConnectedError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import AccessToken, TokenStore
from airflow_xero.warehouse import first_column, require_idle, warehouse_errors


@dataclass(frozen=True)
class Disconnected:
    """What a disconnection ended: connections here, and consents that reached nothing else.

    `left_at_xero` are connections that nobody could end at Xero, because their user's consent was
    lost: they count against the app's cap until their user ends them there.
    """

    connections: int
    left_at_xero: int
    revoked: int


@dataclass(frozen=True)
class _Live:
    """A connection that is open here."""

    connection_id: str
    grant_id: str


def disconnect(
    app: XeroApp,
    tenant_id: str,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    actor: Actor,
    now: datetime,
) -> Disconnected:
    """End every user's connection to the organisation; what was read stays.

    Doing it again is safe: what ended is not ended twice. Where Xero does not answer nothing is
    changed here. A consent that cannot be revoked at the moment is revoked by the next purge.
    Raises NotConnectedError when no connection is open, UnavailableError, XeroSetupError.
    """
    require_idle(warehouse)
    live = _live(warehouse, app.conn_id, tenant_id)
    if not live:
        raise NotConnectedError("This organisation is not connected (any more): reload the page")
    try:
        ended = [_end_at_xero(app, each, tokens=tokens, http=http) for each in live]
    except XeroError as error:
        _record(warehouse, tenant_id, f"failed: {type(error).__name__}", actor=actor)
        raise
    gone = [each for each, is_ended in zip(live, ended, strict=True) if is_ended]
    revoked = _close(warehouse, live, gone, app=app, tokens=tokens, http=http, now=now)
    done = Disconnected(len(live), ended.count(False), revoked)
    _record(warehouse, tenant_id, "disconnected", actor=actor, detail=vars(done))
    return done


def leave(
    app: XeroApp,
    tenant_id: str,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    actor: Actor,
    now: datetime,
) -> None:
    """Disconnect, if it is connected, and revoke what then reaches nothing; nothing may be left.

    Raises XeroSetupError where another app is connected to it, too; UnavailableError.
    """
    values = {"tenant_id": tenant_id, "conn_id": app.conn_id}
    others = first_column(warehouse, _OTHER_APPS, values)
    if others:
        raise XeroSetupError(
            f"The organisation is connected by the Airflow connection {others[0]!r}, too:"
            " disconnect it there first",
            tenant_id=tenant_id,
        )
    with suppress(NotConnectedError):
        disconnect(
            app, tenant_id, warehouse=warehouse, tokens=tokens, http=http, actor=actor, now=now
        )
    # Once more for those that could not be revoked then.
    for grant_id in first_column(warehouse, _GRANTS_TO_REVOKE, values):
        revoke_if_unused(app, grant_id, tokens=tokens, http=http, now=now)


def revoke_if_unused(
    app: XeroApp, grant_id: str, *, tokens: TokenStore, http: httpx.Client, now: datetime
) -> bool:
    """Revoke a consent that reaches nothing at Xero any more; whether it was revoked.

    Xero is asked while the grant is locked: what the user connected since, also by another
    program of the same app, keeps the consent. Raises UnavailableError, XeroSetupError.
    """

    def reaches_nothing(token: AccessToken) -> bool:
        return not app_connections.connections(app, token.value, http=http)

    try:
        tokens.fresh(grant_id, now=now)
        return tokens.revoke_if(grant_id, reaches_nothing)
    except (ConsentLostError, NotConnectedError):
        return False


def _end_at_xero(app: XeroApp, live: _Live, *, tokens: TokenStore, http: httpx.Client) -> bool:
    """Whether Xero ended the connection, by its user's token or the app's own."""
    try:
        token: str | None = tokens.fresh(live.grant_id).value
    except (ConsentLostError, NotConnectedError):
        token = app_token(app, http=http)
    if token is None:
        return False
    tokens.keep_secret(token)
    try:
        delete_connection(app, token, live.connection_id, http=http)
    except ConsentLostError:
        # The user took it back at Xero meanwhile, and with it the connection.
        return False
    return True


def _close(
    warehouse: psycopg.Connection[Any],
    live: Sequence[_Live],
    gone: Sequence[_Live],
    *,
    app: XeroApp,
    tokens: TokenStore,
    http: httpx.Client,
    now: datetime,
) -> int:
    """Close the connections here, `gone` are ended at Xero; then revoke what reaches nothing.

    How many consents were revoked.
    """
    values = {
        "now": now,
        "live": [each.connection_id for each in live],
        "gone": [each.connection_id for each in gone],
    }
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(_CLOSE, values)
    revoked = 0
    for grant_id in sorted({each.grant_id for each in live}):
        try:
            revoked += revoke_if_unused(app, grant_id, tokens=tokens, http=http, now=now)
        except XeroError:
            # It is ended already; what is left of the consent is the next purge's.
            continue
    return revoked


def _record(
    warehouse: psycopg.Connection[Any],
    tenant_id: str,
    outcome: str,
    *,
    actor: Actor,
    detail: Mapping[str, Any] | None = None,
) -> None:
    record(
        warehouse, actor, action="disconnect", outcome=outcome, tenant_id=tenant_id, detail=detail
    )


def _live(warehouse: psycopg.Connection[Any], conn_id: str, tenant_id: str) -> list[_Live]:
    try:
        wanted = UUID(tenant_id)
    except ValueError:
        return []
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(_Live)) as cursor,
    ):
        return cursor.execute(_LIVE, (conn_id, wanted)).fetchall()


_OTHER_APPS = """
select conn_id from xero_ops.connections
where tenant_id = %(tenant_id)s and conn_id <> %(conn_id)s and disconnected_at is null
order by conn_id
"""

_GRANTS_TO_REVOKE = """
select distinct grants.grant_id::text
from xero_ops.grants
inner join xero_ops.connections using (grant_id)
where
    connections.tenant_id = %(tenant_id)s
    and grants.conn_id = %(conn_id)s
    and grants.state = 'active'
    and not exists (
        select from xero_ops.connections as others
        where others.grant_id = grants.grant_id and others.disconnected_at is null
    )
"""

_LIVE = """
select connection_id::text, grant_id::text
from xero_ops.connections
where conn_id = %s and tenant_id = %s and disconnected_at is null
order by connection_id
"""

_CLOSE = """
update xero_ops.connections
set
    disconnected_at = %(now)s,
    ended_at_xero = coalesce(
        ended_at_xero,
        case when connection_id = any(%(gone)s::uuid[]) then %(now)s::timestamptz end
    )
where connection_id = any(%(live)s::uuid[])
"""
