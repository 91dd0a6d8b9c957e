"""Consents under way: what is remembered of one between the button and the callback.

Knows xero_ops.authorisations: states and cookies as hashes, the code verifier encrypted, nothing
longer than ten minutes, each taken once. Must not know OAuth, tokens or who may begin.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

from airflow_xero.errors import ConsentRefusedError
from airflow_xero.sealing import is_signed
from airflow_xero.warehouse import warehouse_errors

CONSENT_TIME = timedelta(minutes=10)
"""How long a consent that was begun may take to come back."""

_AGAIN = "press Connect to Xero again, or open your invitation link again"


@dataclass(frozen=True)
class Authorisation:
    """A consent under way: who began it in which browser, and what it asks for.

    No `scopes` are those that the Airflow connection names.
    """

    browser_hash: bytes = field(repr=False)
    started_by: str
    code_verifier: bytes = field(repr=False)
    started_at: datetime
    invitation_id: str | None = None
    scopes: Sequence[str] | None = None

    def require(self, browser_cookie: str, now: datetime) -> None:
        """Raise ConsentRefusedError in another browser, or after ten minutes."""
        if not hmac.compare_digest(self.browser_hash, hash_of(browser_cookie)):
            raise other_browser()
        if now - self.started_at > CONSENT_TIME:
            raise ConsentRefusedError(f"This consent took longer than ten minutes: {_AGAIN}")


def require_signed(state: str, *, conn_id: str, keys: Sequence[str]) -> None:
    """Raise ConsentRefusedError for a state that we never gave, without asking the database."""
    if not is_signed(state, purpose=purpose_of(conn_id), keys=keys):
        raise _unknown()


def purpose_of(conn_id: str) -> str:
    """What the signature of a state is good for."""
    return f"consent\n{conn_id}"


def other_browser() -> ConsentRefusedError:
    """The error for a browser in which the consent was not begun."""
    return ConsentRefusedError(f"This consent was begun in another browser; in this one, {_AGAIN}")


def hash_of(secret: str) -> bytes:
    """What is stored of a secret of 256 random bits: enough to know it again."""
    return hashlib.sha256(secret.encode()).digest()


def keep(
    warehouse: psycopg.Connection[Any], begun: Authorisation, *, conn_id: str, state: str
) -> None:
    """Remember a consent by its state; those that took too long are forgotten."""
    values = {
        **vars(begun),
        "conn_id": conn_id,
        "state_hash": hash_of(state),
        "scopes": None if begun.scopes is None else list(begun.scopes),
    }
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(
            "delete from xero_ops.authorisations where started_at < %s",
            (begun.started_at - CONSENT_TIME,),
        )
        warehouse.execute(_KEEP, values)


def take(warehouse: psycopg.Connection[Any], *, conn_id: str, state: str) -> Authorisation:
    """The consent of this state, which is never found again. Raises ConsentRefusedError."""
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(Authorisation)) as cursor,
    ):
        begun = cursor.execute(_TAKE, (hash_of(state), conn_id)).fetchone()
    if begun is None:
        raise _unknown()
    return begun


def _unknown() -> ConsentRefusedError:
    return ConsentRefusedError(f"This consent is unknown or was used already: {_AGAIN}")


_KEEP = """
insert into xero_ops.authorisations
    (state_hash, browser_hash, conn_id, started_by, code_verifier, started_at, invitation_id,
     scopes)
values
    (%(state_hash)s, %(browser_hash)s, %(conn_id)s, %(started_by)s, %(code_verifier)s,
     %(started_at)s, %(invitation_id)s, %(scopes)s)
"""

_TAKE = """
delete from xero_ops.authorisations
where state_hash = %s and conn_id = %s
returning
    browser_hash, started_by, code_verifier, started_at, invitation_id::text as invitation_id,
    scopes
"""
