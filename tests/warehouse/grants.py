"""Grants as tests see them: refreshes at Xero, states in Postgres, stores of another process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from airflow_xero.tokens import TokenStore

TOKEN_PATH = "/connect/token"


def later(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def refreshes(sandbox: Any) -> list[int | None]:
    """The statuses of the token endpoint since the log was cleared, None for no answer."""
    entries = sandbox.control("GET", "requests")
    return [entry["status"] for entry in entries if entry["path"] == TOKEN_PATH]


def state_of(connection: psycopg.Connection, grant_id: str) -> tuple[str, str | None]:
    (row,) = connection.execute(
        "select state, state_reason from xero_ops.grants where grant_id = %s", (grant_id,)
    ).fetchall()
    return row


def another(store: TokenStore, connect, http, keys, **changes: Any) -> TokenStore:
    """A store that remembers nothing, as in another process."""
    return TokenStore(store._app, connect=connect, keys=keys, http=http, **changes)
