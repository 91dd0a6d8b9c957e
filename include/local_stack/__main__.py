"""The command line behind the Makefile: `local-stack run | stop | reset | status`.

Turns every failure into one message and a status; knows nothing of the steps.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from local_stack import story
from local_stack.errors import StackError
from local_stack.progress import Progress
from local_stack.settings import read_settings

_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the process's status."""
    parser = argparse.ArgumentParser(prog="local-stack", description=__doc__)
    parser.add_argument("command", choices=["run", "stop", "reset", "status"])
    command = parser.parse_args(arguments).command
    progress = Progress()
    try:
        _do(command, progress)
    except StackError as error:
        return _failed(str(error))
    except psycopg.Error as error:
        return _failed(f"Postgres: {error}\nRead .local/*/postgres/server.log, then try again.")
    except BrokenPipeError:
        # Whoever read our lines has gone, as with `make run | head`; the next run goes on.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _failed(f"{error}\nIs the disk full, or a file not yours? Then try again.")
    except KeyboardInterrupt:
        print("\nInterrupted: `make run` goes on from here, `make stop` ends what was started.")
        return _INTERRUPTED
    return 0


def _do(command: str, progress: Progress) -> None:
    repository = _repository()
    if command == "run":
        settings = read_settings(repository, os.environ)
        story.run(settings, progress, now=datetime.now(UTC))
    elif command == "stop":
        story.stop(repository, progress)
    elif command == "reset":
        story.reset(repository, progress)
    else:
        story.status(repository, progress)


def _repository() -> Path:
    """Return the clone this package is installed from, editable."""
    repository = Path(__file__).resolve().parents[2]
    if not (repository / "dags").is_dir():
        raise StackError("local-stack works in a clone of the repository: run `make run` there.")
    return repository


def _failed(message: str) -> int:
    print(f"\n{message}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
