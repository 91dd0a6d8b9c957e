"""Consents that are lost, and those that will lapse because nothing uses them, unless renewed.

Knows that Xero forgets a consent that is unused for sixty days. Must not know HTTP or Airflow, nor
how people are told.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from airflow_xero.chosen import CHOSEN
from airflow_xero.errors import ConsentLostError, NotConnectedError
from airflow_xero.standing import answers
from airflow_xero.tokens import TokenStore
from airflow_xero.warehouse import first_column

IDLE_LIFE = timedelta(days=60)
"""How long Xero keeps a consent whose refresh token nobody uses."""

RENEWED_AFTER = timedelta(days=30)
"""How long a consent may be unused before it is renewed for its own sake."""

WARNED_BEFORE = timedelta(days=10)
"""How long before its end people are told."""


@dataclass(frozen=True)
class LostConsent:
    """An organisation that nobody's consent reaches any more, and who gave the last one.

    Who `is_invited` has no login here, and needs a new invitation to repair it.
    """

    tenant_id: str
    tenant_name: str
    user_name: str | None
    reason: str
    is_invited: bool = False


@dataclass(frozen=True)
class LapsingConsent:
    """An organisation whose only consent is unused for long; Xero forgets it on `lapses_on`."""

    tenant_id: str
    tenant_name: str
    user_name: str | None
    lapses_on: date


def lost_consents(warehouse: psycopg.Connection[Any], conn_id: str) -> list[LostConsent]:
    """The organisations that wait for their user to connect again, by name; no paused ones."""
    return answers(warehouse, LostConsent, query=_LOST, conn_id=conn_id)


def lapsing_consents(
    warehouse: psycopg.Connection[Any], conn_id: str, *, now: datetime
) -> list[LapsingConsent]:
    """The organisations, paused ones too, whose consent lapses within ten days, by name.

    Where several users connected one, the consent that is used counts. `now` is aware.
    """
    return answers(
        warehouse,
        LapsingConsent,
        query=_LAPSING,
        conn_id=conn_id,
        life=IDLE_LIFE,
        since=now - (IDLE_LIFE - WARNED_BEFORE),
    )


def renew_unused(
    warehouse: psycopg.Connection[Any], conn_id: str, *, tokens: TokenStore, now: datetime
) -> int:
    """Renew the consents that nothing has used for a month, and say how many.

    Such as a second user's, which is needed only once the first one's is lost. One that Xero
    refuses is lost from then on. `now` is aware. Raises UnavailableError, XeroSetupError,
    WarehouseBusyError.
    """
    renewed = 0
    values = {"conn_id": conn_id, "since": now - RENEWED_AFTER}
    for grant_id in first_column(warehouse, _UNUSED, values):
        with suppress(ConsentLostError, NotConnectedError):
            tokens.fresh(grant_id, now=now, over=warehouse)
            renewed += 1
    return renewed


_UNUSED = """
select grant_id::text
from xero_ops.grants
where
    conn_id = %(conn_id)s
    and state = 'active'
    -- A custom connection has no user whose consent could lapse.
    and 'offline_access' = any(scopes)
    and refreshed_at < %(since)s
    and exists (
        select from xero_ops.connections
        where connections.grant_id = grants.grant_id and connections.disconnected_at is null
    )
order by refreshed_at
"""

_LOST = f"""
with {CHOSEN}

select
    tenants.tenant_id::text,
    tenants.tenant_name,
    grants.user_name,
    coalesce(grants.state_reason, 'The consent was taken back') as reason,
    chosen.connected_by like '%%(by invitation)' as is_invited
from chosen
inner join xero_ops.tenants using (tenant_id)
inner join xero_ops.grants using (grant_id)
where
    chosen.disconnected_at is null
    and chosen.grant_state <> 'active'
    and chosen.paused_at is null
order by tenants.tenant_name, tenants.tenant_id
"""  # noqa: S608 -- a constant

_LAPSING = f"""
with {CHOSEN}

select
    tenants.tenant_id::text,
    tenants.tenant_name,
    grants.user_name,
    ((grants.refreshed_at + %(life)s) at time zone 'UTC')::date as lapses_on
from chosen
inner join xero_ops.tenants using (tenant_id)
inner join xero_ops.grants using (grant_id)
where
    chosen.disconnected_at is null
    and chosen.grant_state = 'active'
    and grants.refreshed_at < %(since)s
    -- A custom connection has no user whose consent could lapse.
    and 'offline_access' = any(grants.scopes)
    and not exists (
        select from xero_ops.erasures
        where erasures.tenant_id = tenants.tenant_id and erasures.state <> 'erased'
    )
order by tenants.tenant_name, tenants.tenant_id
"""  # noqa: S608
