"""The pretend Xero of the demo: how it is started, and its control door.

Speaks to it over HTTP only. Knows nothing of Airflow.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from local_stack.errors import StackError
from local_stack.processes import Child

NAME = "sandbox"
# The sandbox's own defaults: they open nothing but pretend books.
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105
# What every demo user types into the pretend login page.
DEMO_PASSWORD = "sandbox"  # noqa: S105

_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class DemoUser:
    """A pretend Xero user and the organisations that are theirs."""

    email: str
    organisations: tuple[str, ...]


@dataclass(frozen=True)
class Sandbox:
    """One sandbox on a port of this machine, its state in one file."""

    port: int
    folder: Path

    @property
    def url(self) -> str:
        """The address for people and for the `xero` connection."""
        return f"http://localhost:{self.port}"

    def child(self) -> Child:
        """Return the process to run."""
        words = ("--port", str(self.port), "--state", str(self.folder / "sandbox.json"), "--demo")
        return Child(NAME, (sys.executable, "-m", "xero_sandbox", *words), {})

    def is_healthy(self) -> bool:
        """Whether it answers."""
        try:
            return self._request("GET", "/_sandbox/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def set_business_clock(self, at: datetime) -> None:
        """Set the clock of books, stamps and limits; it ticks on from there."""
        self._json("POST", "/_sandbox/clocks", json={"business": at.isoformat()})

    def users(self) -> list[DemoUser]:
        """Return the demo's users, with the tenant ids of their organisations."""
        found = self._json("GET", "/_sandbox/users")
        people = found["users"] if isinstance(found, dict) else found
        return [DemoUser(one["email"], tuple(one["organisations"])) for one in people]

    def _json(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self._request(method, path, **request)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise StackError(
                f"The sandbox does not answer {method} {path} as it should "
                f"({type(error).__name__}): read {self.folder / 'logs' / 'sandbox.log'}, "
                "then run the command again."
            ) from error

    def _request(
        self, method: str, path: str, *, timeout: float = _TIMEOUT_SECONDS, **request: Any
    ) -> httpx.Response:
        # trust_env=False: a proxy cannot reach this machine's localhost.
        with httpx.Client(base_url=self.url, timeout=timeout, trust_env=False) as http:
            return http.request(method, path, **request)
