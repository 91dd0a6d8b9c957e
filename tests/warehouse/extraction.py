"""An app that a user connected to organisations of the sandbox, and what its extractions store.

For tests alone: everything is arranged through the sandbox's control door and looked up in
Postgres or, as the truth to compare with, in the sandbox's own lists over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
from cryptography.fernet import Fernet
from psycopg import sql

from airflow_xero import connect
from airflow_xero.client import XeroClient
from airflow_xero.endpoint import Cadence, Endpoint, Paging, Reading
from airflow_xero.endpoints import DEFAULT_ENDPOINTS, ENDPOINTS
from airflow_xero.extract import Extracted, Tenant, extract_day
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import TokenStore
from xero_sandbox.testing import SandboxServer, new_browser

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
DAY = date(2026, 11, 19)
# It is one in the morning in Auckland: no business is done while a test runs.
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SCOPES = (
    "offline_access openid profile email accounting.settings.read accounting.contacts.read "
    "accounting.invoices.read accounting.payments.read accounting.banktransactions.read "
    "accounting.manualjournals.read accounting.budgets.read accounting.journals.read "
    "accounting.reports.trialbalance.read accounting.reports.profitandloss.read "
    "accounting.reports.balancesheet.read accounting.reports.banksummary.read "
    "accounting.reports.executivesummary.read accounting.reports.budgetsummary.read"
)
WITHOUT_REREADS = tuple(replace(each, reread_nights=0) for each in DEFAULT_ENDPOINTS)
_API = "/api.xro/2.0/"


def paths(*cadences: Cadence, endpoints: Sequence[Endpoint] = WITHOUT_REREADS) -> list[str]:
    """What is asked for when endpoints of these cadences are due; no budget has details."""
    return [
        endpoint.path
        for endpoint in endpoints
        if endpoint.cadence in cadences
        for _ in (endpoint.report.bases if endpoint.report else [""])
    ]


FIRST_PATHS = paths(*Cadence)
NIGHTLY_PATHS = paths(Cadence.DAILY)
REPORT_PATHS = [path for path in NIGHTLY_PATHS if path.startswith("Reports/")]
KEY = Fernet.generate_key().decode()

OnResponse = Callable[[httpx.Response], None]


class ConnectedApp:
    """The library in front of a sandbox and a warehouse: `with ConnectedApp(…) as xero`.

    `slept` collects the seconds that the client would have waited.
    """

    def __init__(self, sandbox: SandboxServer, dsn: str) -> None:
        self.sandbox = sandbox
        self.dsn = dsn
        self.slept: list[float] = []
        self.endpoints: Sequence[Endpoint] = WITHOUT_REREADS
        self.http = new_browser()
        self.rows = psycopg.connect(dsn, autocommit=True)
        self.app = self._app(SCOPES)
        self.set_clock(NOW)

    def __enter__(self) -> ConnectedApp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()
        self.rows.close()

    # What Xero is told

    def set_clock(self, now: datetime) -> None:
        self.sandbox.control("POST", "clocks", {"business": now.isoformat()})

    def organisation(self, name: str = "Kauri", *, days: int = 0, **traits: Any) -> Tenant:
        """A connected organisation; without `days` it does no business of its own."""
        made = self.sandbox.control(
            "POST", "organisations", {"name": name, "seed": 3, "days": days, "traits": traits}
        )
        return self.connect_to(made["tenantId"])

    def payloads(self, folder: Path, name: str = "Given") -> Tenant:
        """A connected organisation that consists of the payloads of a folder."""
        return self.connect_to(self.serve(folder, name))

    def serve(self, folder: Path, name: str = "Given") -> str:
        """Serve the payloads of a folder as they are now; the tenant id, the same every time."""
        made = self.sandbox.control(
            "POST", "organisations", {"payloads": str(folder), "name": name}
        )
        return str(made["tenantId"])

    def connect_to(self, *tenant_ids: str, scopes: str = SCOPES) -> Tenant:
        """Let the organisations' owner consent; the first of them as a tenant."""
        owner = {"email": "rua@example.com", "organisations": list(tenant_ids)}
        self.sandbox.control("POST", "users", owner)
        self.app = self._app(scopes)
        self.consent_to(*tenant_ids)
        with psycopg.connect(self.dsn) as warehouse:
            found = connect.tenants_to_extract(warehouse, self.app.conn_id)
        return next(tenant for tenant in found if tenant.tenant_id == tenant_ids[0])

    def consent_to(self, *tenant_ids: str) -> connect.Finished:
        """Let the owner consent to some of their organisations."""
        now = datetime.now(UTC)
        with psycopg.connect(self.dsn) as warehouse:
            begun = connect.begin(
                self.app, warehouse=warehouse, keys=[KEY], started_by="ada", now=now
            )
            callback = self.sandbox.consent(begun.url, "rua@example.com", tenant_ids)
            answer = parse_qs(urlsplit(callback).query)
            return connect.finish(
                self.app,
                warehouse=warehouse,
                tokens=self._tokens(),
                http=self.http,
                state=answer["state"][0],
                code=answer["code"][0],
                browser_cookie=begun.browser_cookie,
                now=now,
            )

    def do(self, tenant: Tenant, action: str, **fields: Any) -> Any:
        """Change the books; the changed record."""
        wanted = {"tenantId": tenant.tenant_id, "action": action, **fields}
        return self.sandbox.control("POST", "documents", wanted)

    def fault(self, path: str, **rule: Any) -> None:
        self.sandbox.control("POST", "faults", {"path": f"{_API}{path}", **rule})

    def end_faults(self) -> None:
        self.sandbox.control("DELETE", "faults")

    # What is extracted

    def extract(
        self,
        tenant: Tenant,
        day: date = DAY,
        *,
        on_response: OnResponse | None = None,
        warehouse: psycopg.Connection[Any] | None = None,
        accept_deletions: bool = False,
        backfill_calls: int = 0,
        closes_day: bool = True,
        fresh: bool = False,
        dag_run_id: str | None = None,
    ) -> Extracted:
        """One extraction over a connection of its own; the log of calls begins anew."""
        self.sandbox.control("DELETE", "requests")
        tokens = self._tokens()
        with (
            new_browser() as http,
            psycopg.connect(self.dsn) if warehouse is None else warehouse as connection,
        ):
            if on_response is not None:
                http.event_hooks = {"response": [on_response]}
            client = XeroClient(
                self.app,
                access_token=lambda: tokens.fresh(tenant.grant_id).value,
                renewed_token=lambda old: tokens.fresh(tenant.grant_id, rejected=old).value,
                http=http,
                sleep=self.slept.append,
            )
            return extract_day(
                tenant,
                day,
                client=client,
                warehouse=connection,
                endpoints=self.endpoints,
                accept_deletions=accept_deletions,
                backfill_calls=backfill_calls,
                closes_day=closes_day,
                fresh=fresh,
                dag_run_id=dag_run_id,
            )

    def token(self, tenant: Tenant) -> str:
        return self._tokens().fresh(tenant.grant_id).value

    def calls(self, path: str | None = None) -> list[str]:
        """Paths of the answered and refused calls of the last extraction, or pages of one path."""
        logged = [call for call in self._logged() if call["path"].startswith(_API)]
        if path is None:
            return [call["path"].removeprefix(_API) for call in logged]
        asked = [call for call in logged if call["path"] == f"{_API}{path}"]
        return [parse_qs(call["query"]).get("page", ["-"])[0] for call in asked]

    def asked_since(self, path: str) -> list[str | None]:
        """The If-Modified-Since of every call to a path."""
        return [c["modifiedSince"] for c in self._logged() if c["path"] == f"{_API}{path}"]

    def _logged(self) -> list[dict[str, Any]]:
        logged: list[dict[str, Any]] = self.sandbox.control("GET", "requests")
        return logged

    # What is true, and what is stored

    def listed(self, tenant: Tenant, endpoint: Endpoint) -> dict[str, Any]:
        """Every record by id, as the sandbox lists it in small pages."""
        found: dict[str, Any] = {}
        if endpoint.reading is Reading.NUMBERS:
            return {
                record[endpoint.id_field]: record for record in self._numbered(tenant, endpoint)
            }
        number, count = 1, 1
        while number <= count:
            params = dict(endpoint.params)
            if endpoint.paging is not Paging.NONE:
                params |= {"page": str(number), "pageSize": "500"}
            body = self._get(tenant, endpoint.path, params)
            found |= {record[endpoint.id_field]: record for record in body[endpoint.array_key]}
            if endpoint.reading is Reading.DETAILS:
                found = {key: self._detail(tenant, endpoint, key) for key in found}
            count = body.get("pagination", {"pageCount": 1})["pageCount"]
            number += 1
        return found

    def _numbered(self, tenant: Tenant, endpoint: Endpoint) -> Iterator[Any]:
        after, records = 0, list[Any]([{}])
        while records:
            params = {**endpoint.params, "offset": str(after)}
            records = self._get(tenant, endpoint.path, params)[endpoint.array_key]
            yield from records
            after = max((each["JournalNumber"] for each in records), default=after)

    def _detail(self, tenant: Tenant, endpoint: Endpoint, record_id: str) -> Any:
        window = {"DateFrom": "2025-11-01", "DateTo": "2027-10-31"}
        body = self._get(tenant, f"{endpoint.path}/{record_id}", window)
        return body[endpoint.array_key][0]

    def report(self, tenant: Tenant, day: date = DAY) -> Any:
        """The trial balance of a day as the sandbox answers it."""
        return self._get(tenant, "Reports/TrialBalance", {"date": day.isoformat()})["Reports"][0]

    def _get(self, tenant: Tenant, path: str, params: Mapping[str, str]) -> Any:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.token(tenant)}",
            "Xero-Tenant-Id": tenant.tenant_id,
        }
        response = self.http.get(f"{self.sandbox.url}{_API}{path}", params=params, headers=headers)
        assert response.status_code == 200, response.text
        return json.loads(response.content, parse_float=Decimal)

    def stored(self, tenant: Tenant, table: str) -> dict[str, Any]:
        """Every current record by id."""
        rows = self.rows.execute(
            sql.SQL(
                "select record_id, payload::text from {} where tenant_id = %s"
                " and known_to is null and not is_deleted"
            ).format(sql.Identifier("xero_raw", table)),
            (tenant.tenant_id,),
        ).fetchall()
        assert len(rows) == len(dict(rows))
        return {key: json.loads(text, parse_float=Decimal) for key, text in rows}

    def all_rows(self) -> dict[str, list[Any]]:
        """Every row of every raw table, with its place on disk and its transaction."""
        return {
            name: self.rows.execute(
                sql.SQL(
                    "select ctid::text, xmin::text, tenant_id, record_id, known_from, known_to"
                    " from {} order by 3, 4, 5"
                ).format(sql.Identifier("xero_raw", name))
            ).fetchall()
            for name in BY_NAME
        }

    def one(self, query: str, *values: Any) -> Any:
        """The first row, or None."""
        return self.rows.execute(query, values).fetchone()

    def run(self) -> tuple[Any, ...]:
        """State and reason of the last run."""
        row: tuple[Any, ...] = self.one(
            "select state, state_reason from xero_ops.extract_runs order by run_id desc limit 1"
        )
        return row

    def watermark(self, endpoint: str = "invoices") -> datetime | None:
        row = self.one(
            "select modified_since from xero_ops.watermarks where endpoint = %s", endpoint
        )
        return row[0] if row else None

    def next_page(self, endpoint: str = "invoices") -> int | None:
        row = self.one("select next_page from xero_ops.cursors where endpoint = %s", endpoint)
        return row[0] if row else None

    def _app(self, scopes: str) -> XeroApp:
        url = self.sandbox.url
        return XeroApp(
            conn_id="xero_default",
            client_id=self.sandbox.client_id,
            client_secret=self.sandbox.client_secret,
            redirect_uri="http://localhost:8080/xero/callback",
            scopes=tuple(scopes.split()),
            api_url=url,
            identity_url=url,
            login_url=url,
        )

    def _tokens(self) -> TokenStore:
        return TokenStore(
            self.app, connect=lambda: psycopg.connect(self.dsn), keys=[KEY], http=self.http
        )


def is_page(response: httpx.Response, path: str, number: int) -> bool:
    """Whether a response is that page of a path."""
    url = response.request.url
    return url.path == f"{_API}{path}" and url.params.get("page") == str(number)


def invoices_of(count: int, first_at: datetime = NOW - timedelta(days=30)) -> list[Any]:
    """Plain invoices, a millisecond apart."""
    return [invoice(n, first_at + timedelta(milliseconds=n)) for n in range(count)]


def invoice(number: int, updated_at: datetime) -> dict[str, Any]:
    """A plain invoice with a stamp."""
    return {
        "InvoiceID": f"00000000-0000-0000-0000-{number:012d}",
        "Total": number,
        "UpdatedDateUTC": f"/Date({int(updated_at.timestamp() * 1000)}+0000)/",
    }


def write_payloads(folder: Path, **resources: Sequence[Any]) -> Path:
    """Write envelopes into a folder by the sandbox's convention: `Invoices=[…]`."""
    folder.mkdir(exist_ok=True)
    for name, records in resources.items():
        (folder / f"{name}.json").write_text(json.dumps({name: records}))
    return folder
