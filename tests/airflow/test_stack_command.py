"""`local-stack airflow …`: a command of Airflow's own reaches the Airflow that runs here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.ports import free_port
from local_stack.progress import Progress
from local_stack.settings import Settings
from local_stack.stack import WAREHOUSE_CONNECTION, Stack, open_stack

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing was started."""
    folder = tmp_path / "clone"
    for name in ("include", "dags", "plugins", "dbt"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    return folder


@pytest.fixture
def stack(clone: Path) -> Iterator[Stack]:
    """Both databases of a clone, migrated; no other process, because none is needed."""
    made = open_stack(Settings(repository=clone), Progress())
    ports: dict[str, int] = {}
    for name in ("airflow", "sandbox", "postgres"):
        ports[name] = free_port(taken=set(ports.values()))
    made.state.set("ports", ports)
    made.state.set("first_day", "2026-11-20")
    try:
        made.start_postgres()
        made.migrate_airflow()
        made.migrate_warehouse()
        yield made
    finally:
        made.stop()


def typed(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What a person gets who types it at another terminal, with a home of their own."""
    foreign = ("AIRFLOW", "XERO_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
    home = clone.parent / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "local_stack", *words],
        env={**kept, "HOME": str(home), "PYTHONPATH": str(clone / "include")},
        cwd=clone,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_airflows_commands_know_the_connections_of_what_runs_and_leave_nothing_at_home(
    stack: Stack, clone: Path
) -> None:
    connections = {each.pop("connection_id"): each for each in stack.connections()}
    (clone / "connections.json").write_text(json.dumps(connections))
    # By its name alone: the command works where it is typed.
    added = typed(clone, "airflow", "connections", "import", "connections.json")
    assert added.returncode == 0, added.stderr

    told = typed(clone, "airflow", "xero", "status")

    assert told.returncode == 0, told.stderr
    assert "No organisation is connected yet" in told.stdout
    assert list((clone.parent / "home").glob("*")) == []

    refused = typed(clone, "airflow", "xero", "let-read", "nobody-is-called-so", "--every-tenant")

    # Its words and its status are those of the command itself.
    assert refused.returncode != 0
    assert "nobody-is-called-so" in refused.stdout + refused.stderr
    assert WAREHOUSE_CONNECTION not in refused.stdout + refused.stderr


def test_where_nothing_runs_it_says_what_starts_it_and_makes_nothing(clone: Path) -> None:
    refused = typed(clone, "airflow", "xero", "status")

    assert refused.returncode == 1
    assert "`make run` starts it" in refused.stderr
    assert not (clone / ".local").exists()


def test_the_other_commands_take_no_further_words(clone: Path) -> None:
    refused = typed(clone, "status", "all")

    assert refused.returncode == 2
    assert "status takes no further words" in refused.stderr
