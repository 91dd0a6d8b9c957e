"""How fast the sandbox builds organisations and serves their pages, and how much memory it takes.

Needs the sandbox alone: no Postgres, no Airflow. Everything is measured in a process of its own,
started for this one thing, so that peaks of memory do not add up. `python -m benchmarks.sandbox
NAME` is such a process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from benchmarks.figures import Figure
from xero_sandbox.business.company import build_company
from xero_sandbox.identity.registration import AppSettings
from xero_sandbox.testing import SandboxServer

_NOW = datetime(2026, 11, 20, 19, 30, tzinfo=UTC)
_TWO_YEARS = 730
_COUNTRIES = ("NZ", "GB", "US")
_SMALL = 1000
_SCOPES = "accounting.invoices.read accounting.settings.read"
_PAGE = 1000
_WALKS = 3
_GIGABYTE = 2**20  # ru_maxrss counts in KiB


def measure(samples: int) -> list[Figure]:
    """Seconds and gigabytes to build organisations; documents a second when pages are served."""
    three = [_sample("three") for _ in range(samples)]
    everything = [_sample("three_all") for _ in range(samples)]
    small = [_sample("small") for _ in range(samples)]
    large = [_large() for _ in range(samples)]
    return [
        _figure(three, "seconds", "3 plain organisations of 2 years", unit="s", promise="2 s"),
        _figure(
            everything,
            "seconds",
            "3 organisations of 2 years, all features",
            unit="s",
            promise="2 s",
        ),
        _figure(everything, "documents", "documents of one of those", unit="documents"),
        _figure(small, "seconds", "1,000 organisations of 30 days", unit="s", promise="20 s"),
        _figure(small, "gigabytes", "memory of those 1,000", unit="GB", promise="1 GB"),
        _figure(
            large,
            "seconds",
            "an organisation of 100,000 invoices, until it answers",
            unit="s",
            promise="60 s",
        ),
        _figure(large, "cold", "its pages of 1,000, first time, one core", unit="documents/s"),
        _figure(
            large,
            "warm",
            "its pages of 1,000, again, one core",
            unit="documents/s",
            promise="25,000 documents/s",
        ),
        _figure(large, "gigabytes", "memory of it, all pages served", unit="GB", promise="1.5 GB"),
    ]


def _figure(
    samples: list[dict[str, float]], key: str, name: str, *, unit: str, promise: str = ""
) -> Figure:
    return Figure(f"sandbox: {name}", unit, tuple(sample[key] for sample in samples), promise)


def _sample(name: str) -> dict[str, float]:
    """Run a process of this module; what it printed."""
    command = [sys.executable, "-m", "benchmarks.sandbox", name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _build(count: int, days: int, **traits: object) -> list[Any]:
    """Build so many organisations, one after the other."""
    built = []
    for index in range(count):
        country = _COUNTRIES[index % len(_COUNTRIES)]
        each = build_company(
            f"Measured {index}",
            seed=index,
            days=days,
            now=_NOW,
            traits={"country": country, **traits},
        )
        each.advance(_NOW)
        built.append(each)
    return built


def _documents(companies: list[Any]) -> float:
    """How many documents the first of them has: everything with lines."""
    books = companies[0].books
    return float(len(books.documents) + len(books.bank_transactions) + len(books.quotes))


def _timed(count: int, days: int, **traits: object) -> dict[str, float]:
    started = time.perf_counter()
    built = _build(count, days, **traits)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "documents": _documents(built), "gigabytes": _peak()}


def _three() -> dict[str, float]:
    return _timed(3, _TWO_YEARS, invoices_per_day=1.8)


def _three_all() -> dict[str, float]:
    return _timed(
        3,
        _TWO_YEARS,
        features=["all"],
        invoices_per_day=0.7,
        bills_per_day=0.5,
        bank_transactions_per_day=0.3,
    )


def _small() -> dict[str, float]:
    return _timed(_SMALL, 30, size="small")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIGABYTE


def _large() -> dict[str, float]:
    """Serve the large organisation from a process on one core; read all its pages from here."""
    command = [sys.executable, "-m", "benchmarks.sandbox", "serve"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as server:  # type: ignore[call-overload]
        url, token, tenant_id = server.stdout.readline().split()
        headers = {
            "Authorization": f"Bearer {token}",
            "xero-tenant-id": tenant_id,
            "Accept": "application/json",
        }
        with httpx.Client(base_url=url, headers=headers, timeout=600, trust_env=False) as http:
            started = time.perf_counter()
            http.get("/api.xro/2.0/Organisation").raise_for_status()
            found = {"seconds": time.perf_counter() - started, "cold": _walk(http)}
            found["warm"] = max(_walk(http) for _ in range(_WALKS))
        # Closing its input lets it say how much memory it took.
        rest, _ = server.communicate()
        found["gigabytes"] = float(rest)
    return found


def _walk(http: httpx.Client) -> float:
    """Read every page of the invoices; documents a second, the bytes unread."""
    started = time.perf_counter()
    params = {"page": 1, "pageSize": _PAGE}
    first = http.get("/api.xro/2.0/Invoices", params=params)
    first.raise_for_status()
    pagination = first.json()["pagination"]
    for page in range(2, pagination["pageCount"] + 1):
        http.get("/api.xro/2.0/Invoices", params={**params, "page": page}).raise_for_status()
    return float(pagination["itemCount"] / (time.perf_counter() - started))


def _serve() -> None:
    """Serve one large organisation without limits until the input ends; then print the peak."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    app = AppSettings()
    with SandboxServer(demo=False, app=app) as sandbox:
        planned = sandbox.control(
            "POST",
            "organisations",
            {"name": "Large", "seed": 1, "days": _TWO_YEARS, "traits": {"size": "huge"}},
        )
        sandbox.control("POST", "limits", {"enabled": False})
        answer = httpx.post(
            f"{sandbox.url}/connect/token",
            data={"grant_type": "client_credentials", "scope": _SCOPES},
            auth=(app.client_id, app.client_secret),
            trust_env=False,
        )
        token = answer.raise_for_status().json()["access_token"]
        print(sandbox.url, token, planned["tenantId"], flush=True)
        sys.stdin.read()
    print(_peak())


_PARTS: Mapping[str, Callable[[], dict[str, float]]] = {
    "three": _three,
    "three_all": _three_all,
    "small": _small,
}

if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        print(json.dumps(_PARTS[sys.argv[1]]()))
