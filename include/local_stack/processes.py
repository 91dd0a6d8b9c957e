"""Child processes that outlive the command: start, recognise, stop.

Each child leads a session of its own, writes one log file and leaves one pid file, which says
when the process started: after a crash or a reboot its number may belong to somebody else.
Knows nothing of what the children do.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from local_stack.environment import inherited_environment
from local_stack.state import write_private

# The kernel tells the start as ticks since boot; the boot's own time wavers by a second.
_START_TOLERANCE_SECONDS = 2.0


@dataclass(frozen=True)
class Child:
    """A program to keep running.

    `environment` is what we add to the caller's environment; it may hold secrets. `code` is a
    digest of the code it runs, so that newer code restarts it.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    code: str = ""

    @property
    def fingerprint(self) -> str:
        """Changes when the command or our part of its environment does, and reveals neither.

        The caller's part differs from one terminal to the next, and must not restart anything.
        """
        text = json.dumps([list(self.command), sorted(self.environment.items()), self.code])
        return hashlib.sha256(text.encode()).hexdigest()


class Children:
    """The children of one folder: `run/<name>.pid` and `logs/<name>.log`."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is started."""
        self._folder = folder
        self._pids = folder / "run"
        self._logs = folder / "logs"
        # Kept, because a Popen that is thrown away complains about a child still running.
        self._started: list[subprocess.Popen[bytes]] = []

    def log(self, name: str) -> Path:
        """Return the path of the child's log."""
        return self._logs / f"{name}.log"

    def names(self) -> list[str]:
        """Return the names of all children that ever left a pid file, sorted."""
        return sorted(path.stem for path in self._pids.glob("*.pid"))

    def is_running(self, name: str) -> bool:
        """Whether the process that the pid file names is alive and still the same one."""
        return self._process(name) is not None

    def is_current(self, child: Child) -> bool:
        """Whether the child runs with exactly this command and environment."""
        record = self._record(child.name)
        return self.is_running(child.name) and record.get("fingerprint") == child.fingerprint

    def start(self, child: Child) -> None:
        """Start the child; the caller has made sure that it does not run."""
        self._pids.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(child.name).open("ab") as log:
            process = subprocess.Popen(
                child.command,
                env={**inherited_environment(), **child.environment},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        record = {
            "pid": process.pid,
            "started_at": psutil.Process(process.pid).create_time(),
            "fingerprint": child.fingerprint,
        }
        write_private(self._pids / f"{child.name}.pid", json.dumps(record))

    def stop(self, names: Iterable[str], *, grace_seconds: float) -> None:
        """End the children and everything they started; kill what outlasts the grace.

        Returns when none of them is left.
        """
        names = list(names)
        leaders = [process for name in names if (process := self._process(name)) is not None]
        # Whoever a leader left behind when it was killed is still in its session.
        families = [*leaders, *(orphan for name in names for orphan in self._orphans(name))]
        for leader in leaders:
            families += _descendants(leader)
            _signal(leader, signal.SIGTERM)
        _gone, alive = psutil.wait_procs(leaders, timeout=grace_seconds)
        # Whoever was started meanwhile belongs to a leader that still lives.
        families += [process for leader in alive for process in _descendants(leader)]
        for process in families:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(families, timeout=grace_seconds)
        # Whoever was started between the look and the leader's end.
        late = [orphan for name in names for orphan in self._orphans(name)]
        for process in late:
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(late, timeout=grace_seconds)
        self._started = [process for process in self._started if process.poll() is None]
        for name in names:
            if not self.is_running(name):
                (self._pids / f"{name}.pid").unlink(missing_ok=True)

    def _orphans(self, name: str) -> list[psutil.Process]:
        """The living members of the session of a leader that has died.

        The kernel gives the number of a session to nobody else while a member lives.
        """
        record = self._record(name)
        pid, started_at = record.get("pid"), record.get("started_at")
        if not isinstance(pid, int) or not isinstance(started_at, float) or _is_alive(pid):
            return []
        return [
            process
            for process in psutil.process_iter()
            if _is_member(process, pid, since=started_at)
        ]

    def _record(self, name: str) -> dict[str, object]:
        try:
            record: dict[str, object] = json.loads((self._pids / f"{name}.pid").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return record

    def _process(self, name: str) -> psutil.Process | None:
        record = self._record(name)
        pid, started_at = record.get("pid"), record.get("started_at")
        if not isinstance(pid, int) or not isinstance(started_at, float):
            return None
        try:
            process = psutil.Process(pid)
            is_same = abs(process.create_time() - started_at) < _START_TOLERANCE_SECONDS
            is_alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if is_same and is_alive else None


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _is_member(process: psutil.Process, session: int, *, since: float) -> bool:
    try:
        is_inside = os.getsid(process.pid) == session and process.pid != session
        return is_inside and process.create_time() >= since - _START_TOLERANCE_SECONDS
    except (psutil.Error, OSError):
        return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        children: list[psutil.Process] = process.children(recursive=True)
    except psutil.Error:
        return []
    return children


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
