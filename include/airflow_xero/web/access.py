"""Who may do what with the pages: Airflow's own login and permissions, asked explicitly.

Airflow does not guard a plugin's routes, so each of them depends on a function of this module
or belongs to the public room. Knows Airflow's auth manager through its interface only (simple,
FAB and others alike). Must not know Xero or the warehouse.

* the organisations: whoever may read the Airflow connection;
* connecting, inviting, pausing, disconnecting: whoever may edit it;
* erasing: whoever may delete it;
* extracting at once: whoever may also start the Dag that does;
* the dbt documentation: whoever may see the Dag that builds it, so that analysts may read it
  without any right over connections.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import (
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import get_user
from airflow.models import Connection
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from airflow_xero import settings
from airflow_xero.audit import Actor
from airflow_xero.web.triggering import DAILY_DAG, EXTRACT_DAG
from airflow_xero.web.visitors import is_from_our_page

DAG_ID = DAILY_DAG

_CHOSEN_HERE = ("grant", "full")
_MOST_CHOSEN = 22
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class NotPermitted(HTTPException):
    """403: Airflow's permissions refuse it to a user who is logged in."""

    def __init__(self, user: BaseUser, detail: str) -> None:
        super().__init__(403, detail)
        self.user = user


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
        login = get_auth_manager().get_url_login(next_url=_way_back(request))
        raise HTTPException(303, "Please log in.", headers={"Location": login}) from None


def _way_back(request: Request) -> str:
    """Where the login leads afterwards: here, with what the person chose and nothing else."""
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name in _CHOSEN_HERE
    ]
    return request.url.path + (f"?{urlencode(kept[:_MOST_CHOSEN])}" if kept else "")


User = Annotated[BaseUser, Depends(signed_in)]
PageUser = Annotated[BaseUser, Depends(signed_in_or_sent_to_login)]


def may_see_organisations(user: User) -> BaseUser:
    """Guard: the user may read the Airflow connection, or 403."""
    return _permitted(user, "GET", to="see the Xero connection", right="read")


def may_connect(user: PageUser) -> BaseUser:
    """Guard of a page: the user may edit the Airflow connection, or 403; nobody is asked first."""
    return _permitted(user, "PUT", to="connect organisations", right="edit")


def may_change(user: User) -> BaseUser:
    """Guard: the user may edit the Airflow connection, or 403."""
    return _permitted(user, "PUT", to="change what is connected", right="edit")


def may_erase(user: User) -> BaseUser:
    """Guard: the user may delete the Airflow connection, or 403."""
    return _permitted(user, "DELETE", to="erase an organisation", right="delete")


def may_extract(user: User) -> BaseUser:
    """Guard: the user may see the organisations and start the Dag that extracts, or 403."""
    _permitted(user, "GET", to="see the Xero connection", right="read")
    if not can_extract(user):
        raise NotPermitted(
            user,
            f"Your Airflow role may not start the Dag {EXTRACT_DAG}. "
            "Ask an Airflow administrator for the right to run it.",
        )
    return user


def from_our_page(request: Request) -> None:
    """Guard of every change: the page's own script sent it, or 403; the login is not enough."""
    if not is_from_our_page(request):
        raise HTTPException(403, "Changes are made by the page Xero in Airflow.")


def may_read_docs(user: PageUser) -> BaseUser:
    """Guard: the user may see the Dag that builds the documentation, or 403."""
    details = DagDetails(id=DAG_ID, team_name=DagModel.get_team_name(DAG_ID))
    if not get_auth_manager().is_authorized_dag(method="GET", details=details, user=user):
        raise NotPermitted(
            user,
            f"Your Airflow role may not see the Dag {DAG_ID}, which builds this page. "
            "Ask an Airflow administrator for read access to it.",
        )
    return user


def has_right(user: BaseUser, method: Literal["GET", "PUT", "DELETE"]) -> bool:
    """Whether the user may read (GET), edit (PUT) or delete the Airflow connection to Xero."""
    conn_id = settings.conn_id()
    details = ConnectionDetails(conn_id=conn_id, team_name=Connection.get_team_name(conn_id))
    return get_auth_manager().is_authorized_connection(method=method, details=details, user=user)


def can_extract(user: BaseUser) -> bool:
    """Whether the user may start the Dag that extracts at once."""
    details = DagDetails(id=EXTRACT_DAG, team_name=DagModel.get_team_name(EXTRACT_DAG))
    return get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user
    )


def user_name(user: BaseUser) -> str:
    """The name that is stored beside what the user did."""
    return user.get_name()


def actor_of(user: BaseUser, request: Request) -> Actor:
    """Who acts, and from where: what the audit log says."""
    return Actor(user_name(user), request.client.host if request.client else None)


def _permitted(
    user: BaseUser, method: Literal["GET", "PUT", "DELETE"], *, to: str, right: str
) -> BaseUser:
    if not has_right(user, method):
        raise NotPermitted(
            user,
            f"Your Airflow role may not {to}. "
            f"Ask an Airflow administrator for {right} access to connections.",
        )
    return user
