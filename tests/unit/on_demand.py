"""Records in front of a sandbox: an organisation that does everything, and the truth beside it.

For tests alone: what `Records` gives is compared with what the sandbox itself answers over HTTP.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from airflow_xero import oauth
from airflow_xero.client import XeroClient
from airflow_xero.oauth import XeroApp
from airflow_xero.records import Records
from tests.unit.conftest import VERIFIER
from xero_sandbox.testing import SandboxServer

API = "/api.xro/2.0/"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
READING = (
    "accounting.settings.read accounting.contacts.read accounting.invoices.read"
    " accounting.payments.read accounting.banktransactions.read accounting.manualjournals.read"
    " accounting.budgets.read accounting.journals.read"
)
REPORTS = " ".join(
    f"accounting.reports.{name}.read"
    for name in (
        *("aged", "balancesheet", "banksummary", "budgetsummary", "executivesummary"),
        *("profitandloss", "taxreports", "tenninetynine", "trialbalance"),
    )
)
EVERY_SCOPE = f"offline_access openid {READING} {REPORTS} accounting.attachments.read"


class Desk:
    """A connected organisation whose records are asked for; `slept` is what the client waited."""

    def __init__(
        self,
        sandbox: SandboxServer,
        app: XeroApp,
        http: httpx.Client,
        *,
        tenant_id: str,
        scopes: str = EVERY_SCOPE,
    ) -> None:
        self.sandbox = sandbox
        self.http = http
        self.tenant_id = tenant_id
        self.slept: list[float] = []
        self.app = replace(app, scopes=tuple(scopes.split()))
        self.token = self._consent()
        client = XeroClient(
            self.app, access_token=lambda: self.token, http=http, sleep=self.slept.append
        )
        self.records = Records(client, tenant_id)
        sandbox.control("DELETE", "requests")

    def _consent(self) -> str:
        owner = {"email": "rua@example.com", "organisations": [self.tenant_id]}
        self.sandbox.control("POST", "users", owner)
        url = oauth.authorize_url(
            self.app, state="a-state", code_challenge=oauth.code_challenge_of(VERIFIER)
        )
        callback = self.sandbox.consent(url, "rua@example.com")
        return oauth.exchange_code(
            self.app,
            parse_qs(urlsplit(callback).query)["code"][0],
            code_verifier=VERIFIER,
            http=self.http,
            now=datetime.now(UTC),
        ).access_token

    def do(self, action: str, **fields: Any) -> Any:
        """Change the books; the changed record."""
        wanted = {"tenantId": self.tenant_id, "action": action, **fields}
        return self.sandbox.control("POST", "documents", wanted)

    def fault(self, path: str, **rule: Any) -> None:
        self.sandbox.control("POST", "faults", {"path": f"{API}{path}", **rule})

    def asked(self) -> list[tuple[str, dict[str, str]]]:
        """Paths and parameters of the calls so far, in order."""
        calls = self.sandbox.control("GET", "requests")
        return [
            (
                call["path"].removeprefix(API),
                {name: values[0] for name, values in parse_qs(call["query"]).items()},
            )
            for call in calls
            if call["path"].startswith(API)
        ]

    def bytes_of(self, path: str, accept: str = "application/json", **params: str) -> bytes:
        """What the sandbox itself answers; then the log of calls begins anew."""
        headers = {
            "Accept": accept,
            "Authorization": f"Bearer {self.token}",
            "Xero-Tenant-Id": self.tenant_id,
        }
        url = f"{self.sandbox.url}{API}{path}"
        response = self.http.get(url, params=params, headers=headers)
        assert response.status_code == 200, response.text
        self.sandbox.control("DELETE", "requests")
        return response.content

    def truth(self, path: str, key: str, **params: str) -> list[dict[str, Any]]:
        """The records that the sandbox itself answers."""
        body = self.bytes_of(path, **params)
        records: list[dict[str, Any]] = json.loads(body, parse_float=Decimal)[key]
        return records


def floats_in(value: Any) -> list[float]:
    """Every float within a record."""
    if isinstance(value, dict):
        return [each for inner in value.values() for each in floats_in(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in floats_in(inner)]
    return [value] if isinstance(value, float) else []
