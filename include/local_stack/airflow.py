"""How Airflow is started here: its environment, its one-off commands, its four processes.

Everything listens on loopback, keeps its files in the stack's folder, and is sized for a laptop.
Knows nothing of Postgres's making, of Xero or of what the Dags do.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from local_stack.environment import inherited_environment
from local_stack.errors import StackError
from local_stack.processes import Child
from local_stack.secret_files import SecretFiles

ADMIN = "admin"
API_SERVER = "api-server"

_COMMAND_SECONDS = 300


@dataclass(frozen=True)
class Airflow:
    """One Airflow: where its files lie, where it listens, whose secrets it uses."""

    repository: Path
    folder: Path
    port: int
    database_dsn: str = field(repr=False)
    secrets: SecretFiles = field(repr=False)
    first_day: date

    @property
    def url(self) -> str:
        """The address for people; `localhost`, because cookies and Xero compare the name."""
        return f"http://localhost:{self.port}"

    @property
    def task_logs(self) -> Path:
        """The folder of the logs of every task."""
        return self.folder / "logs" / "tasks"

    @property
    def password_file(self) -> Path:
        """Where Airflow's simple login finds the admin's password."""
        return self.folder / "secrets" / "airflow_logins.json"

    def children(self) -> list[Child]:
        """Return the four processes of Airflow."""
        environment = self.environment()
        commands: Mapping[str, Sequence[str]] = {
            API_SERVER: ("api-server", "--host", "127.0.0.1", "--port", str(self.port)),
            # Logs are read from the disk: a log server would listen on every interface.
            "scheduler": ("scheduler", "--skip-serve-logs"),
            "dag-processor": ("dag-processor",),
            "triggerer": ("triggerer", "--skip-serve-logs"),
        }
        return [Child(name, self.command(*words), environment) for name, words in commands.items()]

    def command(self, *words: str) -> Sequence[str]:
        """Return what to start for an `airflow` command: the program and its arguments."""
        return (sys.executable, "-m", "airflow", *words)

    def run_command(self, *words: str, secrets: Mapping[str, str] | None = None) -> str:
        """Run one `airflow` command to its end and return its output, which is also its log.

        StackError when it fails.
        `secrets` are further environment variables of this command only.
        """
        log = self.folder / "logs" / f"airflow-{'-'.join(words)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**inherited_environment(), **self.environment(), **(secrets or {})}
        with log.open("wb") as output:
            status = _status_of(self.command(*words), environment, output=output, cwd=self.folder)
        if status != 0:
            last = self.secrets.redacted(_last_line(log))
            raise StackError(
                f"`airflow {' '.join(words)}` ended with status {status}: {last}\n"
                f"Read {log}, then run the command again."
            )
        return log.read_text(errors="replace")

    def environment(self) -> dict[str, str]:
        """Return what every Airflow process needs beside the caller's; it holds secrets."""
        secret = self.secrets.value
        return {
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__SECRET_KEY": secret("airflow_api_secret_key"),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secret("airflow_jwt_secret"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.repository / "dags"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__FERNET_KEY": secret("airflow_fernet_key"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.repository / "plugins"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database_dsn,
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.task_logs),
            "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
                self.folder / "logs" / "dag-files"
            ),
            # Its lines hold the query, and that of a callback the code and state of a consent.
            "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "http.access=WARNING",
            # After a crash the next scheduler takes over what the last one left within a minute.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "AIRFLOW__XERO__DBT_PROJECT_DIR": str(self.repository / "dbt"),
            "AIRFLOW__XERO__FIRST_DAY": self.first_day.isoformat(),
            "XERO_TOKEN_KEYS": secret("xero_token_keys"),
        }


def _status_of(
    command: Sequence[str], environment: Mapping[str, str], *, output: IO[bytes], cwd: Path
) -> int | str:
    """Run the command; return its status, or words when it did not end in time."""
    try:
        return subprocess.run(
            command,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_SECONDS,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return f"unknown, being stopped after {_COMMAND_SECONDS} s"


def _last_line(path: Path) -> str:
    lines = [line.strip() for line in path.read_text(errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), "it said nothing")
