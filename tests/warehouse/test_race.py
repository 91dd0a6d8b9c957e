"""Thirty processes and one grant whose token has expired: one refresh, whatever is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

TOKEN_PATH = "/connect/token"
REPOSITORY = Path(__file__).resolve().parents[2]
PROCESSES = [pytest.param(30, marks=pytest.mark.campaign), 3]

Together = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def processes() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warehouse.refreshing"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process


class Expired:
    """A grant whose access token has expired, here and at Xero, and who uses it."""

    def __init__(self, sandbox: Any, processes: subprocess.Popen[str], **job: Any) -> None:
        self.sandbox = sandbox
        self._processes = processes
        self._job = job
        self.now = datetime.now(UTC)
        self.wait(minutes=31)
        sandbox.control("DELETE", "requests")

    def wait(self, *, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        self.sandbox.control("POST", "clocks", {"identity": self.now.isoformat()})

    def used_by(
        self, count: int, *, dies: bool = False, lends: bool = False
    ) -> list[dict[str, Any]]:
        """What became of so many processes that wanted it at once."""
        stdin, stdout = self._processes.stdin, self._processes.stdout
        assert stdin is not None
        assert stdout is not None
        how = {"count": count, "dies": dies, "lends": lends, "now": self.now.isoformat()}
        job = {**self._job, **how}
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
        told: list[dict[str, Any]] = json.loads(stdout.readline())
        assert len(told) == count
        return told

    def fault(self, kind: str, **rule: Any) -> None:
        self.sandbox.control("POST", "faults", {"path": TOKEN_PATH, "kind": kind, **rule})

    def refreshes(self) -> list[int | None]:
        entries = self.sandbox.control("GET", "requests")
        return [entry["status"] for entry in entries if entry["path"] == TOKEN_PATH]


@pytest.fixture
def expired(app, connected, warehouse, warehouse_dsn, keys, xero_sandbox, processes) -> Expired:
    (row,) = warehouse.execute("select grant_id::text from xero_ops.grants").fetchall()
    job = {"app": vars(app), "dsn": warehouse_dsn, "keys": keys, "grant_id": row[0]}
    return Expired(xero_sandbox, processes, **job)


def all_well(told: list[dict[str, Any]]) -> bool:
    """Whether all have the same token, and Xero accepts it."""
    return {each.get("status") for each in told} == {200} and len(tokens(told)) == 1


def tokens(told: list[dict[str, Any]]) -> set[str]:
    return {each["token"] for each in told if "token" in each}


def state(warehouse: Any) -> str:
    (row,) = warehouse.execute("select state from xero_ops.grants").fetchall()
    return str(row[0])


@pytest.mark.parametrize("lends", [False, True], ids=["own connection", "lent connection"])
@pytest.mark.parametrize("count", PROCESSES)
def test_processes_that_use_an_expired_grant_at_once_refresh_it_once(expired, count, lends):
    expired.fault("slow", seconds=0.5)
    assert all_well(expired.used_by(count, lends=lends))
    assert expired.refreshes() == [200]


@pytest.mark.parametrize("count", PROCESSES)
def test_answer_lost_to_one_process_is_made_good_by_the_next(expired, warehouse, count):
    expired.fault("refresh_answer_lost")
    told = expired.used_by(count)
    lost = [each for each in told if "error" in each]
    assert lost == [{"error": "UnavailableError"}]
    assert all_well([each for each in told if each not in lost])
    assert expired.refreshes() == [None, 200]
    # Whom it happened to is tried again, and finds what the others have.
    assert tokens(expired.used_by(1)) == tokens(told)
    assert expired.refreshes() == [None, 200]
    assert state(warehouse) == "active"


@pytest.mark.parametrize("count", PROCESSES)
def test_process_killed_between_the_answer_and_its_commit_costs_no_consent(
    expired, warehouse, count
):
    assert expired.used_by(1, dies=True) == [{"exit": -signal.SIGKILL}]
    assert expired.refreshes() == [200]
    expired.wait(minutes=29)
    assert all_well(expired.used_by(count))
    assert expired.refreshes() == [200, 200]
    assert state(warehouse) == "active"


@pytest.mark.parametrize("count", PROCESSES)
def test_answer_lost_for_longer_than_the_grace_is_a_lost_consent_and_asked_once(
    expired, warehouse, count
):
    assert expired.used_by(1, dies=True) == [{"exit": -signal.SIGKILL}]
    expired.wait(minutes=31)
    for _ in range(2):
        assert expired.used_by(count) == [{"error": "ConsentLostError"}] * count
    assert expired.refreshes() == [200, 400]
    assert state(warehouse) == "needs_reconnect"
