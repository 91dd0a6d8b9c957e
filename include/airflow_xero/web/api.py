"""The JSON that the page in Airflow reads: every organisation and how it is doing; invitations.

Knows which fields the script of `static/` needs, and asks each table once, however many
organisations there are. Must not know how a status comes about, nor give out a grant, a token or a
field of the Airflow connection. What a person changes is in `actions.py`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urljoin
from uuid import UUID

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import APIRouter, Depends, Query

from airflow_xero import connect, invitations, settings
from airflow_xero.hook import XeroHook
from airflow_xero.oauth import XeroApp
from airflow_xero.scope_choices import are_read_only, choices_of
from airflow_xero.standing import OrganisationStatus, standing
from airflow_xero.tie_outs import TieOut, judged, tie_outs
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web import actions, triggering
from airflow_xero.web.access import can_extract, has_right, may_change, may_see_organisations

PREFIX = "/api"
GRANT_LIFE = timedelta(days=60)
"""How long Xero keeps a grant that nobody uses."""

router = APIRouter(prefix=PREFIX)
router.include_router(actions.router)


@router.get("/organisations")
def organisations(
    user: Annotated[BaseUser, Depends(may_see_organisations)],
    tenant_id: Annotated[list[UUID] | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """Every organisation ever connected, by name, and what this user may do.

    Only those named `tenant_id` when there are any, and then with the tie-out of those alone that
    are read well. Times are ISO 8601 with offset, days `YYYY-MM-DD`; what never happened is left
    out. `return_to` is the address below which Xero will send the browser back: a consent must
    start there.
    """
    wanted = [str(each) for each in tenant_id] if tenant_id else None
    with XeroHook(settings.conn_id()) as hook, warehouse_errors():
        app, endpoints = hook.app(), hook.endpoints()
        with hook.warehouse() as warehouse:
            now = standing(warehouse, app.conn_id, tenant_ids=wanted)
            listed = [one.tenant_id for one in now.organisations]
            # Asked for every two seconds while something is read: it moves with a build alone.
            read_well = [one.tenant_id for one in now.organisations if one.state == "healthy"]
            compared = tie_outs(warehouse, read_well if wanted else listed)
    cap = connect.cap_of(app, now.at_xero)
    plan = triggering.plan()
    return {
        "organisations": [
            _as_json(one, tie_out=compared.get(one.tenant_id), asked=plan.asked)
            for one in judged(now.organisations, compared)
        ],
        "endpoints": len(endpoints),
        "next_night_at": plan.next_night_at,
        "is_daily_paused": plan.is_daily_paused,
        "may_connect": has_right(user, "PUT"),
        "may_erase": has_right(user, "DELETE"),
        "may_extract": can_extract(user),
        "cap": {"used": cap.used, "allowed": cap.allowed},
        **_consent(app),
    }


@router.get("/invitations")
def open_invitations(_: Annotated[BaseUser, Depends(may_change)]) -> dict[str, Any]:
    """The invitations, the newest first; their links are known to nobody."""
    with XeroHook(settings.conn_id()) as hook, warehouse_errors():
        app = hook.app()
        with hook.warehouse() as warehouse:
            listed = invitations.listed(warehouse, app.conn_id, now=datetime.now(UTC))
    return {"invitations": [asdict(one) for one in listed]}


def _consent(app: XeroApp) -> dict[str, Any]:
    return {
        "return_to": urljoin(app.redirect_uri, "."),
        "is_read_only": are_read_only(app.scopes),
        "is_custom": app.is_custom,
        # Its owner chose at Xero, and nobody is asked for a consent.
        "choices": [] if app.is_custom else [asdict(choice) for choice in choices_of(app.scopes)],
    }


def _as_json(
    one: OrganisationStatus, *, tie_out: TieOut | None, asked: frozenset[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "tenant_id": one.tenant_id,
        "name": one.tenant_name,
        "country": one.country_code,
        "currency": one.base_currency,
        "state": one.state,
        "is_asked": one.tenant_id in asked or None,
        "reason": one.last_run_reason,
        "resume_at": one.resume_at,
        "connected_by": one.connected_by,
        "xero_user": one.user_name,
        "connected_at": one.connected_at,
        "last_complete_day": one.complete_day,
        "last_extracted_at": one.complete_at,
        "calls_left": one.calls_left,
        "grant_ends_at": one.refreshed_at + GRANT_LIFE if one.refreshed_at else None,
        "endpoints_read": one.endpoints_read,
        "records_read": one.records_read,
        "tie_out": {"day": tie_out.day, "broken_lines": tie_out.broken_lines} if tie_out else None,
    }
    # Of a thousand organisations, what is not there would be a third of the answer.
    return {name: value for name, value in values.items() if value is not None}
