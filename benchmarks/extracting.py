"""How fast, and in how little memory, one organisation is extracted; and what it costs at rest.

Needs the library, an embedded Postgres with fsync on, prepared pages (`given_pages`) and, for the
next night, the sandbox; no Airflow. Client, Postgres and the server of the pages share the
machine's cores. Rates, bare COPY and xero-python take turns, so that ratios are of one moment.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg

from airflow_xero.migrate import migrate
from benchmarks.extracting_parts import DAY, Given
from benchmarks.figures import Figure
from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres
from xero_sandbox.identity.registration import AppSettings
from xero_sandbox.testing import SandboxServer

INVOICES = 50_000
# xero-python needs a minute for as many; its rate is that of fewer.
SDK_INVOICES = 5_000
FEW, MANY = 5_000, 200_000
LATENCY_MS = 150

_TENANT = "11111111-2222-3333-4444-555555555555"
_TEMPLATE = "migrated"
# One in the morning in Auckland, before a Saturday on which the organisation of this seed rests.
_NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_SEED = 2
_NIGHT = timedelta(days=1)

Sample = dict[str, float]


def measure(samples: int) -> list[Figure]:
    """Every goal of the extraction of one organisation."""
    with _postgres() as server, _given_pages(MANY) as pages:
        rounds = [_round(server, pages) for _ in range(samples)]
        nights = [_next_night(server) for _ in range(samples)]
    return [*_rates(rounds), *_memory(rounds), *_rest(nights)]


def _round(server: EmbeddedPostgres, pages: str) -> dict[str, Sample]:
    def sample(part: str, invoices: int, latency: int = 0) -> Sample:
        with _warehouse(server, _TENANT) as dsn:
            url = f"{pages}/{latency}/{invoices}"
            return _part(part, Given(url, dsn, _TENANT, invoices=invoices))

    return {
        "copy": sample("copy", INVOICES),
        "compact": sample("copy_compact", INVOICES),
        "plain": sample("library", INVOICES),
        "late": sample("library", INVOICES, LATENCY_MS),
        "sdk": sample("sdk", SDK_INVOICES),
        "few": sample("library", FEW),
        "many": sample("library", MANY),
    }


def _next_night(server: EmbeddedPostgres) -> Sample:
    app = AppSettings()
    with SandboxServer(demo=False, app=app) as sandbox:
        sandbox.control("POST", "clocks", {"business": _NOW.isoformat()})
        wanted = {"name": "Measured", "seed": _SEED, "days": 365}
        tenant_id = sandbox.control("POST", "organisations", wanted)["tenantId"]
        answer = httpx.post(
            f"{sandbox.url}/connect/token",
            data={"grant_type": "client_credentials"},
            auth=(app.client_id, app.client_secret),
            trust_env=False,
        )
        token = answer.raise_for_status().json()["access_token"]
        with _warehouse(server, tenant_id) as dsn:
            given = Given(sandbox.url, dsn, tenant_id, token)
            _part("night", given)
            sandbox.control("POST", "clocks", {"business": (_NOW + _NIGHT).isoformat()})
            return _part("night", replace(given, day=(DAY + _NIGHT).isoformat()))


def _rates(rounds: Sequence[dict[str, Sample]]) -> list[Figure]:
    what = f"{INVOICES:,} invoices of 3 lines"
    plain, late, copy, compact, sdk = (
        tuple(each[part]["invoices"] / each[part]["seconds"] for each in rounds)
        for part in ("plain", "late", "copy", "compact", "sdk")
    )
    return [
        Figure(f"{what} into versioned rows", "invoices/s", plain, "12,000 invoices/s"),
        Figure(f"the same, every answer {LATENCY_MS} ms late", "invoices/s", late, "8,000"),
        Figure("calls of that", "calls", _column(rounds, "late", "calls"), "50 calls"),
        Figure("bare COPY of the same documents, already split", "invoices/s", copy),
        Figure("share of bare COPY", "", _ratios(plain, copy), "0.6"),
        Figure("bare COPY of them without their whitespace", "invoices/s", compact),
        Figure("share of COPY without whitespace", "", _ratios(plain, compact)),
        Figure("xero-python's models and COPY", "invoices/s", sdk),
        Figure("times xero-python", "times", _ratios(plain, sdk), "3 times"),
    ]


def _memory(rounds: Sequence[dict[str, Sample]]) -> list[Figure]:
    return [
        Figure(
            f"memory above the start, {count:,} invoices",
            "MiB",
            _column(rounds, part, "mebibytes"),
            "60 MiB",
        )
        for part, count in (("few", FEW), ("plain", INVOICES), ("many", MANY))
    ]


def _rest(nights: Sequence[Sample]) -> list[Figure]:
    of = "next night, nothing changed"
    return [
        Figure(
            f"{of}: rows written, but for that day's reports",
            "rows",
            tuple(n["rows"] for n in nights),
            "none",
        ),
        # One more up to the 15th: the trial balance of the month end before (docs/connect-xero.md).
        Figure(f"{of}: calls", "calls", tuple(n["calls"] for n in nights), "25 calls"),
        Figure(f"{of}: CPU after imports", "s", tuple(n["cpu_seconds"] for n in nights), "0.5 s"),
    ]


def _column(rounds: Sequence[dict[str, Sample]], part: str, name: str) -> tuple[float, ...]:
    return tuple(each[part][name] for each in rounds)


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    return tuple(our / their for our, their in zip(ours, theirs, strict=True))


def _part(name: str, given: Given) -> Sample:
    """Run a part in a process of its own; what it printed."""
    command = [sys.executable, "-m", "benchmarks.extracting_parts", name]
    # Not as an argument: that would show the token to everybody on the machine.
    asked = json.dumps(asdict(given)).encode()
    done = subprocess.run(command, input=asked, check=True, stdout=subprocess.PIPE)
    found: Sample = json.loads(done.stdout)
    return found


@contextmanager
def _postgres() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.create()
        server.start(free_port())
        try:
            server.create_database(_TEMPLATE)
            with psycopg.connect(server.dsn(_TEMPLATE)) as warehouse:
                migrate(warehouse)
            yield server
        finally:
            server.stop()


@contextmanager
def _warehouse(server: EmbeddedPostgres, tenant_id: str) -> Iterator[str]:
    """A fresh warehouse of one organisation, on a server that has nothing left to write."""
    server.create_database("sample", template=_TEMPLATE)
    try:
        with psycopg.connect(server.dsn("sample"), autocommit=True) as warehouse:
            warehouse.execute(
                "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, 'Measured')",
                (tenant_id,),
            )
            warehouse.execute("checkpoint")
        yield server.dsn("sample")
    finally:
        server.drop_database("sample")


@contextmanager
def _given_pages(invoices: int) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.given_pages", str(invoices)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as server:  # type: ignore[call-overload]
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.communicate()
