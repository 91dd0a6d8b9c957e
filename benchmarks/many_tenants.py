"""A quiet night of many organisations: the real xero_daily, LocalExecutor, dbt build included.

`python -m benchmarks.many_tenants --tenants 1000` starts Airflow, Postgres and the sandbox in a
temporary folder, connects the organisations under a few grants, reads each for the first time
(through the library in a few processes, outside the measure), publishes, and then measures the
next night. With `--folder` the stack's files stay there, and the next call measures one night more.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from benchmarks.figures import Figure
from benchmarks.tuned_stack import REPOSITORY, SETTINGS, library_environment, open_tuned, running
from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.nights import DAG_ID, Night, hold_first_extractions
from local_stack.sandbox import DEMO_PASSWORD, NAME
from local_stack.stack import Stack

TENANTS = 1_000
PROMISED_SECONDS = 600
_GRANTS = 4
_LOADERS = 2
_RUN_SECONDS = 3_600
# The first night's day; every measured night is one later.
_FIRST_DAY = date(2026, 10, 17)
# Less than a visitor a month: the organisations have books, and nearly no news.
_QUIET = {"invoices_per_day": 0.05, "bills_per_day": 0.05, "bank_transactions_per_day": 0.05}


@dataclass(frozen=True)
class Measured:
    """One night: its wall seconds, its CPU seconds by kind of process, the seconds of dbt."""

    seconds: float
    cpu_seconds: Mapping[str, float]
    dbt_seconds: float
    calls: int

    @property
    def total_cpu_seconds(self) -> float:
        """User and system of every process together."""
        return sum(self.cpu_seconds.values())


def measure(samples: int, *, tenants: int = TENANTS) -> list[Figure]:
    """Seconds and CPU seconds of a quiet night of `tenants` organisations."""
    with tempfile.TemporaryDirectory(prefix="xero-many-") as folder:
        return as_figures(nights(Path(folder), tenants, samples=samples), tenants)


def as_figures(measured: list[Measured], tenants: int) -> list[Figure]:
    """The rows for results.md."""
    promise = f"{PROMISED_SECONDS} s" if tenants == TENANTS else ""
    name = f"xero_daily on a quiet day of {tenants:,} organisations"
    per_tenant = tuple(each.total_cpu_seconds / tenants for each in measured)
    return [
        Figure(name, "s", tuple(each.seconds for each in measured), promise),
        Figure(f"{name}: CPU of all processes, each organisation", "s", per_tenant),
        Figure(f"{name}: dbt_build of it", "s", tuple(each.dbt_seconds for each in measured)),
    ]


def nights(
    folder: Path, tenants: int, *, samples: int, settings: Mapping[str, str] = SETTINGS
) -> list[Measured]:
    """Bring the stack up in `folder`, prepare it unless that is done, and measure nights."""
    stack = open_tuned(folder, settings)
    with running(stack) as api:
        if stack.state.get("measured_day") is None:
            _prepare(stack, api, tenants)
        return [_night(stack, api, tenants) for _ in range(samples)]


def _prepare(stack: Stack, api: AirflowApi, tenants: int) -> None:
    """Connect the organisations, read each for the first time, publish."""
    night = Night(_FIRST_DAY)
    stack.sandbox().set_business_clock(night.starts_at)
    started = time.perf_counter()
    _connect(stack, api, tenants)
    stack.progress.step(f"{tenants} organisations connected: {_since(started)}")
    _first_night(stack, night.day, tenants)
    stack.progress.step(f"first night read and published: {_since(started)}")
    stack.state.set("measured_day", night.day.isoformat())


def _connect(stack: Stack, api: AirflowApi, tenants: int) -> None:
    with httpx.Client(base_url=stack.sandbox().url, timeout=120, trust_env=False) as door:
        made = [
            _posted(
                door,
                "organisations",
                {"name": f"Quiet {number:04}", "seed": number, "days": 40, "traits": _QUIET},
            )["tenantId"]
            for number in range(tenants)
        ]
        for grant in range(_GRANTS):
            owner = {"email": f"owner{grant}@example.com", "name": f"Owner {grant}"}
            _posted(door, "users", {**owner, "organisations": made[grant::_GRANTS]})
    hold_first_extractions(api, check=stack.check)
    for grant in range(_GRANTS):
        consent(
            f"{stack.airflow().url}/xero/connect",
            airflow_token=api.http.cookies["_token"],
            email=f"owner{grant}@example.com",
            password=DEMO_PASSWORD,
        )


def _posted(door: httpx.Client, lever: str, body: Mapping[str, Any]) -> Any:
    answer = door.post(f"/_sandbox/{lever}", json=body)
    answer.raise_for_status()
    return answer.json()


def _first_night(stack: Stack, day: date, tenants: int) -> None:
    """Extract by the library in processes of their own, then build the marts in one."""
    environment = library_environment(stack)
    shares = [f"{share}/{_LOADERS}" for share in range(_LOADERS)]
    loaders = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.first_night", "extract", day.isoformat(), share],
            env=environment,
            cwd=REPOSITORY,
        )
        for share in shares
    ]
    endings = [loader.wait() for loader in loaders]
    if any(endings):
        raise SystemExit("the first night failed: its words are above")
    with psycopg.connect(stack.warehouse().dsn) as warehouse:
        row = warehouse.execute(
            "select count(*) from xero_ops.tenants where complete_at is not null"
        ).fetchone()
    if row != (tenants,):
        raise SystemExit(f"{row} of {tenants} organisations were read")
    subprocess.run(
        [sys.executable, "-m", "benchmarks.first_night", "publish"],
        env=environment,
        cwd=REPOSITORY,
        check=True,
    )


def _night(stack: Stack, api: AirflowApi, tenants: int) -> Measured:
    """Run xero_daily for the day after the last one that was measured."""
    night = Night(date.fromisoformat(stack.state.get("measured_day")) + timedelta(days=1))
    stack.sandbox().set_business_clock(night.starts_at)
    before = _cpu_seconds(stack)
    started = time.perf_counter()
    api.start_run(DAG_ID, night.body())
    while (state := api.run_state(DAG_ID, night.run_id)) not in ("success", "failed"):
        stack.check()
        if time.perf_counter() - started > _RUN_SECONDS:
            raise SystemExit(f"{night.run_id} did not end within {_RUN_SECONDS} s")
        time.sleep(5.0)
    seconds = time.perf_counter() - started
    after = _cpu_seconds(stack)
    stack.state.set("measured_day", night.day.isoformat())
    if state == "failed":
        raise SystemExit(f"{night.run_id} failed; its logs are in {stack.airflow().task_logs}")
    return Measured(
        seconds=seconds,
        cpu_seconds={kind: after[kind] - before[kind] for kind in after},
        dbt_seconds=_dbt_seconds(api, night),
        calls=_checked_calls(stack, night, tenants),
    )


def _dbt_seconds(api: AirflowApi, night: Night) -> float:
    path = f"/api/v2/dags/{DAG_ID}/dagRuns/{night.run_id}/taskInstances/dbt_build"
    return float(api.get_json(path)["duration"])


def _checked_calls(stack: Stack, night: Night, tenants: int) -> int:
    """The calls of the night; SystemExit unless every organisation was read and published."""
    with psycopg.connect(stack.warehouse().dsn) as warehouse:
        row = warehouse.execute(
            "select count(distinct tenant_id), sum(calls), max(calls) from"
            " (select tenant_id, sum(calls) as calls from xero_ops.extract_runs"
            " join xero_ops.extract_endpoints using (run_id, tenant_id)"
            " where day = %s and state = 'complete' and built_at is not null group by 1) as night",
            (night.day,),
        ).fetchone()
    if row is None or row[0] != tenants:
        raise SystemExit(f"{night.run_id} published {row and row[0]} of {tenants} organisations")
    stack.progress.step(f"calls: {row[1]} together, {row[2]} the most of one organisation")
    return int(row[1])


def _cpu_seconds(stack: Stack) -> dict[str, float]:
    """User and system seconds so far, by process of the stack, with its children."""
    roots = {name: _root(stack.settings.folder / "run" / f"{name}.pid") for name in _kinds(stack)}
    roots["postgres"] = stack.server.pid or 0
    return {name: _seconds_of(pid) for name, pid in roots.items()}


def _kinds(stack: Stack) -> list[str]:
    return sorted(stack.children.names(), key=lambda name: name == NAME)


def _root(pid_file: Path) -> int:
    return int(json.loads(pid_file.read_text())["pid"])


def _seconds_of(pid: int) -> float:
    total = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])
    return total


def _since(started: float) -> str:
    return f"{time.perf_counter() - started:.0f} s"


def main() -> None:
    """Measure what was asked for and print the rows."""
    parser = argparse.ArgumentParser(prog="benchmarks.many_tenants", description=__doc__)
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the stack's files here")
    parser.add_argument("--parallelism", default=SETTINGS["AIRFLOW__CORE__PARALLELISM"])
    chosen = parser.parse_args()
    settings = {**SETTINGS, "AIRFLOW__CORE__PARALLELISM": chosen.parallelism}
    with contextlib.ExitStack() as exits:
        folder = chosen.folder or Path(
            exits.enter_context(tempfile.TemporaryDirectory(prefix="xero-many-"))
        )
        measured = nights(
            folder.absolute(), chosen.tenants, samples=chosen.samples, settings=settings
        )
    for each in measured:
        parts = sorted(each.cpu_seconds.items(), key=lambda part: -part[1])
        print(", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in parts))
    for figure in as_figures(measured, chosen.tenants):
        print(figure.as_row())


if __name__ == "__main__":
    main()
