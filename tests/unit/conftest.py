"""An app with a live consent at the sandbox, without a warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from airflow_xero import oauth
from airflow_xero.oauth import TokenSet, XeroApp
from xero_sandbox.testing import SandboxServer

VERIFIER = "a-verifier-of-more-than-forty-three-characters-0123456789"
SCOPES = (
    "offline_access openid profile email accounting.settings.read accounting.contacts.read "
    "accounting.invoices.read accounting.payments.read accounting.banktransactions.read "
    "accounting.reports.trialbalance.read"
)


@pytest.fixture
def app(xero_sandbox: SandboxServer) -> XeroApp:
    """The sandbox's app, as the Airflow connection `xero_default` would describe it."""
    return XeroApp(
        conn_id="xero_default",
        client_id=xero_sandbox.client_id,
        client_secret=xero_sandbox.client_secret,
        redirect_uri="http://localhost:8080/xero/callback",
        scopes=tuple(SCOPES.split()),
        api_url=xero_sandbox.url,
        identity_url=xero_sandbox.url,
        login_url=xero_sandbox.url,
    )


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """The library's own client; shared, since reading the authorities is slow."""
    with oauth.new_http() as client:
        yield client


Consent = Callable[..., str]


@pytest.fixture
def consent(xero_sandbox: SandboxServer) -> Consent:
    """Let Ava allow an app, and give the code that Xero sends back."""

    def walk(app: XeroApp, organisations: list[str] | None = None) -> str:
        url = oauth.authorize_url(
            app, state="a-state", code_challenge=oauth.code_challenge_of(VERIFIER)
        )
        callback = xero_sandbox.consent(url, "ava@example.com", organisations)
        return parse_qs(urlsplit(callback).query)["code"][0]

    return walk


@pytest.fixture
def tokens(app: XeroApp, consent: Consent, http: httpx.Client) -> TokenSet:
    """Tokens of Ava's consent, as Xero gave them just now."""
    return oauth.exchange_code(
        app, consent(app), code_verifier=VERIFIER, http=http, now=datetime.now(UTC)
    )


def add_organisation(sandbox: SandboxServer, *, days: int = 0, **traits: Any) -> str:
    """An organisation beside Ava's two, owned by her; without days it is quick to build."""
    made = sandbox.control(
        "POST", "organisations", {"name": "Tiny", "days": days, "traits": traits}
    )
    owned = [*list(sandbox.organisations().values())[:2], made["tenantId"]]
    sandbox.control(
        "POST", "users", {"email": "ava@example.com", "name": "Ava Ngata", "organisations": owned}
    )
    tenant_id: str = made["tenantId"]
    return tenant_id
