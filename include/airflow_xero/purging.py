"""Purging what is dead at Xero: connections that count against the app's cap and serve nobody.

Only what is known here is ever ended: another program of the same app may have connections of its
own. Must not know Airflow, nor how tokens are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg

from airflow_xero import app_connections, erasures
from airflow_xero.app_connections import app_token, delete_connection
from airflow_xero.audit import Actor, record
from airflow_xero.disconnect import revoke_if_unused
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import TokenStore
from airflow_xero.warehouse import first_column, require_idle, warehouse_errors

GIVEN_UP_AFTER = timedelta(days=30)
"""How long a lost consent is waited for before its connections are ended at Xero."""

# Whoever connects again is given the same connection by Xero; their browser is on its way.
_SETTLED_AFTER = timedelta(days=1)
_ACTOR = Actor("xero_erase")


@dataclass(frozen=True)
class Purged:
    """Connections ended at Xero, and consents revoked that reached nothing."""

    connections: int
    consents: int


def purge(
    app: XeroApp,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    now: datetime,
) -> Purged:
    """End at Xero what is closed here or was waited for in vain, and revoke unused consents.

    Asks Xero nothing while there is nothing to end. Connections of lost consents take the app's
    own token, which Xero does not give every app: without it they stay, to be ended by their user.
    What Xero lists no more is known to be ended, and not asked for again.
    Nothing is touched while a consent is under way. Raises UnavailableError, WarehouseBusyError.
    """
    require_idle(warehouse)
    values = {
        "conn_id": app.conn_id,
        "settled_before": now - _SETTLED_AFTER,
        "given_up_before": now - GIVEN_UP_AFTER,
        "now": now,
    }
    if first_column(warehouse, _UNDER_WAY, values):
        return Purged(0, 0)
    consents = sum(
        revoke_if_unused(app, grant_id, tokens=tokens, http=http, now=now)
        for grant_id in first_column(warehouse, _UNUSED_GRANTS, values)
    )
    dead = first_column(warehouse, _DEAD, values)
    gone, ended = _end(app, dead, tokens=tokens, http=http)
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(_CLOSE, values | {"ended": ended})
        warehouse.execute(_SETTLE, values | {"gone": gone})
        erasures.take_back(warehouse, gone)
        if ended or consents:
            detail = {"connections": len(ended), "consents": consents}
            record(warehouse, _ACTOR, action="purge", outcome="purged", detail=detail)
    return Purged(len(ended), consents)


def _end(
    app: XeroApp, dead: Sequence[str], *, tokens: TokenStore, http: httpx.Client
) -> tuple[list[str], list[str]]:
    """End those of the dead connections that Xero still counts.

    Which are gone now, all of them unless the app has no token of its own; which were ended.
    """
    token = app_token(app, http=http) if dead else None
    if token is None:
        return [], []
    tokens.keep_secret(token)
    counted = {each.connection_id for each in app_connections.connections(app, token, http=http)}
    ended = sorted(counted.intersection(dead))
    for connection_id in ended:
        delete_connection(app, token, connection_id, http=http)
    return list(dead), ended


_UNDER_WAY = """
select 1 from xero_ops.authorisations
where conn_id = %(conn_id)s and started_at > %(now)s - interval '15 minutes'
limit 1
"""

_UNUSED_GRANTS = """
select grant_id::text
from xero_ops.grants
where
    conn_id = %(conn_id)s
    and state = 'active'
    -- A custom connection has no consent that could be revoked.
    and 'offline_access' = any(scopes)
    and refreshed_at < %(now)s - interval '15 minutes'
    and not exists (
        select from xero_ops.connections
        where connections.grant_id = grants.grant_id and connections.disconnected_at is null
    )
order by grant_id
"""

# Closed here, where nobody could end it at Xero; or lost, and waited for in vain; or erased here,
# when its user's consent was lost already.
_DEAD = """
select connections.connection_id::text
from xero_ops.connections
inner join xero_ops.grants using (grant_id)
where
    connections.conn_id = %(conn_id)s
    and connections.ended_at_xero is null
    and (
        connections.disconnected_at < %(settled_before)s
        or (
            connections.disconnected_at is null
            and grants.state <> 'active'
            and grants.lost_at < %(given_up_before)s
        )
    )
union
select unnest(left_at_xero)::text
from xero_ops.erasures
where conn_id = %(conn_id)s and finished_at < %(settled_before)s
order by 1
"""

# One that was lost and that Xero ended by itself is still waited for: its user may come back.
_CLOSE = """
update xero_ops.connections
set disconnected_at = coalesce(disconnected_at, %(now)s)
where connection_id = any(%(ended)s::uuid[])
"""

_SETTLE = """
update xero_ops.connections set ended_at_xero = %(now)s
where connection_id = any(%(gone)s::uuid[])
"""
