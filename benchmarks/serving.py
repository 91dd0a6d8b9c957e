"""How fast the sandbox serves pages, read with the library's own client.

Needs the sandbox and the client; no Postgres, no Airflow.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx

from airflow_xero import oauth
from airflow_xero.client import XeroClient
from airflow_xero.endpoints import ENDPOINTS
from benchmarks.figures import Figure
from xero_sandbox.testing import SandboxServer

_INVOICES = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "invoices")
_REDIRECT_URI = "http://localhost:8080/xero/callback"


def measure(samples: int) -> list[Figure]:
    """Seconds until the first invoices arrive, and seconds for each later walk's page."""
    first, later = [], []
    with SandboxServer() as sandbox, oauth.new_http() as http:
        app = _app(sandbox)
        token = _token(sandbox, app, http)
        tenants = oauth.connections(app, token, http=http)
        client = XeroClient(app, access_token=lambda: token, http=http)
        for tenant in tenants:
            started = time.perf_counter()
            pages = sum(1 for _ in client.pages(_INVOICES, tenant.tenant_id))
            first.append(time.perf_counter() - started)
            for _ in range(samples):
                started = time.perf_counter()
                pages = sum(1 for _ in client.pages(_INVOICES, tenant.tenant_id))
                later.append((time.perf_counter() - started) / pages)
    return [
        Figure("sandbox: first walk over an organisation's invoices", "s", tuple(first)),
        Figure("sandbox: a page of invoices, read again", "s", tuple(later)),
    ]


def _app(sandbox: SandboxServer) -> oauth.XeroApp:
    return oauth.XeroApp(
        conn_id="measured",
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        redirect_uri=_REDIRECT_URI,
        scopes=("offline_access", "openid", "profile", "email", "accounting.invoices.read"),
        api_url=sandbox.url,
        identity_url=sandbox.url,
        login_url=sandbox.url,
    )


def _token(sandbox: SandboxServer, app: oauth.XeroApp, http: httpx.Client) -> str:
    verifier = secrets.token_urlsafe(48)
    challenge = oauth.code_challenge_of(verifier)
    callback = sandbox.consent(
        oauth.authorize_url(app, state="measured", code_challenge=challenge),
        email="ava@example.com",
    )
    (code,) = parse_qs(urlsplit(callback).query)["code"]
    now = datetime.now(UTC)
    tokens = oauth.exchange_code(app, code, code_verifier=verifier, http=http, now=now)
    return tokens.access_token
