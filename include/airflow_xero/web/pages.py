"""The pages at `/xero` in Airflow's web server: starting a consent, the documentation.

Knows which story each address tells and who may read it (`access.py`). Must not know OAuth or
SQL beyond the one page it serves, nor let an error show more than its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from airflow_xero import settings
from airflow_xero.connect import Connected
from airflow_xero.errors import XeroError
from airflow_xero.hook import XeroHook
from airflow_xero.notifiers import page_link
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web import api
from airflow_xero.web.access import (
    DAG_ID,
    NotPermitted,
    actor_of,
    from_our_page,
    may_change,
    may_connect,
    may_read_docs,
)
from airflow_xero.web.desk import ConsentDesk
from airflow_xero.web.notices import (
    Ending,
    Hindered,
    ProtectiveHeaders,
    error_page,
    notice,
    status_of,
)
from airflow_xero.web.public import public_router
from airflow_xero.web.refusals import Refusals
from airflow_xero.web.thanks import way_home
from airflow_xero.web.triggering import start_extraction
from airflow_xero.web.visitors import bind, is_from_elsewhere

URL_PREFIX = "/xero"
URL_ROUTE = "xero"
DOCS_PAGE = "dbt_docs"

# One file with its script and style inside. The sandbox gives it an origin of its own, so that
# nothing in it can act with the reader's Airflow login.
_DOCS_POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline' "
    "'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app() -> FastAPI:
    """The application that the plugin mounts at `/xero`; each route has its guard."""
    # A slash too many must not become a redirect to whatever host the request names.
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(ProtectiveHeaders)
    app.state.desk = ConsentDesk(when_connected=_extract_at_once)
    app.state.refusals = Refusals()
    app.include_router(public_router(app.state.desk, home=home, airflow_page=page_link()))
    app.include_router(api.router)
    app.add_api_route("/", go_home, methods=["GET"])
    app.add_api_route("/connect", start_consent, methods=["GET"])
    app.add_api_route(
        f"{api.PREFIX}/connect",
        connect_at_once,
        methods=["POST"],
        dependencies=[Depends(from_our_page)],
    )
    for path in ("/docs", "/docs/"):
        app.add_api_route(path, show_docs, methods=["GET"])
    app.add_exception_handler(XeroError, _tell_xero_error)
    app.add_exception_handler(HTTPException, _tell_http_error)
    app.add_exception_handler(RequestValidationError, _tell_malformed)
    return app


def _extract_at_once(reached: Sequence[Connected]) -> bool:
    return start_extraction([one.tenant_id for one in reached], started_by=None)


def home(request: Request) -> str:
    """The path of the plugin's page in Airflow, below Airflow's base path if it has one."""
    base = str(request.scope.get("root_path", "")).removesuffix(URL_PREFIX)
    return f"{base}/plugin/{URL_ROUTE}"


def go_home(request: Request) -> Response:
    """Send `/xero/` to the page in Airflow, which asks for the login itself."""
    return RedirectResponse(home(request), status_code=303)


def start_consent(
    request: Request,
    user: Annotated[BaseUser, Depends(may_connect)],
    *,
    grant: Annotated[list[str] | None, Query(max_length=20)] = None,
    full: bool = False,
) -> Response:
    """Begin a consent to what was chosen (`grant`, keys of `scope_choices`), and go to Xero.

    `full` says that the person knows what is in the way: the tier's cap is reached, or Xero did not
    answer. It changes nothing until they consent at Xero, so that a link may lead here; one of
    another site lands on the page all the same.
    """
    if is_from_elsewhere(request):
        return RedirectResponse(home(request), status_code=303)
    desk: ConsentDesk = request.app.state.desk
    try:
        begun = desk.begin(actor_of(user, request), grants=grant, is_sure=full)
    except Hindered as hindrance:
        return _hindered(request, hindrance.told(), grant)
    answer = RedirectResponse(begun.url, status_code=303)
    bind(answer, begun, request)
    return answer


def _hindered(request: Request, ending: Ending, grants: Sequence[str] | None) -> Response:
    """Says what is in the way, and lets the person go on who knows better."""
    again = [("full", "true"), *(("grant", one) for one in grants or ())]
    return notice(
        request,
        title=ending.title,
        message=ending.message,
        status=ending.status,
        link=(f"connect?{urlencode(again)}", "Go on to Xero all the same"),
    )


class Chosen(BaseModel):
    """What a person chose to grant, and whether they know what is in the way."""

    grants: list[str] | None = Field(default=None, max_length=20)
    full: bool = False


def connect_at_once(
    chosen: Chosen, request: Request, user: Annotated[BaseUser, Depends(may_change)]
) -> Response:
    """Connect where no consent can begin here; answers the address to go on at.

    A Custom Connection is connected at once. Anybody else goes on where Xero sends people back, by
    a link of their own. Either changes something, which only the page's own script may ask for.
    """
    desk: ConsentDesk = request.app.state.desk
    actor = actor_of(user, request)
    connected = desk.connect_custom(actor)
    if connected is not None:
        return JSONResponse({"url": f"{home(request)}?{way_home(*connected)}"})
    try:
        url = desk.hand_over(actor, grants=chosen.grants, is_sure=chosen.full)
    except Hindered as hindrance:
        told = hindrance.told()
        content = {"title": told.title, "detail": told.message, "may_go_on": True}
        return JSONResponse(content, status_code=told.status)
    return JSONResponse({"url": url})


def show_docs(request: Request, _: Annotated[BaseUser, Depends(may_read_docs)]) -> Response:
    """The dbt documentation of the last run, or a page that says when there will be one."""
    page = _published(DOCS_PAGE)
    if page is None:
        return notice(
            request,
            title="No documentation yet",
            message=f"The Dag {DAG_ID} builds it at the end of a run. "
            "Come back after the first run has finished.",
            status=404,
        )
    content, media_type = page
    headers = {"content-security-policy": _DOCS_POLICY}
    return Response(content, media_type=media_type, headers=headers)


def _published(page_name: str) -> tuple[bytes, str] | None:
    with (
        XeroHook(settings.conn_id()) as hook,
        warehouse_errors(),
        hook.warehouse() as warehouse,
    ):
        row: Any = warehouse.execute(
            "select content, media_type from xero_ops.published_pages where page_name = %s",
            (page_name,),
        ).fetchone()
    return (bytes(row[0]), str(row[1])) if row else None


async def _tell_xero_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, XeroError):
        raise error
    if _wants_json(request):
        return JSONResponse({"detail": error.message}, status_code=status_of(error))
    return error_page(request, error)


async def _tell_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error, NotPermitted):
        await request.app.state.refusals.write_down(request, error)
    if error.status_code == 403 and not _wants_json(request):
        return notice(request, title="Not permitted", message=error.detail, status=403)
    return await http_exception_handler(request, error)


async def _tell_malformed(_: Request, error: Exception) -> Response:
    """What was not understood, and nothing of it repeated: it may be no text at all."""
    if not isinstance(error, RequestValidationError):
        raise error
    told = [{"loc": one["loc"], "msg": one["msg"]} for one in error.errors()]
    return JSONResponse({"detail": told}, status_code=422)


def _wants_json(request: Request) -> bool:
    route: Any = request.scope.get("route")
    return getattr(route, "path", "").startswith(f"{api.PREFIX}/")
