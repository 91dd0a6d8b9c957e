"""Workers and Postgres killed at any moment: the next try ends with what Xero has, once each."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psutil
import psycopg
import pytest

from airflow_xero.endpoint import Endpoint
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import WarehouseBusyError
from airflow_xero.migrate import migrate
from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.extraction import DAY, KEY, ConnectedApp
from tests.warehouse.misfortune import (
    CLOCK,
    LISTS,
    REPORTS,
    World,
    assert_claims_hold,
    assert_equal,
    persevere,
    try_once,
)
from xero_sandbox.testing import SandboxServer

KILLS, FAST_KILLS, BATCH = 50, 4, 23
POSTGRES_KILLS, FAST_POSTGRES_KILLS = 10, 1
MOST_DRAWS = 20
REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 60.0


def begin(world: World, random: Random) -> int:
    """A first night, or a later one after edits; how many calls it takes at least."""
    world.begin_again()
    chosen: list[Endpoint] = random.sample(LISTS[1:], 8) + random.sample(REPORTS, 2)
    world.xero.endpoints = [CLOCK, *sorted(chosen, key=ENDPOINTS.index)]
    calls = sum(1 + 2 * (each.paging.value == "sized") for each in chosen)
    if random.random() < 0.6:
        return calls
    persevere(world)
    world.wait_until_due()
    for _ in range(8):
        world.edit(random)
    return len(chosen) - 2


def whole(world: World) -> None:
    """The next try ends with everything, and each record has one version that is current."""
    persevere(world)
    assert_equal(world)
    for endpoint in world.xero.endpoints:
        twice = world.xero.rows.execute(
            f"select record_id from xero_raw.{endpoint.name} where known_to is null"
            " group by record_id having count(*) > 1"
        ).fetchall()
        assert twice == []


def draws(seed: int) -> Iterator[Random]:
    """What moments to kill at are drawn from, until a kill came before its try had ended."""
    for draw in range(MOST_DRAWS):
        print(f"seed={seed} draw={draw}")
        yield Random(f"{seed}/{draw}")
    raise AssertionError(f"of {MOST_DRAWS} tries each ended before it was killed")


def was_cut_short(world: World) -> bool:
    """Whether the last try began, and its end was never written down."""
    found = world.xero.one("select state from xero_ops.extract_runs order by run_id desc limit 1")
    return bool(found == ("running",))


# Workers


class Workers:
    """Processes that extract, each killed at a moment of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def killed(self, world: World, *, at_request: int, delay_seconds: float) -> int:
        """Let a process try, and be killed; how it ended."""
        xero, stdin, stdout = world.xero, self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        job = {
            "app": vars(xero.app),
            "tenant": vars(world.tenant),
            "dsn": xero.dsn,
            "key": KEY,
            "day": DAY.isoformat(),
            "endpoints": [each.name for each in xero.endpoints],
            "at_request": at_request,
            "delay_seconds": delay_seconds,
        }
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
        return int(stdout.readline())


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warehouse.extracting"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Workers(process)


def wait_until_freed(world: World) -> None:
    """Postgres finishes the killed process's statement, and then frees its lock."""
    held = (
        "select from pg_locks where locktype = 'advisory' and database ="
        " (select oid from pg_database where datname = current_database())"
    )
    for _ in range(int(LONGEST_SECONDS / 0.02)):
        if world.xero.one(held) is None:
            return
        world.xero.rows.execute("select pg_sleep(0.02)")
    raise AssertionError("the lock of the killed process is still held")


def in_batches(count: int, fast: int, size: int) -> list[Any]:
    rest = range(fast, count)
    return [
        [*range(fast)],
        *(
            pytest.param(rest[start : start + size], marks=pytest.mark.campaign)
            for start in range(0, len(rest), size)
        ),
    ]


@pytest.mark.parametrize(
    "seeds", in_batches(KILLS, FAST_KILLS, BATCH), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}"
)
def test_after_a_worker_was_killed_the_next_try_ends_with_every_record_once(world, workers, seeds):
    for seed in seeds:
        for random in draws(seed):
            calls = begin(world, random)
            at_request, delay_seconds = random.randint(1, calls), random.uniform(0, 0.03)
            ending = workers.killed(world, at_request=at_request, delay_seconds=delay_seconds)
            assert ending in (-signal.SIGKILL, 0)
            wait_until_freed(world)
            is_hit = was_cut_short(world)
            assert_claims_hold(world)
            whole(world)
            if is_hit:
                break


# Postgres


class Mortal:
    """A Postgres of this test's own, which can be killed and started again.

    Its fsync is off: a killed process loses no write that the operating system has taken, synced
    or not. So this shows what becomes of a crash of Postgres, and nothing of a loss of power.
    """

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedPostgres(folder, is_durable=False)
        self.server.create()
        self.port = free_port()
        self.server.start(self.port)
        self.dsn = self.server.dsn("postgres")
        with psycopg.connect(self.dsn) as connection:
            migrate(connection)

    def die(self, how: signal.Signals) -> None:
        """SIGKILL takes every process at once, SIGQUIT is Postgres's immediate shutdown."""
        pid = self.server.pid
        assert pid is not None
        processes = [psutil.Process(pid)]
        if how is signal.SIGKILL:
            processes += processes[0].children(recursive=True)
        for each in processes:
            each.send_signal(how)

    def rise(self) -> None:
        """Start again, once nothing is left of the old server."""
        left = [
            each
            for each in psutil.process_iter(["cmdline"])
            if str(self.server.data) in (each.info["cmdline"] or ())
        ]
        _, alive = psutil.wait_procs(left, timeout=LONGEST_SECONDS)
        assert alive == []
        self.server.start(self.port)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    mortal = Mortal(tmp_path / "postgres")
    yield mortal
    mortal.server.stop()


@pytest.mark.parametrize(
    "seeds",
    in_batches(POSTGRES_KILLS, FAST_POSTGRES_KILLS, POSTGRES_KILLS),
    ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}",
)
def test_after_postgres_was_killed_the_next_try_ends_with_every_record_once(
    mortal, xero_sandbox: SandboxServer, records_of_every_kind, tmp_path, seeds
):
    """Killed, not without power: fsync is off, and the operating system keeps what was written."""
    with ConnectedApp(xero_sandbox, mortal.dsn) as xero:
        world = World(xero, tmp_path / "books", records_of_every_kind)
        for seed in seeds:
            for random in draws(seed):
                calls = begin(world, random)
                kill_while_extracting(world, mortal, random, calls)
                mortal.rise()
                xero.rows = psycopg.connect(mortal.dsn, autocommit=True)
                is_hit = was_cut_short(world)
                assert_claims_hold(world)
                whole(world)
                if is_hit:
                    break


def kill_while_extracting(world: World, mortal: Mortal, random: Random, calls: int) -> None:
    how = random.choice([signal.SIGKILL, signal.SIGQUIT])
    killer = threading.Timer(random.uniform(0, 0.02), mortal.die, (how,))
    left = [random.randint(1, calls - 1)]

    def count(response: Any) -> None:
        left[0] -= "/api.xro/" in str(response.request.url)
        if left[0] == 0:
            left[0] = -1
            killer.start()

    ended = try_once(world, on_response=count)
    killer.join()
    world.xero.rows.close()
    # Where all was done before the end came, all was well.
    assert ended.state == "complete" or isinstance(ended.error, WarehouseBusyError), ended
    if ended.action is not None:
        assert ended.action.value == "retry"
