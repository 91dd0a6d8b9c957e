"""Asks the accounting operations directly, without a socket, identity or limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.api.accounting import Shelved, routes
from xero_sandbox.api.fields import comparable
from xero_sandbox.api.paging import LARGEST_PAGE_SIZE
from xero_sandbox.api.resources import RESOURCES, Resource, Since
from xero_sandbox.errors import XeroSandboxError
from xero_sandbox.organisation import Record
from xero_sandbox.wire.format import ms_date
from xero_sandbox.wire.records import LONG_AGO, Entry, Shape, Shelf

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AT = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
BY_PATH = {resource.path: resource for resource in RESOURCES}


class Xero:
    """Asks the operations of one organisation."""

    def __init__(self, organisation: Shelved, *, high_volume: int = 100_000) -> None:
        self._transport = httpx.ASGITransport(_app_of(organisation, high_volume))

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            client = httpx.AsyncClient(transport=self._transport, base_url="http://localhost")
            async with client:
                return await client.get(
                    path, headers={"Accept": "application/json"} | dict(headers or {})
                )

        return asyncio.run(ask())

    def body(self, path: str, params: Mapping[str, str] | None = None, **headers: str) -> Any:
        """The parsed answer; `If_Modified_Since` stands for the header."""
        url = str(httpx.URL(f"/{path}").copy_merge_params(params or {}))
        response = self.get(url, {key.replace("_", "-"): value for key, value in headers.items()})
        assert response.status_code == 200, response.text
        return json.loads(response.text, parse_float=Decimal)


def _app_of(organisation: Shelved, high_volume: int) -> Starlette:
    """The operations, with the state that the gate puts into each request."""

    class State(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            request.state.organisation = organisation
            request.state.business_now = NOW
            request.state.correlation_id = "c0ffee"
            request.state.provider_name = "Test app"
            request.state.high_volume = high_volume
            request.state.page_size = LARGEST_PAGE_SIZE
            return await call_next(request)

    async def refuse(_: Request, error: Exception) -> Response:
        answer = error.answer("c0ffee")  # type: ignore[attr-defined]
        return Response(answer.body, answer.status, dict(answer.headers))

    app = Starlette(routes=routes, exception_handlers={XeroSandboxError: refuse})
    app.add_middleware(State)
    return app


class Given:
    """An organisation of given records; each is sent with the name of the shape it was sent in."""

    tenant_id = "f0f0f0f0-0000-4000-8000-000000000000"
    name = "Given Ltd"

    def __init__(self, **records: Sequence[Record]) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._shelves = {
            each.key: Shelf(_entry(record, each.id_field) for record in records.get(each.key, ()))
            for each in RESOURCES
        }

    def entries(self, resource: str) -> Shelf:
        return self._shelves[resource]

    def records(self, resource: str) -> Sequence[Record]:
        return [entry.body() for entry in self._shelves[resource].ordered()]

    def report(self, name: str, params: Mapping[str, str]) -> Record | None:
        self.asked.append((name, params))
        return {"ReportID": name}

    def advance(self, now: datetime) -> None:
        """Nothing happens here."""

    def figures(self) -> dict[str, object]:
        return {}


def _entry(record: Record, id_field: str) -> Entry:
    updated_at = comparable(record.get("UpdatedDateUTC") or record.get("CreatedDateUTC"))

    def spell(body: Record, shape: Shape) -> dict[str, Any]:
        return body | {"Shape": shape.value}

    return Entry(
        str(record[id_field]),
        updated_at if isinstance(updated_at, datetime) else LONG_AGO,
        source=record,
        spell=spell,
    )


def guid(number: int) -> str:
    return f"{number:08x}-1111-4111-8111-111111111111"


def stamped(resource: Resource, number: int, **fields: Any) -> dict[str, Any]:
    """A record changed (or created) `number` seconds after AT."""
    stamp = "CreatedDateUTC" if resource.since is Since.CREATED else "UpdatedDateUTC"
    return {
        resource.id_field: guid(number),
        stamp: ms_date(AT + timedelta(seconds=number)),
    } | fields


def xero_of(path: str, records: list[dict[str, Any]]) -> Xero:
    """An organisation with these records of one resource, each a second after the one before."""
    resource = BY_PATH[path]
    made = [stamped(resource, number, **fields) for number, fields in enumerate(records)]
    return Xero(Given(**{resource.key: made}))


def found(xero: Xero, path: str, **params: str) -> list[int]:
    """The numbers of the records that are sent, in the order in which they are sent."""
    resource = BY_PATH[path]
    records = xero.body(path, params)[resource.key]
    return [int(record[resource.id_field][:8], 16) for record in records]
