"""Xero's consent page, asked for before a person is sent there.

Xero answers a wrong client id, redirect URI or scope with a page of its own and sends nobody
back, so that only asking first can say what is wrong. Knows how those refusals read. Must not
know Postgres, Airflow or who consents.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from airflow_xero import oauth
from airflow_xero.errors import UnavailableError, XeroSetupError
from airflow_xero.oauth import XeroApp
from airflow_xero.scope_choices import why_refused

_DOWN = (
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)
# A person waits for it, and it is only a courtesy.
_TIMEOUT = httpx.Timeout(5.0)


def try_authorize(app: XeroApp, *, http: httpx.Client) -> None:
    """Ask for Xero's consent page as a browser would, since its refusals lead nobody back.

    Raises XeroSetupError for an unknown client id, a redirect URI that differs from the app's and
    a scope the app may not ask for; UnavailableError. Any other answer is taken for a consent.
    Its refusals say 500 as well: that alone does not mean that Xero is down.
    """
    url = oauth.authorize_url(app, state="try", code_challenge=oauth.code_challenge_of("try"))
    try:
        response = http.get(url, timeout=_TIMEOUT)
        where = urlsplit(response.headers.get("Location", ""))
        if response.is_redirect and "/error" in where.path:
            response = http.get(response.url.join(where.geturl()), timeout=_TIMEOUT)
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise oauth.unreachable(app.login_url, error) from None
    if not response.is_redirect:
        _require_accepted(app, response.text.lower())
    if response.status_code in _DOWN:
        raise UnavailableError(
            f"Xero's login page does not answer ({response.status_code}): try again later"
        )


def _require_accepted(app: XeroApp, page: str) -> None:
    # Xero writes its refusals as `unauthorized_client : Invalid redirect_uri` and the like.
    connection = f"the Airflow connection {app.conn_id}"
    if "invalid redirect_uri" in page:
        raise XeroSetupError(
            f"Xero does not know the redirect URI {app.redirect_uri}: at developer.xero.com, My "
            f"Apps, Configuration, it must be entered letter by letter as in {connection}"
        )
    if "invalid scope" in page or "invalid_scope" in page:
        raise XeroSetupError(
            f"Xero does not let this app ask for one of the scopes of {connection}: "
            f"{why_refused(app.scopes)}"
        )
    if "unknown client" in page or "unauthorized_client" in page:
        raise XeroSetupError(
            f"Xero does not know this app: correct the client id of {connection}, as in "
            "developer.xero.com, My Apps, Configuration"
        )
