"""What the person chose: read once from `.env` and the environment, the latter winning.

XERO_CLIENT_ID and XERO_CLIENT_SECRET together mean the real Xero, whose state lies in
`.local/real`; without them it is the demo, in `.local/demo`. Knows nothing of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_stack.errors import StackError

_DEFAULT_AIRFLOW_PORT = 8080


@dataclass(frozen=True)
class Settings:
    """Where the clone lies and what was chosen for it; `folder` holds all state."""

    repository: Path
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    warehouse_dsn: str | None = field(default=None, repr=False)
    airflow_port: int = _DEFAULT_AIRFLOW_PORT

    @property
    def is_real(self) -> bool:
        """Whether the stack talks to the real Xero instead of the sandbox."""
        return self.client_id is not None

    @property
    def folder(self) -> Path:
        """The folder of this mode's state."""
        return self.repository / ".local" / ("real" if self.is_real else "demo")


def read_settings(repository: Path, environment: Mapping[str, str]) -> Settings:
    """Read the settings; an empty value counts as not set. StackError when they contradict."""
    values = {**_read_env_file(repository / ".env"), **environment}
    client_id, client_secret = values.get("XERO_CLIENT_ID"), values.get("XERO_CLIENT_SECRET")
    if bool(client_id) != bool(client_secret):
        missing = "XERO_CLIENT_SECRET" if client_id else "XERO_CLIENT_ID"
        raise StackError(
            f"{missing} is missing: set both XERO_CLIENT_ID and XERO_CLIENT_SECRET in .env for "
            "the real Xero, or neither for the demo."
        )
    port = values.get("XERO_AIRFLOW_PORT") or str(_DEFAULT_AIRFLOW_PORT)
    if not port.isdigit() or not 1024 <= int(port) <= 65535:
        raise StackError("XERO_AIRFLOW_PORT must be a number from 1024 to 65535: change it in .env")
    return Settings(
        repository=repository,
        client_id=client_id or None,
        client_secret=client_secret or None,
        warehouse_dsn=values.get("XERO_WAREHOUSE_DSN") or None,
        airflow_port=int(port),
    )


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    values = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.removeprefix("export ").partition("=")
        if not equals:
            # The line itself may hold a secret: name only its number.
            raise StackError(f".env line {number} is not NAME=value: correct it")
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].strip()
