"""Both commands as a newcomer types them, in a copy of the tree, with the usual ports taken.

The whole story is played once; each test looks at one part of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]

_REPOSITORY = Path(__file__).resolve().parents[2]
_ORGANISATIONS = ("Kauri Coffee Roasters", "Beacon & Sons <Joinery>", "Måne Studio 🌙")
_USUAL_PORTS = (8080, 8090, 5499)


@dataclass(frozen=True)
class Spoken:
    """What one command printed, how it ended and how long it took."""

    text: str
    status: int
    seconds: float


@dataclass(frozen=True)
class Warehouse:
    """What must not change when nothing new happens."""

    versions: int
    runs: list[tuple[str, str]]


@dataclass(frozen=True)
class Played:
    """Every scene of the story."""

    copy: Path
    first: Spoken
    after_first: Warehouse
    listeners: set[str]
    memory_bytes: int
    secrets: list[str]
    second: Spoken
    stop: Spoken
    left_after_stop: list[str]
    resumed: Spoken
    after_resumed: Warehouse
    after_death: Spoken
    after_postgres_died: Warehouse
    reset: Spoken
    left_after_reset: list[str]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    copy = tmp_path_factory.mktemp("clone of it")
    _copy_tree(copy)
    try:
        with ExitStack() as neighbours:
            _take_usual_ports(neighbours)
            first = _make(copy, "run")
            assert first.status == 0, first.text
            yield _play_on(copy, first)
    finally:
        _make(copy, "reset")


def _play_on(copy: Path, first: Spoken) -> Played:
    after_first, family = _warehouse(copy), _family(copy)
    return Played(
        copy=copy,
        first=first,
        after_first=after_first,
        listeners=_listeners(family),
        memory_bytes=sum(map(_memory_bytes, family)),
        secrets=[path.read_text().strip() for path in (copy / ".local/demo/secrets").iterdir()],
        second=_make(copy, "run"),
        stop=_make(copy, "stop"),
        left_after_stop=_names(copy),
        resumed=_make(copy, "run"),
        after_resumed=_warehouse(copy),
        after_death=_run_after_postgres_died(copy),
        after_postgres_died=_warehouse(copy),
        reset=_make(copy, "reset"),
        left_after_reset=_names(copy),
    )


def _run_after_postgres_died(copy: Path) -> Spoken:
    """Kill the server as a machine short of memory does, and type `make run` again."""
    pid = int((copy / ".local/demo/postgres/data/postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    server.kill()
    psutil.wait_procs([server], timeout=10)
    return _make(copy, "run")


def _copy_tree(copy: Path) -> None:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=_REPOSITORY, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (_REPOSITORY / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_REPOSITORY / name, copy / name)


def _take_usual_ports(neighbours: ExitStack) -> None:
    for port in _USUAL_PORTS:
        try:
            neighbours.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue  # Somebody has it already, which serves as well.


def _make(copy: Path, target: str) -> Spoken:
    # Without the flags of a `make` that runs these tests.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    python = getattr(sys, "_base_executable", sys.executable)
    started = time.monotonic()
    done = subprocess.run(
        ["make", "--no-print-directory", target, f"PYTHON={python}"],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return Spoken(done.stdout, done.returncode, time.monotonic() - started)


def _family(copy: Path) -> list[psutil.Process]:
    """Every process that lives in the copy."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(copy / ".local"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _names(copy: Path) -> list[str]:
    names = []
    for process in _family(copy):
        with suppress(psutil.NoSuchProcess):
            names.append(process.name())
    return names


def _memory_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        # A task, or a session of Postgres, ended meanwhile.
        return 0


def _listeners(family: list[psutil.Process]) -> set[str]:
    addresses = set()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    addresses.add(connection.laddr.ip)
    return addresses


def _warehouse(copy: Path) -> Warehouse:
    folder = copy / ".local" / "demo"
    state = json.loads((folder / "state.json").read_text())
    password = (folder / "postgres" / "password").read_text().strip()
    server = f"postgresql://postgres:{password}@127.0.0.1:{state['ports']['postgres']}"
    with psycopg.connect(f"{server}/warehouse") as connection:
        counted = connection.execute(
            "select (select count(*) from xero_raw.invoices)"
            " + (select count(*) from xero_raw.contacts)"
            " + (select count(*) from xero_raw.payments)"
        ).fetchone()
    with psycopg.connect(f"{server}/airflow") as connection:
        runs = connection.execute(
            "select run_id, state from dag_run where dag_id = 'xero_daily' order by run_id"
        ).fetchall()
    return Warehouse(counted[0] if counted else 0, [(run[0], run[1]) for run in runs])


def test_the_first_run_ends_with_statistics_of_every_organisation(played: Played) -> None:
    for name in _ORGANISATIONS:
        assert name in played.first.text
    assert len(re.findall(r"\bpayables\b", played.first.text)) == len(_ORGANISATIONS)


def test_every_printed_address_is_localhost(played: Played) -> None:
    assert "127.0.0.1" not in played.first.text
    assert "http://localhost:" in played.first.text


def test_busy_ports_are_replaced_and_said_so(played: Played) -> None:
    for port in _USUAL_PORTS:
        assert f"port {port} is in use" in played.first.text
        assert not re.search(rf"localhost:{port}\b", played.first.text)


def test_three_nights_ended_green_one_after_another(played: Played) -> None:
    assert [state for _, state in played.after_first.runs] == ["success"] * 3
    days = [run_id.removeprefix("manual__")[:10] for run_id, _ in played.after_first.runs]
    assert len(set(days)) == 3
    assert re.findall(r"night of (\S+): started", played.first.text) == days


def test_everything_listens_on_loopback_only(played: Played) -> None:
    assert {"127.0.0.1"} <= played.listeners <= {"127.0.0.1", "::1"}


def test_everything_fits_into_its_memory(played: Played) -> None:
    assert played.memory_bytes < 2.5e9


def test_only_the_two_promised_secrets_are_printed(played: Played) -> None:
    shown = [secret for secret in played.secrets if secret in played.first.text]
    assert len(shown) == 2


def test_a_second_run_repeats_nothing_and_is_quick(played: Played) -> None:
    assert played.second.status == 0
    assert "night of" not in played.second.text
    assert "starting" not in played.second.text
    assert _ORGANISATIONS[0] in played.second.text
    assert played.second.seconds < 60


def test_stop_ends_every_process(played: Played) -> None:
    assert played.stop.status == 0
    assert played.left_after_stop == []


def test_a_run_after_stop_resumes_without_losing_or_repeating(played: Played) -> None:
    assert played.resumed.status == 0
    assert "night of" not in played.resumed.text
    assert played.after_resumed == played.after_first
    assert played.resumed.seconds < 60


def test_a_run_after_postgres_died_mends_everything_at_once(played: Played) -> None:
    assert played.after_death.status == 0, played.after_death.text
    assert "night of" not in played.after_death.text
    assert played.after_postgres_died == played.after_resumed


def test_reset_leaves_neither_processes_nor_state(played: Played) -> None:
    assert played.reset.status == 0
    assert played.left_after_reset == []
    assert not (played.copy / ".local").exists()
