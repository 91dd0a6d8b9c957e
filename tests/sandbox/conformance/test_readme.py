"""The sandbox's README is true: its tables and its map are current, its commands run."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.sandbox.conformance.answers import Reader, path_of
from tests.sandbox.conformance.coverage import README, with_tables
from tests.sandbox.conformance.explained import MISSING
from tests.sandbox.conformance.operations import (
    ACCOUNTING,
    ONLY_AMERICAN,
    SERVED,
    UNSERVED,
    Operation,
)
from xero_sandbox.api import accounting
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.business.traits import SIZES, Traits

BIN = Path(sys.executable).parent
UNKNOWN = "00000000-0000-4000-8000-000000000000"
# The ports that the README names; a test takes free ones.
_PORTS = re.compile(r"\b(9000|9443)\b")


def fences(language: str) -> list[str]:
    """The code of the README in one language, in its order."""
    text = README.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_tables_are_current() -> None:
    written = README.read_text("utf-8")
    assert written == with_tables(written), "python -m tests.sandbox.conformance.coverage"


def test_every_trait_country_and_size_is_named() -> None:
    text = README.read_text("utf-8")
    assert {
        each.name for each in dataclasses.fields(Traits) if f"`{each.name}`" not in text
    } == set()
    assert f"({', '.join(COUNTRIES)})" in text
    assert f"({', '.join(SIZES)})" in text


def test_the_rooms_of_the_map_are_the_packages() -> None:
    _, _, rooms = README.read_text("utf-8").partition("\n## The rooms\n")
    packages = {f"{path.parent.name}/" for path in README.parent.glob("*/__init__.py")}
    modules = {path.name for path in README.parent.glob("*.py") if not path.name.startswith("_")}
    assert set(re.findall(r"`([\w.]+(?:/|\.py))`", rooms)) == packages | modules


def test_every_folder_of_the_whole_map_is_there() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w/]+/)` \|", text, re.MULTILINE)
    assert "include/xero_sandbox/" in rows
    assert [each for each in rows if not (REPOSITORY / each).is_dir()] == []


def test_every_reason_is_used() -> None:
    used = {each.resource for each in ACCOUNTING} | {each.path.strip("/") for each in ACCOUNTING}
    assert set(UNSERVED) - used == set()


@pytest.mark.parametrize("operation", SERVED, ids=lambda operation: operation.name)
def test_what_the_table_calls_served_is_served(
    reader: Reader, american: Reader, operation: Operation
) -> None:
    asked = american if operation in ONLY_AMERICAN else reader
    query = next(asked.queries(operation, ["contactId"] if "Aged" in operation.name else []))
    statuses = {
        asked.get(path_of(operation, arguments), query).status_code
        for arguments in asked.arguments(operation)
    }
    assert statuses == ({200, 404} if operation.name in MISSING else {200})


@pytest.mark.parametrize(
    "operation", sorted(set(ACCOUNTING) - set(SERVED)), ids=lambda operation: operation.name
)
def test_what_the_table_calls_not_served_is_not_found(reader: Reader, operation: Operation) -> None:
    path = path_of(operation, [UNKNOWN] * len(operation.parameters))
    assert reader.get(path).status_code == 404


def test_every_route_is_a_published_operation() -> None:
    known = {_pattern(operation.path) for operation in ACCOUNTING}
    paths = {route.path for route in accounting.routes}
    assert {path for path in paths if _pattern(path) not in known} == set()


def _pattern(path: str) -> str:
    return re.sub(r"{.*?}", "{}", path)


@contextmanager
def started(command: str, folder: Path, port: int) -> Iterator[None]:
    """The README's own command, on another port, while its other commands run."""
    words = command.split()
    words[words.index("--port") + 1] = str(port)
    process = subprocess.Popen(
        [str(BIN / words[0]), *words[1:]], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def run(commands: list[str], folder: Path, port: int) -> str:
    """One shell for all commands, which ends at the first failure; what it printed."""
    script = "\n".join(["set -eu", *commands])
    done = subprocess.run(
        ["bash", "-c", _PORTS.sub(str(port), script)],
        cwd=folder,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{done.stdout[-800:]}\n{done.stderr[-800:]}"
    return done.stdout


@pytest.fixture
def curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not here")


@pytest.mark.usefixtures("curl")
def test_the_commands_of_the_readme_run(tmp_path: Path, free_port: int) -> None:
    start, *rest = fences("sh")
    commands = rest[: next(i for i, text in enumerate(rest) if "--tls" in text)]
    with started(start, tmp_path, free_port):
        printed = run(commands, tmp_path, free_port)
    assert '"InvoiceID"' in printed
    assert "Harbour Tools" in printed
    assert "Given Ltd" in printed


@pytest.mark.usefixtures("curl")
def test_the_commands_over_tls_run(tmp_path: Path, free_port: int) -> None:
    blocks = fences("sh")
    first = next(i for i, text in enumerate(blocks) if "--tls" in text)
    with started(blocks[first], tmp_path, free_port):
        printed = run(blocks[first + 1 :], tmp_path, free_port)
    assert '"https://login.xero.com/identity/connect/authorize"' in printed


def test_the_example_with_pytest_runs(tmp_path: Path) -> None:
    [example] = fences("python")
    (tmp_path / "test_example.py").write_text(example, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "1 passed" in done.stdout, done.stdout[-800:]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
