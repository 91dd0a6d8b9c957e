"""Children outlive the command, are recognised later, and are ended with their families."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from local_stack.processes import Child, Children

_SLEEP = "import time; time.sleep(60)"
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(60)"
)
_PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_SLEEP!r}])"


def _child(code: str, name: str = "worker", **environment: str) -> Child:
    return Child(name, (sys.executable, "-c", code), environment)


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    children = Children(tmp_path)
    yield children
    children.stop(children.names(), grace_seconds=0.1)


def _pid_file(tmp_path: Path) -> Path:
    return tmp_path / "run" / "worker.pid"


def test_a_started_child_is_recognised_by_the_next_command(
    children: Children, tmp_path: Path
) -> None:
    child = _child(_SLEEP)
    children.start(child)
    later = Children(tmp_path)
    assert later.is_running("worker")
    assert later.is_current(child)
    assert later.names() == ["worker"]


def test_a_child_leads_a_session_of_its_own_so_that_ctrl_c_spares_it(
    children: Children, tmp_path: Path
) -> None:
    children.start(_child(_SLEEP))
    pid = json.loads(_pid_file(tmp_path).read_text())["pid"]
    assert os.getsid(pid) == pid != os.getsid(0)


def test_a_child_with_another_environment_is_not_current(children: Children) -> None:
    children.start(_child(_SLEEP, PORT="1"))
    assert children.is_current(_child(_SLEEP, PORT="1"))
    assert not children.is_current(_child(_SLEEP, PORT="2"))


def test_the_callers_terminal_does_not_make_a_child_outdated(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    children.start(_child(_SLEEP))
    monkeypatch.setenv("SSH_TTY", "/dev/pts/9")
    assert children.is_current(_child(_SLEEP))


def test_a_pid_that_belongs_to_somebody_else_by_now_counts_as_stopped(
    children: Children, tmp_path: Path
) -> None:
    me = psutil.Process()
    _pid_file(tmp_path).parent.mkdir()
    record = {"pid": me.pid, "started_at": me.create_time() - 3600, "fingerprint": ""}
    _pid_file(tmp_path).write_text(json.dumps(record))
    assert not children.is_running("worker")
    children.stop(["worker"], grace_seconds=0.1)
    assert me.is_running()
    assert children.names() == []


@pytest.mark.parametrize(
    "content", ["", "{", '{"pid": "x"}', '{"pid": 4194999, "started_at": 1.5}']
)
def test_a_damaged_or_outdated_pid_file_counts_as_stopped(
    children: Children, tmp_path: Path, content: str
) -> None:
    _pid_file(tmp_path).parent.mkdir()
    _pid_file(tmp_path).write_text(content)
    assert not children.is_running("worker")


def test_stopping_ends_what_the_child_started_too(children: Children, tmp_path: Path) -> None:
    children.start(_child(_PARENT))
    leader = psutil.Process(json.loads(_pid_file(tmp_path).read_text())["pid"])
    _wait_for(leader.children)
    family = [leader, *leader.children()]
    children.stop(["worker"], grace_seconds=2)
    assert not any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family
    )


def test_a_child_that_ignores_the_request_is_killed(children: Children) -> None:
    children.start(_child(_STUBBORN))
    _wait_for(lambda: "up" in children.log("worker").read_text())
    children.stop(["worker"], grace_seconds=0.2)
    assert not children.is_running("worker")


def test_a_child_that_died_at_once_is_not_running_and_leaves_its_log(children: Children) -> None:
    children.start(_child("raise SystemExit('no luck')"))
    _wait_for(lambda: not children.is_running("worker"))
    assert "no luck" in children.log("worker").read_text()


def test_foreign_settings_of_the_caller_do_not_reach_a_child(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    monkeypatch.setenv("XERO_CLIENT_SECRET", "secret")
    monkeypatch.setenv("HARMLESS", "kept")
    children.start(_child("import os; print(sorted(os.environ), flush=True)"))
    _wait_for(lambda: "]" in children.log("worker").read_text())
    seen = children.log("worker").read_text()
    assert "HARMLESS" in seen
    assert "AIRFLOW_HOME" not in seen
    assert "XERO_CLIENT_SECRET" not in seen


def test_who_a_killed_child_left_behind_is_ended_by_the_next_stop(
    children: Children, tmp_path: Path
) -> None:
    children.start(_child(_PARENT))
    leader = psutil.Process(json.loads(_pid_file(tmp_path).read_text())["pid"])
    _wait_for(leader.children)
    orphan = leader.children()[0]
    leader.kill()
    # Its parent is gone from the process table, as after a later command.
    leader.wait()
    assert orphan.is_running()

    Children(tmp_path).stop(["worker"], grace_seconds=1.0)

    _wait_for(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)


def test_orphans_of_a_leader_that_nobody_reaped_are_ended_too(
    children: Children, tmp_path: Path
) -> None:
    children.start(_child(_PARENT))
    leader = psutil.Process(json.loads(_pid_file(tmp_path).read_text())["pid"])
    _wait_for(leader.children)
    orphan = leader.children()[0]
    # Nobody waits for it: it stays in the process table, as in a container without an init.
    os.kill(leader.pid, signal.SIGKILL)
    _wait_for(lambda: leader.status() == psutil.STATUS_ZOMBIE)

    Children(tmp_path).stop(["worker"], grace_seconds=1.0)

    _wait_for(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)


def test_newer_code_makes_a_running_child_outdated(children: Children) -> None:
    child = replace(_child(_SLEEP), code="old")
    children.start(child)
    assert children.is_current(child)
    assert not children.is_current(replace(child, code="new"))
