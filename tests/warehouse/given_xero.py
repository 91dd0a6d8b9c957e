"""A Xero that answers exactly the bytes it was given, and an organisation extracted from it.

For tests alone, of what the sandbox would never send: broken JSON, odd encodings, absurd values.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import sql

from airflow_xero.client import XeroClient
from airflow_xero.endpoint import Endpoint
from airflow_xero.errors import UnexpectedPayloadError
from airflow_xero.extract import Extracted, Tenant, extract_day
from airflow_xero.oauth import XeroApp
from tests.warehouse.extraction import BY_NAME, NOW
from xero_sandbox.testing import new_browser

ORGANISATION = BY_NAME["organisations"]
INVOICES = replace(BY_NAME["invoices"], reread_nights=0)
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Given:
    """One answer: a `Content-Length` of its own for a body that is cut; None sends in chunks."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = -1


class GivenXero:
    """`with GivenXero(dsn) as xero`: give pages, extract, look at what is stored.

    Each has a tenant of its own, so that many can share a warehouse. Each answer's correlation id
    is its path and page.
    """

    def __init__(self, dsn: str) -> None:
        self.tenant = Tenant(str(uuid.uuid4()), "Given Ltd", "no grant")
        self._given: dict[tuple[str, int], Given] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._dsn = dsn
        self.now = NOW
        self.rows = psycopg.connect(dsn, autocommit=True)
        self.rows.execute(
            "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, %s)",
            (self.tenant.tenant_id, self.tenant.tenant_name),
        )

    def __enter__(self) -> GivenXero:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.rows.close()

    # What Xero answers

    def give(
        self, body: bytes, *, endpoint: Endpoint = INVOICES, page: int = 1, **how: Any
    ) -> None:
        """Answer this for a page of an endpoint; `how` are fields of `Given`."""
        self._given[endpoint.path, page] = Given(body, **how)

    def give_records(
        self, *records: str, endpoint: Endpoint = INVOICES, page: int = 1, pages: int = 1
    ) -> None:
        """Answer records, written as JSON, in Xero's envelope."""
        self.give(self.envelope(*records, endpoint=endpoint, page=page, pages=pages), page=page)

    def envelope(
        self, *records: str, endpoint: Endpoint = INVOICES, page: int = 1, pages: int = 1
    ) -> bytes:
        """What Xero writes around records."""
        head = (
            f'{{"Status":"OK","DateTimeUTC":"{stamp(self.now)}","pagination":{{"page":{page},'
            f'"pageSize":1000,"pageCount":{pages},"itemCount":{len(records)}}},'
        )
        return f'{head}"{endpoint.array_key}":[{",".join(records)}]}}'.encode()

    def _answer(self, path: str, page: int) -> Given:
        if (path, page) in self._given:
            return self._given[path, page]
        if path == ORGANISATION.path:
            return Given(self.envelope('{"OrganisationID":"given"}', endpoint=ORGANISATION))
        raise AssertionError(f"nobody gave page {page} of {path}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        xero = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                path = asked.path.removeprefix("/api.xro/2.0/")
                page = int(parse_qs(asked.query).get("page", ["1"])[0])
                given = xero._answer(path, page)
                self.send_response_only(200)
                date = format_datetime(xero.now, usegmt=True)
                headers = {"Content-Type": JSON_TYPE, "Date": date, **given.headers}
                headers["Xero-Correlation-Id"] = correlation_id(path, page)
                body = given.body
                if given.length is None:
                    headers["Transfer-Encoding"] = "chunked"
                    half = len(body) // 2
                    body = b"%x\r\n%b\r\n" % (half, body[:half]) if half else b""
                    rest = given.body[half:]
                    body += b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest)
                else:
                    headers["Content-Length"] = str(max(given.length, len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = given.length not in (None, -1)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        return Handler

    # What is extracted and stored

    def extract(self, *endpoints: Endpoint) -> Extracted:
        """One night's extraction of the organisation and the endpoints, invoices by default."""
        host, port = self._server.server_address[:2]
        url = f"http://{host!s}:{port}"
        app = XeroApp("xero_default", "id", "secret", f"{url}/callback", (), url, url, url)
        with new_browser() as http, psycopg.connect(self._dsn) as warehouse:
            client = XeroClient(
                app, access_token=lambda: "a token", http=http, sleep=lambda seconds: None
            )
            return extract_day(
                self.tenant,
                (self.now - timedelta(days=1)).date(),
                client=client,
                warehouse=warehouse,
                endpoints=(ORGANISATION, *(endpoints or (INVOICES,))),
            )

    def next_night(self) -> None:
        """Let a day pass."""
        self.now += timedelta(days=1)

    def stored(self, endpoint: Endpoint = INVOICES) -> dict[str, Any]:
        """Every current record by id, each number with all its digits."""
        rows = self.rows.execute(
            sql.SQL(
                "select record_id, payload::text from {} where tenant_id = %s"
                " and known_to is null and not is_deleted"
            ).format(sql.Identifier("xero_raw", endpoint.name)),
            (self.tenant.tenant_id,),
        ).fetchall()
        assert len(rows) == len(dict(rows))
        return {key: decimals(text) for key, text in rows}

    def one(self, query: str) -> Any:
        """The only value of the first row; `%s` in the query is the tenant's id."""
        row = self.rows.execute(query, (self.tenant.tenant_id,)).fetchone()
        return row[0] if row else None

    def refuses(
        self, *endpoints: Endpoint, page: int = 1, match: str | None = None
    ) -> UnexpectedPayloadError:
        """Extract; the refusal, which names organisation, endpoint, page and Xero's own word."""
        endpoint = endpoints[0] if endpoints else INVOICES
        with pytest.raises(UnexpectedPayloadError, match=match) as refused:
            self.extract(*endpoints)
        error = refused.value
        assert (error.tenant_id, error.endpoint, error.page, error.correlation_id) == (
            self.tenant.tenant_id,
            endpoint.name,
            page,
            correlation_id(endpoint.path, page),
        )
        place = f"tenant={error.tenant_id} endpoint={error.endpoint} page={error.page} "
        assert place in str(error)
        assert f"correlation_id={error.correlation_id}]" in str(error)
        return error


def decimals(text: str | bytes) -> Any:
    """JSON in which no number becomes a float."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def stamp(moment: datetime) -> str:
    """A moment as Xero writes it."""
    return f"/Date({int(moment.timestamp() * 1000)}+0000)/"


def correlation_id(path: str, page: int) -> str:
    """The correlation id of an answer."""
    return f"{path.lower()}-{page}"
