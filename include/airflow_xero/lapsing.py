"""Consents that are lost, and those that will lapse because nothing uses them.

Read-only questions to xero_ops. Knows that Xero forgets a consent that is unused for sixty days.
Must not know tokens, HTTP or Airflow, nor how people are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from airflow_xero.chosen import CHOSEN
from airflow_xero.standing import answers

IDLE_LIFE = timedelta(days=60)
"""How long Xero keeps a consent whose refresh token nobody uses."""

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
