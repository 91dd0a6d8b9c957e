"""The whole product on this machine: a fresh clone, a second start, a quiet day of ten.

Clones the last commit into a temporary folder, runs its own make there, and speaks to the stack
that it left running; ends it again. What is not committed is not measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.figures import Figure
from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.nights import DAG_ID, hold_first_extractions
from local_stack.progress import Progress
from local_stack.sandbox import DEMO_PASSWORD
from local_stack.settings import Settings
from local_stack.stack import Stack, open_stack

REPOSITORY = Path(__file__).resolve().parents[1]
TENANTS = 10

_DEMO_TENANTS = 3
_OWNER = "measured@example.com"
_RUN_SECONDS = 600


def measure(samples: int) -> list[Figure]:
    """Seconds to the first statistics, to a second start, of a quiet day; memory of everything."""
    fresh, second, memory, quiet = [], [], [], []
    for sample in range(samples):
        with _clone() as clone:
            fresh.append(_seconds_of_make(clone, "run"))
            memory.append(_gigabytes(clone))
            _make(clone, "stop")
            second.append(_seconds_of_make(clone, "run"))
            # The days themselves are samples enough: one clone gives all of them.
            if sample == samples - 1:
                quiet = _quiet_days(open_stack(Settings(repository=clone), Progress()), samples)
    return [
        Figure("fresh clone to printed statistics", "s", tuple(fresh), "240 s"),
        Figure("memory of everything that runs", "GB", tuple(memory), "2.5 GB"),
        Figure("make run a second time, after make stop", "s", tuple(second), "60 s"),
        Figure(f"xero_daily on a quiet day of {TENANTS} organisations", "s", tuple(quiet), "40 s"),
    ]


@contextmanager
def _clone() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="xero-bench-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
        try:
            yield clone
        finally:
            _make(clone, "stop")
            shutil.rmtree(clone / ".local", ignore_errors=True)


def _make(clone: Path, target: str) -> None:
    foreign = ("AIRFLOW", "DBT_", "XERO_", "VIRTUAL_ENV", "MAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    ended = subprocess.run(
        ["make", "--silent", target],
        cwd=clone,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    if ended.returncode != 0:
        raise SystemExit(f"make {target} failed in the clone:\n{ended.stdout}{ended.stderr}")


def _seconds_of_make(clone: Path, target: str) -> float:
    started = time.perf_counter()
    _make(clone, target)
    return time.perf_counter() - started


def _gigabytes(clone: Path) -> float:
    """The proportional memory of every process that runs out of the clone."""
    total = 0
    for process in psutil.process_iter():
        try:
            if any(str(clone) in word for word in [*process.cmdline(), process.cwd()]):
                total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 1e9


def _quiet_days(stack: Stack, samples: int) -> list[float]:
    api = AirflowApi(stack.airflow().url)
    api.log_in("admin", stack.secrets.value("airflow_admin_password"))
    _connect_more(stack, api)
    today = datetime.now(UTC).replace(hour=12, minute=5, second=0, microsecond=0)
    # The first day reads the new organisations whole; the days after it are quiet.
    seconds = [
        _seconds_of_day(stack, api, today + timedelta(days=each)) for each in range(samples + 1)
    ]
    return seconds[1:]


def _connect_more(stack: Stack, api: AirflowApi) -> None:
    with httpx.Client(base_url=stack.sandbox().url, timeout=120, trust_env=False) as door:
        made = [
            _posted(
                door,
                "/_sandbox/organisations",
                {"name": f"Measured {number}", "seed": 100 + number, "days": 365},
            )["tenantId"]
            for number in range(TENANTS - _DEMO_TENANTS)
        ]
        _posted(
            door,
            "/_sandbox/users",
            {"email": _OWNER, "name": "Owner of seven", "organisations": made},
        )
    hold_first_extractions(api, check=stack.check)
    consent(
        f"{stack.airflow().url}/xero/connect",
        airflow_token=api.http.cookies["_token"],
        email=_OWNER,
        password=DEMO_PASSWORD,
    )


def _posted(door: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = door.post(path, json=body)
    answer.raise_for_status()
    return answer.json()


def _seconds_of_day(stack: Stack, api: AirflowApi, now: datetime) -> float:
    stack.sandbox().set_business_clock(now)
    day = (now - timedelta(days=1)).date().isoformat()
    run_id = f"measured-{day}"
    started = time.perf_counter()
    api.start_run(DAG_ID, {"dag_run_id": run_id, "logical_date": None, "conf": {"day": day}})
    while (state := api.run_state(DAG_ID, run_id)) not in ("success", "failed"):
        if time.perf_counter() - started > _RUN_SECONDS:
            raise SystemExit(f"{run_id} did not end within {_RUN_SECONDS} s")
        time.sleep(0.2)
    if state == "failed":
        raise SystemExit(f"{run_id} failed; its logs are in {stack.airflow().task_logs}")
    return time.perf_counter() - started
