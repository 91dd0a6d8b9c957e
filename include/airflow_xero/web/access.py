"""Who may do what with the pages: Airflow's own login and permissions, asked explicitly.

Airflow does not guard a plugin's routes, so each of them depends on a function of this module
or belongs to the public room. Knows Airflow's auth manager through its interface only (simple,
FAB and others alike). Must not know Xero or the warehouse.

* the organisations: whoever may read the Airflow connection;
* connecting: whoever may edit it;
* the dbt documentation: whoever may see the Dag that builds it, so that analysts may read it
  without any right over connections.
"""

from __future__ import annotations

from typing import Annotated, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from airflow.models import Connection
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from airflow_xero import settings

DAG_ID = "xero_daily"

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


async def signed_in(request: Request, bearer: Bearer) -> BaseUser:
    """The user of this request; answers 401 when nobody is logged in."""
    try:
        return await get_user(request, None, bearer)
    except HTTPException:
        # Airflow says 403 for a cookie that is malformed; for the person it is the same.
        raise HTTPException(401, "Please log in to Airflow.") from None


async def signed_in_or_sent_to_login(request: Request, bearer: Bearer) -> BaseUser:
    """The user of this request; sends the browser to Airflow's login page, and back, if none."""
    try:
        return await get_user(request, None, bearer)
    except HTTPException:
        login = get_auth_manager().get_url_login(next_url=request.url.path)
        raise HTTPException(303, "Please log in.", headers={"Location": login}) from None


User = Annotated[BaseUser, Depends(signed_in)]
PageUser = Annotated[BaseUser, Depends(signed_in_or_sent_to_login)]


def may_see_organisations(user: User) -> BaseUser:
    """Guard: the user may read the Airflow connection, or 403."""
    if not has_right(user, "GET"):
        raise HTTPException(
            403,
            "Your Airflow role may not see the Xero connection. "
            "Ask an Airflow administrator for read access to connections.",
        )
    return user


def may_connect(user: PageUser) -> BaseUser:
    """Guard: the user may edit the Airflow connection, or 403."""
    if not has_right(user, "PUT"):
        raise HTTPException(
            403,
            "Your Airflow role may not connect organisations. "
            "Ask an Airflow administrator for edit access to connections.",
        )
    return user


def may_read_docs(user: PageUser) -> BaseUser:
    """Guard: the user may see the Dag that builds the documentation, or 403."""
    details = DagDetails(id=DAG_ID, team_name=DagModel.get_team_name(DAG_ID))
    if not get_auth_manager().is_authorized_dag(method="GET", details=details, user=user):
        raise HTTPException(
            403,
            f"Your Airflow role may not see the Dag {DAG_ID}, which builds this page. "
            "Ask an Airflow administrator for read access to it.",
        )
    return user


def has_right(user: BaseUser, method: Literal["GET", "PUT"]) -> bool:
    """Whether the user may read (GET) or edit (PUT) the Airflow connection to Xero."""
    conn_id = settings.conn_id()
    details = ConnectionDetails(conn_id=conn_id, team_name=Connection.get_team_name(conn_id))
    return get_auth_manager().is_authorized_connection(method=method, details=details, user=user)


def user_name(user: BaseUser) -> str:
    """The name that is stored beside what the user did."""
    return user.get_name()
