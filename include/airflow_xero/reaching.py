"""What a consent reached: the organisations of a token, stored, audited, and told by name.

Makes the tenants and connections of a grant equal to Xero's list. Must not know how a consent
begins or ends, nor Airflow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import psycopg

from airflow_xero import app_connections, connections
from airflow_xero.app_connections import Connection
from airflow_xero.audit import Actor, record
from airflow_xero.oauth import XeroApp
from airflow_xero.warehouse import warehouse_errors


@dataclass(frozen=True)
class Connected:
    """An organisation that this consent reached; `is_shared` when another user's did already."""

    tenant_id: str
    tenant_name: str
    is_shared: bool = False


def organisations_of(app: XeroApp, access_token: str, *, http: httpx.Client) -> list[Connection]:
    """What the token reaches, without accountants' practices."""
    listed = app_connections.connections(app, access_token, http=http)
    return [entry for entry in listed if entry.tenant_type == "ORGANISATION"]


def store(
    warehouse: psycopg.Connection[Any],
    organisations: Sequence[Connection],
    *,
    app: XeroApp,
    grant_id: str,
    now: datetime,
    actor: Actor,
) -> None:
    """Make tenants and connections of the grant equal to Xero's list."""
    with warehouse_errors(), warehouse.transaction():
        connections.save(warehouse, organisations, conn_id=app.conn_id, grant_id=grant_id, now=now)
        for entry in organisations:
            record(
                warehouse, actor, action="connect", outcome="connected", tenant_id=entry.tenant_id
            )
        close_unlisted(warehouse, organisations, grant_id=grant_id, now=now, actor=actor)


def close_unlisted(
    warehouse: psycopg.Connection[Any],
    organisations: Sequence[Connection],
    *,
    grant_id: str,
    now: datetime,
    actor: Actor,
) -> None:
    """Leave out from now on what the grant reached and Xero no longer lists."""
    gone = connections.close_unlisted(warehouse, organisations, grant_id=grant_id, now=now)
    for tenant_id in gone:
        outcome = "disconnected at Xero"
        record(warehouse, actor, action="connect", outcome=outcome, tenant_id=tenant_id)


def refuse(
    warehouse: psycopg.Connection[Any],
    actor: Actor,
    *,
    reason: str,
    invitation_id: str | None = None,
) -> None:
    """Write down that a consent of this actor led nowhere, and why."""
    detail = {"invitation_id": invitation_id} if invitation_id else None
    record(warehouse, actor, action="connect", outcome=f"refused: {reason}", detail=detail)


def told(organisations: Sequence[Connection], shared: Collection[str]) -> list[Connected]:
    """The organisations by name; `shared` are ids of those that another user connected, too."""
    found = [
        Connected(entry.tenant_id, entry.tenant_name, is_shared=entry.tenant_id in shared)
        for entry in organisations
    ]
    return sorted(found, key=lambda connected: connected.tenant_name)
