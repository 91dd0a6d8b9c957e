"""What Airflow's permissions refuse, in the audit log: who wanted to do what, and from where.

Knows which address stands for which action. What was only to be looked at is not written down, nor
what another site made somebody's browser ask for. Must not know who may do what.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from airflow_xero import audit, settings
from airflow_xero.errors import XeroError
from airflow_xero.hook import XeroHook
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web.access import NotPermitted, actor_of
from airflow_xero.web.visitors import is_from_elsewhere

OUTCOME = "refused: not permitted"


def write_down(request: Request, refusal: NotPermitted) -> None:
    """Write a refused action down; a warehouse that cannot be told changes no answer."""
    action = _action_of(request)
    if action is None or is_from_elsewhere(request):
        return
    try:
        with (
            XeroHook(settings.conn_id()) as hook,
            warehouse_errors(),
            hook.warehouse() as warehouse,
        ):
            audit.record(
                warehouse,
                actor_of(refusal.user, request),
                action=action,
                outcome=OUTCOME,
                tenant_id=_tenant_of(request),
            )
    except XeroError:
        # Whoever may do nothing here is not told how the warehouse does, either.
        return


def _action_of(request: Request) -> str | None:
    """The action as the audit log names it; None for what changes nothing."""
    path = str(getattr(request.scope.get("route"), "path", ""))
    if path == "/connect":
        return "connect"
    if request.method == "GET":
        return None
    return "invite" if "/invitations" in path else path.rpartition("/")[2]


def _tenant_of(request: Request) -> str | None:
    try:
        return str(UUID(str(request.path_params.get("tenant_id", ""))))
    except ValueError:
        return None
