"""Airflow's REST API, as far as the stack needs it: log in, connections, Dags, runs.

Speaks HTTP only. Knows nothing of processes, of Postgres or of Xero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from local_stack.errors import StackError

_TIMEOUT_SECONDS = 30
_API = "/api/v2"


class AirflowApi:
    """One logged-in session; `http` also carries Airflow's login cookie for the plugin's pages."""

    def __init__(self, url: str) -> None:
        """Name the server; nothing is sent."""
        # trust_env=False: a proxy cannot reach this machine's localhost.
        self.http = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    def health(self) -> dict[str, str]:
        """Return component → status; everything is missing while the server does not answer."""
        try:
            answer = self.http.get(f"{_API}/monitor/health", timeout=5)
            parts: dict[str, dict[str, str]] = answer.json() if answer.is_success else {}
        except (httpx.HTTPError, ValueError):
            return {}
        return {name: str((part or {}).get("status")) for name, part in parts.items()}

    def log_in(self, user: str, password: str) -> None:
        """Take a token and keep it as header and as the cookie that pages want."""
        answer = self._send("POST", "/auth/token", json={"username": user, "password": password})
        token = answer.json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.http.cookies.set("_token", token)

    def put_connection(self, connection: Mapping[str, Any]) -> None:
        """Create the connection, or bring it to these values."""
        name = connection["connection_id"]
        if self._exists(f"{_API}/connections/{name}"):
            self._send("PATCH", f"{_API}/connections/{name}", json=connection)
        else:
            self._send("POST", f"{_API}/connections", json=connection)

    def has_dag(self, dag_id: str) -> bool:
        """Whether the Dag processor has read the Dag."""
        return self._exists(f"{_API}/dags/{dag_id}")

    def import_errors(self) -> list[str]:
        """Return `file: last line` for every Dag file that cannot be imported."""
        found = self._send("GET", f"{_API}/importErrors").json()["import_errors"]
        return [
            f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}"
            for error in found
        ]

    def unpause(self, dag_id: str) -> None:
        """Let the Dag run."""
        self._send("PATCH", f"{_API}/dags/{dag_id}", json={"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Keep the Dag from running."""
        self._send("PATCH", f"{_API}/dags/{dag_id}", json={"is_paused": True})

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        """Return the run's state, None when there is no such run."""
        path = _run_path(dag_id, run_id)
        return str(self._send("GET", path).json()["state"]) if self._exists(path) else None

    def start_run(self, dag_id: str, body: Mapping[str, Any]) -> None:
        """Start a run; `body` as the API documents it."""
        self._send("POST", f"{_API}/dags/{dag_id}/dagRuns", json=body)

    def run_again(self, dag_id: str, run_id: str) -> None:
        """Let every task of the run run again.

        Not the failed ones alone: the API would leave out what follows them.
        """
        body = {"dry_run": False, "only_failed": False}
        self._send("POST", f"{_run_path(dag_id, run_id)}/clear", json=body)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the run's task instances as the API gives them."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        found: list[dict[str, Any]] = []
        while True:
            page = self._send("GET", path, params={"limit": 100, "offset": len(found)}).json()
            found += page["task_instances"]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def get_json(self, path: str) -> Any:
        """Return the JSON of a page of a plugin."""
        return self._send("GET", path).json()

    def _exists(self, path: str) -> bool:
        return self._send("GET", path, allowed=frozenset({404})).status_code != 404

    def _send(
        self, method: str, path: str, *, allowed: frozenset[int] = frozenset(), **request: Any
    ) -> httpx.Response:
        try:
            answer = self.http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise StackError(
                f"Airflow does not answer {method} {path} ({type(error).__name__}): read the "
                "api-server's log, then run the command again."
            ) from error
        if not answer.is_success and answer.status_code not in allowed:
            # Only the API's own words: the request may have held a password.
            raise StackError(
                f"Airflow answers {answer.status_code} to {method} {path}: {_detail(answer)}"
            )
        return answer


def _run_path(dag_id: str, run_id: str) -> str:
    return f"{_API}/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
    if isinstance(detail, list):
        return "; ".join(str(part.get("msg", "")) for part in detail if isinstance(part, dict))
    return str(detail)
