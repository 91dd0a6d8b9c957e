"""What the stack remembers between two commands: one JSON file, written whole or not at all.

Also the lock that keeps two commands apart. Knows nothing of what is remembered.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_stack.errors import StackError


class StateFile:
    """Named values that survive the command; every change is on disk before `set` returns."""

    def __init__(self, path: Path) -> None:
        """Name the file; it may not exist yet."""
        self._path = path

    def get(self, name: str) -> Any:
        """Return the value, or None when it was never set."""
        return self._read().get(name)

    def set(self, name: str, value: Any) -> None:
        """Remember a JSON value; a crash leaves the old file or the new one."""
        write_private(self._path, json.dumps({**self._read(), name: value}, indent=1))

    def _read(self) -> dict[str, Any]:
        try:
            values: dict[str, Any] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        except json.JSONDecodeError as error:
            raise StackError(f"{self._path} is damaged: run `make reset`, then again") from error
        return values


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600, whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs; StackError when another command holds it.

    The operating system lets go of it when the command ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise StackError(
                f"Another `make run`, `stop` or `reset` is at work here (process {holder}): "
                "wait until it ends, or press Ctrl-C there."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
