"""The command line behind the Makefile: `local-stack run | stop | reset | status`.

And `local-stack airflow …`: any command of Airflow's own, to the Airflow that `make run` started.
Turns every failure into one message and a status; knows nothing of the steps.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
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
    parser.add_argument("command", choices=["run", "stop", "reset", "status", "airflow"])
    parser.add_argument("words", nargs=argparse.REMAINDER, help="as in `airflow xero status`")
    given = parser.parse_args(arguments)
    if given.words and given.command != "airflow":
        parser.error(f"{given.command} takes no further words")
    progress = Progress()
    try:
        _do(given.command, given.words, progress)
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


def _do(command: str, words: Sequence[str], progress: Progress) -> None:
    repository = _repository()
    if command == "run":
        settings = read_settings(repository, os.environ)
        story.run(settings, progress, now=datetime.now(UTC))
    elif command == "airflow":
        settings = read_settings(repository, os.environ)
        program, environment = story.airflow_command(settings, progress, words)
        # In our place: its questions, its status and Ctrl-C are then the caller's.
        os.execve(program[0], list(program), environment)  # noqa: S606
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
