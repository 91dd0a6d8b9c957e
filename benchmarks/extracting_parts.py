"""What `extracting` measures, each in a fresh process without Airflow, so that peaks are its own.

`python -m benchmarks.extracting_parts PART` reads where to, as JSON, does one thing and prints
what it took. Imports are over before anything is measured, those of the first connection, too: a
task of Airflow's finds them in the process that started it (`warm_start`).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from xero_python.accounting import AccountingApi
from xero_python.api_client.serializer import serialize

from airflow_xero.client import PAGE_SIZE, XeroClient
from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import DEFAULT_ENDPOINTS
from airflow_xero.extract import Extracted, Tenant, extract_day
from airflow_xero.oauth import XeroApp, new_http
from airflow_xero.sdk_client import SafeApiClient

DAY = date(2026, 11, 19)

_INVOICES = tuple(
    endpoint for endpoint in DEFAULT_ENDPOINTS if endpoint.name in ("organisations", "invoices")
)
_REPORTS = {each.name for each in DEFAULT_ENDPOINTS if each.reading is Reading.REPORT}
_MEBIBYTE = 2**20
_Documents = Iterator[tuple[str, str]]
_NEXT = re.compile(r"[\s,]*")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
# The columns, the primary key and the storage of our own table.
_BARE = """
create table bare (like xero_raw.invoices including defaults) with (toast_tuple_target = 4080);
alter table bare add primary key (tenant_id, record_id, known_from);
"""


@dataclass(frozen=True)
class Given:
    """Where pages come from and go to, how many of them, and as at which day."""

    url: str
    dsn: str
    tenant_id: str
    token: str = "none"
    invoices: int = 0
    day: str = DAY.isoformat()

    def starts(self) -> range:
        """The first invoice of every page."""
        return range(0, self.invoices, PAGE_SIZE)


def library(given: Given) -> Mapping[str, float]:
    """Extract all invoices; seconds, calls, and the memory above that of the start."""
    # Begins the peak anew.
    Path("/proc/self/clear_refs").write_text("5")
    before = psutil.Process().memory_info().rss
    started = time.perf_counter()
    counts = _extract(given, _INVOICES).counts["invoices"]
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "invoices": counts.records_new,
        "calls": counts.calls,
        "mebibytes": (_peak() - before) / _MEBIBYTE,
    }


def night(given: Given) -> Mapping[str, float]:
    """Extract everything; calls, rows written, and seconds of CPU."""
    started = time.process_time()
    counts = _extract(given, DEFAULT_ENDPOINTS).counts
    cpu_seconds = time.process_time() - started
    return {
        "cpu_seconds": cpu_seconds,
        "calls": sum(each.calls for each in counts.values()),
        # The reports of a day are new, whatever happened on it.
        "rows": sum(
            each.records_new + each.records_changed + each.records_deleted
            for name, each in counts.items()
            if name not in _REPORTS
        ),
    }


def copy(given: Given) -> Mapping[str, float]:
    """COPY the same documents, split beforehand, into a bare table."""
    return _copied(given, _documents)


def copy_compact(given: Given) -> Mapping[str, float]:
    """The same, their whitespace taken out beforehand: a fourth of Xero's bytes."""
    return _copied(given, _respelled)


def _copied(given: Given, documents: Callable[[str], _Documents]) -> Mapping[str, float]:
    pages = []
    with httpx.Client(trust_env=False) as http:
        for number, _ in enumerate(given.starts(), start=1):
            answer = http.get(f"{given.url}/api.xro/2.0/Invoices", params={"page": number})
            pages.append(_lines(given, documents(answer.text)))
    with psycopg.connect(given.dsn) as connection:
        connection.execute(_BARE)
        connection.commit()
        started = time.perf_counter()
        _copy(connection, pages)
        return {"seconds": time.perf_counter() - started, "invoices": given.invoices}


def sdk(given: Given) -> Mapping[str, float]:
    """Read with xero-python's models, and COPY what they are serialised to, page by page."""
    accounting = AccountingApi(SafeApiClient(given.url, access_token=lambda _: given.token))
    with psycopg.connect(given.dsn) as connection:
        connection.execute(_BARE)
        connection.commit()
        started = time.perf_counter()
        for number, _ in enumerate(given.starts(), start=1):
            answer = accounting.get_invoices(given.tenant_id, page=number, page_size=PAGE_SIZE)
            _copy(connection, [_lines(given, _spelled(map(serialize, answer.invoices)))])
        return {"seconds": time.perf_counter() - started, "invoices": given.invoices}


def _extract(given: Given, endpoints: Sequence[Endpoint]) -> Extracted:
    url = given.url
    app = XeroApp("measured", "id", "secret", f"{url}/callback", (), url, url, url)
    with new_http() as http, psycopg.connect(given.dsn) as warehouse:
        return extract_day(
            Tenant(given.tenant_id, "Measured", ""),
            date.fromisoformat(given.day),
            client=XeroClient(app, access_token=lambda: given.token, http=http),
            warehouse=warehouse,
            endpoints=endpoints,
        )


def _documents(page: str) -> _Documents:
    """The invoices of a page by id, spelled as Xero spells them."""
    decoder = json.JSONDecoder()
    place = page.index("[", page.index('"Invoices"')) + 1
    while (place := _NEXT.match(page, place).end()) and page[place] != "]":  # type: ignore[union-attr]
        document, end = decoder.raw_decode(page, place)
        yield document["InvoiceID"], page[place:end]
        place = end


def _respelled(page: str) -> _Documents:
    return _spelled(json.loads(page)["Invoices"])


def _spelled(invoices: Iterable[Any]) -> _Documents:
    for each in invoices:
        yield each["InvoiceID"], json.dumps(each, separators=(",", ":"))


def _lines(given: Given, documents: _Documents) -> bytes:
    """Rows of COPY's text format: tabs between columns, line ends and backslashes escaped."""
    before, after = f"{given.tenant_id}\t", "\t2026-11-20\t\\N\t2026-11-20\tf\t"
    return "".join(
        f"{before}{invoice_id}{after}{document.translate(_ESCAPES)}\t1\n"
        for invoice_id, document in documents
    ).encode()


def _copy(connection: psycopg.Connection[Any], pages: Sequence[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy("copy bare from stdin") as rows:
        for page in pages:
            rows.write(page)
    connection.commit()


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


PARTS: Mapping[str, Callable[[Given], Mapping[str, float]]] = {
    part.__name__: part for part in (library, night, copy, copy_compact, sdk)
}

if __name__ == "__main__":
    new_http().close()
    print(json.dumps(PARTS[sys.argv[1]](Given(**json.load(sys.stdin)))))
