"""What a consent reached: the organisations of a token, stored, audited, and told by name.

Xero's list holds whatever its user ever connected to the app: what was erased or disconnected here
while Xero could not be told, and what another program of the same app connected. Stored is what a
consent chose, and what is open here already; the rest is named and left alone. Must not know how a
consent begins or ends, nor Airflow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import psycopg

from airflow_xero import app_connections, connections, erasures
from airflow_xero.app_connections import Connection
from airflow_xero.audit import Actor, record
from airflow_xero.errors import ConsentRefusedError
from airflow_xero.oauth import XeroApp
from airflow_xero.warehouse import warehouse_errors


@dataclass(frozen=True)
class Connected:
    """An organisation that this consent reached; `is_shared` when another user's did already."""

    tenant_id: str
    tenant_name: str
    is_shared: bool = False


@dataclass(frozen=True)
class Finished:
    """How a consent ended: what it connected, at least one organisation, by name.

    `not_connected` are the names of what else its Xero user could reach, and nobody chose here.
    """

    connected: Sequence[Connected]
    not_connected: Sequence[str] = ()


@dataclass(frozen=True)
class Reached:
    """Xero's list of a token, by what this consent means by it.

    `chosen` were allowed at Xero just now; `kept` are open here since earlier; `others` neither.
    """

    chosen: Sequence[Connection]
    kept: Sequence[Connection]
    others: Sequence[Connection]

    @property
    def listed(self) -> Sequence[Connection]:
        """All that Xero lists."""
        return [*self.chosen, *self.kept, *self.others]


def organisations_of(app: XeroApp, access_token: str, *, http: httpx.Client) -> list[Connection]:
    """What the token reaches, without accountants' practices."""
    listed = app_connections.connections(app, access_token, http=http)
    return [entry for entry in listed if entry.tenant_type == "ORGANISATION"]


def sorted_out(
    warehouse: psycopg.Connection[Any],
    listed: Sequence[Connection],
    *,
    conn_id: str,
    auth_event_id: str | None,
) -> Reached:
    """Xero's list, by what the consent of this event chose, and what is open here.

    A younger consent of the same user that was quicker has taken over what both chose: that is
    open by then. Without an event nothing is known to be chosen.
    """
    is_open = connections.open_among(warehouse, listed, conn_id=conn_id)
    chosen = [one for one in listed if auth_event_id and one.auth_event_id == auth_event_id]
    rest = [one for one in listed if one not in chosen]
    return Reached(
        chosen,
        kept=[one for one in rest if one.connection_id in is_open],
        others=[one for one in rest if one.connection_id not in is_open],
    )


def require_some(reached: Reached) -> None:
    """Raise ConsentRefusedError where nothing was chosen and nothing is open."""
    if reached.chosen or reached.kept:
        return
    again = "press Connect to Xero again, or open your invitation link again, and choose"
    if reached.others:
        raise ConsentRefusedError(
            "You gave access, but chose no organisation just now. If you chose it once more in "
            "another window meanwhile, go on there. If it was connected to this app before, Xero "
            "may not offer it again: end its connection at Xero, under Connected apps, then "
            f"{again} it there"
        )
    raise ConsentRefusedError(
        f"You gave access, but to no organisation: {again} an organisation at Xero"
    )


def store(
    warehouse: psycopg.Connection[Any],
    reached: Reached,
    *,
    app: XeroApp,
    grant_id: str,
    now: datetime,
    actor: Actor,
) -> None:
    """Store what was chosen, bring what is open up to date, close what Xero lists no more."""
    which: dict[str, Any] = {"conn_id": app.conn_id, "grant_id": grant_id, "now": now}
    with warehouse_errors(), warehouse.transaction():
        connections.save(warehouse, reached.chosen, connected_by=actor.name, **which)
        connections.save(warehouse, reached.kept, **which)
        erasures.take_back(warehouse, [entry.connection_id for entry in reached.chosen])
        _write_down(warehouse, actor, reached.chosen, outcome="connected")
        # Nobody chose them now, but their user's tokens are others from here on.
        _write_down(warehouse, actor, reached.kept, outcome="renewed")
        close_unlisted(warehouse, reached.listed, grant_id=grant_id, now=now, actor=actor)


def _write_down(
    warehouse: psycopg.Connection[Any],
    actor: Actor,
    organisations: Sequence[Connection],
    *,
    outcome: str,
) -> None:
    for entry in organisations:
        record(warehouse, actor, action="connect", outcome=outcome, tenant_id=entry.tenant_id)


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
