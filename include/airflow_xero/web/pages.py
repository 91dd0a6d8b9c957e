"""The pages at `/xero` in Airflow's web server: starting a consent, the documentation.

Knows which story each address tells and who may read it (`access.py`). Must not know OAuth or
SQL beyond the one page it serves, nor let an error show more than its message.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse, RedirectResponse, Response

from airflow_xero import connect, settings
from airflow_xero.errors import XeroError
from airflow_xero.hook import XeroHook
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web import api
from airflow_xero.web.access import DAG_ID, may_connect, may_read_docs, user_name
from airflow_xero.web.public import (
    CONSENT_SECONDS,
    ProtectiveHeaders,
    consent_cookie,
    error_page,
    notice,
    public_router,
    status_of,
)

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
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(ProtectiveHeaders)
    app.include_router(public_router(finish=finish_consent, home=home))
    app.include_router(api.router)
    app.add_api_route("/", go_home, methods=["GET"])
    app.add_api_route("/connect", start_consent, methods=["GET"])
    app.add_api_route("/docs", show_docs, methods=["GET"])
    app.add_exception_handler(XeroError, _tell_xero_error)
    app.add_exception_handler(HTTPException, _tell_http_error)
    return app


def home(request: Request) -> str:
    """The path of the plugin's page in Airflow, below Airflow's base path if it has one."""
    base = str(request.scope.get("root_path", "")).removesuffix(URL_PREFIX)
    return f"{base}/plugin/{URL_ROUTE}"


def go_home(request: Request) -> Response:
    """Send `/xero/` to the page in Airflow, which asks for the login itself."""
    return RedirectResponse(home(request), status_code=303)


def start_consent(request: Request, user: Annotated[BaseUser, Depends(may_connect)]) -> Response:
    """Begin a consent: remember it, give the browser its cookie, and go to Xero.

    A start that another site caused begins nothing and lands on the page with the button.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return RedirectResponse(home(request), status_code=303)
    with XeroHook(settings.conn_id()) as hook, warehouse_errors():
        app = hook.app()
        with hook.warehouse() as warehouse:
            begun = connect.begin(
                app,
                warehouse=warehouse,
                keys=settings.token_keys_from_environment(),
                started_by=user_name(user),
                now=datetime.now(UTC),
            )
    (state,) = parse_qs(urlsplit(begun.url).query)["state"]
    answer = RedirectResponse(begun.url, status_code=303)
    answer.set_cookie(
        consent_cookie(state),
        begun.browser_cookie,
        max_age=CONSENT_SECONDS,
        path=str(request.scope.get("root_path", "")) or URL_PREFIX,
        # Where Xero sends the browser back decides; a proxy may hide https from us.
        secure=app.redirect_uri.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


def finish_consent(*, state: str, code: str, browser_cookie: str) -> int:
    """Complete a consent; returns how many organisations it reached, raises XeroError."""
    with XeroHook(settings.conn_id()) as hook, warehouse_errors():
        app, tokens = hook.app(), hook.token_store()
        with hook.warehouse() as warehouse:
            connected = connect.finish(
                app,
                warehouse=warehouse,
                tokens=tokens,
                http=hook.http(),
                state=state,
                code=code,
                browser_cookie=browser_cookie,
                now=datetime.now(UTC),
            )
    return len(connected)


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
    if error.status_code == 403 and not _wants_json(request):
        return notice(request, title="Not permitted", message=error.detail, status=403)
    return await http_exception_handler(request, error)


def _wants_json(request: Request) -> bool:
    route: Any = request.scope.get("route")
    return getattr(route, "path", "").startswith(f"{api.PREFIX}/")
