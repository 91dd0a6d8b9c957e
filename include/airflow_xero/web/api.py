"""The JSON that the page in Airflow reads: every organisation and how it is doing.

Knows which fields the script of `static/` needs. Must not know how a status comes about, nor
give out a grant, a token or a field of the Airflow connection.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import APIRouter, Depends

from airflow_xero import connect, settings
from airflow_xero.connect import OrganisationStatus
from airflow_xero.hook import XeroHook
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web.access import DAG_ID, has_right, may_see_organisations

PREFIX = "/api"

router = APIRouter(prefix=PREFIX)


@router.get("/organisations")
def organisations(user: Annotated[BaseUser, Depends(may_see_organisations)]) -> dict[str, Any]:
    """Every organisation ever connected, by name, and what this user may do.

    Times are ISO 8601 with offset, days `YYYY-MM-DD`, null where it never happened.
    `return_origin` is where Xero will send the browser back: a consent must start there.
    """
    with XeroHook(settings.conn_id()) as hook, warehouse_errors():
        app = hook.app()
        with hook.warehouse() as warehouse:
            found = connect.status(warehouse, app.conn_id)
    address = urlsplit(app.redirect_uri)
    return {
        "organisations": [_as_json(one) for one in found],
        "may_connect": has_right(user, "PUT"),
        "return_origin": f"{address.scheme}://{address.netloc}",
        "dag_id": DAG_ID,
    }


def _as_json(one: OrganisationStatus) -> dict[str, Any]:
    return {
        "tenant_id": one.tenant_id,
        "name": one.tenant_name,
        "state": one.state,
        "reason": one.last_run_reason,
        "resume_at": one.resume_at,
        "connected_by": one.connected_by,
        "connected_at": one.connected_at,
        "last_complete_day": one.complete_day,
        "last_extracted_at": one.complete_at,
    }
