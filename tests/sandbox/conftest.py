"""An app that speaks OAuth and the accounting API with the sandbox, over HTTP alone."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from xero_sandbox.testing import SandboxServer, new_browser

CALLBACK = "http://localhost:8080/xero/callback"
SCOPES = (
    "offline_access openid profile email accounting.settings.read accounting.contacts.read "
    "accounting.invoices.read accounting.payments.read accounting.banktransactions.read "
    "accounting.reports.trialbalance.read"
)


class App:
    """A registered app and its HTTP client."""

    def __init__(self, sandbox: SandboxServer, http: httpx.Client) -> None:
        self.sandbox = sandbox
        self.http = http
        self.verifier = secrets.token_urlsafe(48)

    @property
    def credentials(self) -> tuple[str, str]:
        return (self.sandbox.client_id, self.sandbox.client_secret)

    def authorize_url(self, *, scopes: str = SCOPES, **changes: str | None) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.sandbox.client_id,
            "redirect_uri": CALLBACK,
            "scope": scopes,
            "state": "state-of-the-app",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        } | changes
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self.sandbox.url}/identity/connect/authorize?{urlencode(given)}"

    def code(
        self,
        email: str = "ava@example.com",
        organisations: Sequence[str] | None = None,
        **changes: Any,
    ) -> str:
        callback = self.sandbox.consent(self.authorize_url(**changes), email, organisations)
        return httpx.URL(callback).params["code"]

    def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        } | changes
        given = {name: value for name, value in form.items() if value is not None}
        return self.http.post("/connect/token", data=given, auth=self.credentials)

    def connect(
        self,
        email: str = "ava@example.com",
        organisations: Sequence[str] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """The token answer after a whole pass through login and consent."""
        response = self.exchange(self.code(email, organisations, **changes))
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    def refresh(self, refresh_token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.http.post("/connect/token", data=form, auth=self.credentials)

    def connections(self, tokens: dict[str, Any], **query: str) -> list[dict[str, str]]:
        response = self.http.get("/connections", params=query, headers=bearer(tokens))
        assert response.status_code == 200, response.text
        found: list[dict[str, str]] = response.json()
        return found

    def read(
        self, tokens: dict[str, Any], path: str, tenant_id: str | None = None, **headers: str
    ) -> httpx.Response:
        tenant = {} if tenant_id is None else {"xero-tenant-id": tenant_id}
        return self.http.get(
            f"/api.xro/2.0/{path}",
            headers={"Accept": "application/json"} | bearer(tokens) | tenant | headers,
        )


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@pytest.fixture
def app(xero_sandbox: SandboxServer) -> Iterator[App]:
    """An app that knows its credentials; nobody has connected anything yet."""
    with new_browser(xero_sandbox.url) as http:
        yield App(xero_sandbox, http)


@pytest.fixture
def kauri(xero_sandbox: SandboxServer) -> str:
    """The tenant id of the first demo organisation, which Ava owns."""
    return xero_sandbox.organisations()["Kauri Coffee Roasters"]


@pytest.fixture
def tiny(xero_sandbox: SandboxServer) -> str:
    """The tenant id of an organisation without any document, which Ava owns: quick to build."""
    made = xero_sandbox.control("POST", "organisations", {"name": "Tiny", "days": 0})
    owned = {"email": "ava@example.com", "name": "Ava Ngata", "organisations": [made["tenantId"]]}
    xero_sandbox.control("POST", "users", owned)
    tenant_id: str = made["tenantId"]
    return tenant_id
