"""How fast pages become versioned rows: new records, and records that did not change.

Needs the library and an embedded Postgres with fsync on; no sandbox, no Airflow.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.migrate import migrate
from airflow_xero.page import Page
from airflow_xero.progress import Walk
from airflow_xero.raw import RawStore
from benchmarks.figures import Figure
from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres

PAGES = 10
DOCUMENTS = 1000
LINES = 5

_TENANT = "11111111-2222-3333-4444-555555555555"
_STARTED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_INVOICES = next(endpoint for endpoint in ENDPOINTS if endpoint.name == "invoices")


def measure(samples: int) -> list[Figure]:
    """Documents stored a second: as new versions, and again without a change."""
    new, unchanged = [], []
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.create()
        server.start(free_port())
        try:
            for sample in range(samples):
                server.create_database(f"sample_{sample}")
                with psycopg.connect(server.dsn(f"sample_{sample}")) as warehouse:
                    migrate(warehouse)
                    first, second = _extractions(warehouse)
                    new.append(_documents_a_second(first))
                    unchanged.append(_documents_a_second(second))
        finally:
            server.stop()
    size = f"pages of {DOCUMENTS:,} invoices with {LINES} lines"
    return [
        Figure(f"new records stored, {size}", "documents/s", tuple(new)),
        Figure(f"unchanged records recognised, {size}", "documents/s", tuple(unchanged)),
    ]


def _extractions(warehouse: psycopg.Connection[tuple[object, ...]]) -> Iterator[RawStore]:
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, 'Measured')", (_TENANT,)
    )
    moments = [_STARTED, _STARTED + timedelta(days=1)]
    for moment in moments:
        warehouse.execute(
            "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
            " values (%s, %s, %s, 'running')",
            (_TENANT, moment.date(), moment),
        )
    warehouse.commit()
    for run_id, moment in enumerate(moments, start=1):
        yield RawStore(warehouse, tenant_id=_TENANT, run_id=run_id, known_at=moment)


def _documents_a_second(store: RawStore) -> float:
    pages = [_page(number) for number in range(1, PAGES + 1)]
    started = time.perf_counter()
    for page in pages:
        store.pour(page, walk=Walk(None, _STARTED, page.number))
    return PAGES * DOCUMENTS / (time.perf_counter() - started)


def _page(number: int) -> Page:
    invoices = [_invoice(number * DOCUMENTS + each) for each in range(DOCUMENTS)]
    return Page(
        endpoint=_INVOICES,
        number=number,
        body=json.dumps({"Status": "OK", "Invoices": invoices}).encode(),
        xero_now=_STARTED,
        page_count=PAGES,
        item_count=None,
        seconds=0.0,
        calls=1,
        minute_calls_left=None,
        day_calls_left=None,
        is_last=number == PAGES,
    )


def _invoice(number: int) -> dict[str, object]:
    line = {
        "LineItemID": f"00000000-0000-0000-0001-{number:012}",
        "Description": "Single origin beans, a case of twelve bags",
        "UnitAmount": 12.5,
        "Quantity": 8.0,
        "LineAmount": 100.0,
        "AccountCode": "200",
        "TaxType": "OUTPUT2",
        "TaxAmount": 15.0,
        "Tracking": [],
    }
    return {
        "InvoiceID": f"00000000-0000-0000-0000-{number:012}",
        "Type": "ACCREC",
        "InvoiceNumber": f"INV-{number}",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": f"00000000-0000-0000-0002-{number % 50:012}", "Name": "Kauri"},
        "DateString": "2026-11-20T00:00:00",
        "Date": "/Date(1795132800000+0000)/",
        "DueDate": "/Date(1797724800000+0000)/",
        "LineAmountTypes": "Exclusive",
        "LineItems": [line] * LINES,
        "SubTotal": 500.0,
        "TotalTax": 75.0,
        "Total": 575.0,
        "AmountDue": 575.0,
        "AmountPaid": 0.0,
        "CurrencyCode": "NZD",
        "UpdatedDateUTC": "/Date(1795176000000+0000)/",
    }
