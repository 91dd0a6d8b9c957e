"""Connecting organisations: from the button to the stored grant and its organisations.

The story behind the Connect page. Must not know Airflow, web frameworks, or how a page looks.
How the organisations are doing afterwards is told by `standing.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
from cryptography.fernet import InvalidToken
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from airflow_xero import oauth
from airflow_xero.errors import XeroError, XeroSetupError
from airflow_xero.identity import identify
from airflow_xero.oauth import Connection, XeroApp
from airflow_xero.standing import (
    OrganisationState,
    OrganisationStatus,
    SkippedTenant,
    skipped_tenants,
    status,
    tenants_to_extract,
)
from airflow_xero.tokens import TokenStore, cipher_of
from airflow_xero.warehouse import require_idle, warehouse_errors

__all__ = [
    "Begun",
    "Connected",
    "OrganisationState",
    "OrganisationStatus",
    "SkippedTenant",
    "begin",
    "finish",
    "reconcile",
    "skipped_tenants",
    "status",
    "tenants_to_extract",
]

CONSENT_TIME = timedelta(minutes=10)
"""How long a consent that was begun may take to come back."""

_RANDOM_BYTES = 32


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the cookie that binds the consent to it."""

    url: str = field(repr=False)
    browser_cookie: str = field(repr=False)


@dataclass(frozen=True)
class Connected:
    """An organisation that this consent reached."""

    tenant_id: str
    tenant_name: str


def begin(
    app: XeroApp,
    *,
    warehouse: psycopg.Connection[Any],
    keys: Sequence[str],
    started_by: str,
    now: datetime,
) -> Begun:
    """Start a consent: remember it for ten minutes and give the address of Xero's page.

    State and cookie are 256 random bits each and stored as hashes; the PKCE verifier is stored
    encrypted. `started_by` is the Airflow user. Raises XeroSetupError, WarehouseBusyError.
    """
    require_idle(warehouse)
    state, cookie, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(
            "delete from xero_ops.authorisations where started_at < %s", (now - CONSENT_TIME,)
        )
        warehouse.execute(
            "insert into xero_ops.authorisations"
            " (state_hash, browser_hash, conn_id, started_by, code_verifier, started_at)"
            " values (%s, %s, %s, %s, %s, %s)",
            (
                _hash(state),
                _hash(cookie),
                app.conn_id,
                started_by,
                cipher_of(keys).encrypt(verifier.encode()),
                now,
            ),
        )
    challenge = oauth.code_challenge_of(verifier)
    return Begun(oauth.authorize_url(app, state=state, code_challenge=challenge), cookie)


def finish(
    app: XeroApp,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    state: str,
    code: str,
    browser_cookie: str,
    now: datetime,
) -> list[Connected]:
    """Complete a consent that Xero sent back: store the grant and its organisations.

    Returns the organisations of this consent by name; those of the same user's earlier consents
    are brought up to date, too. Raises XeroSetupError when the state is unknown, used, older
    than ten minutes, or was begun in another browser; and whatever Xero's answers mean.
    """
    require_idle(warehouse)
    begun = _take(app, warehouse, state)
    try:
        _require_same_browser(begun, browser_cookie, now)
        verifier = _unsealed(begun.code_verifier, tokens)
        granted = oauth.exchange_code(app, code, code_verifier=verifier, http=http, now=now)
        identity = identify(app, granted, http=http)
        grant_id = tokens.save(identity.user, granted, connected_by=begun.started_by)
        listed = oauth.connections(app, granted.access_token, http=http)
    except XeroError as error:
        _audit(warehouse, begun.started_by, outcome=f"refused: {error.message}")
        raise
    organisations = [entry for entry in listed if entry.tenant_type == "ORGANISATION"]
    _store(warehouse, organisations, app=app, grant_id=grant_id, now=now, actor=begun.started_by)
    event = identity.auth_event_id
    just_now = [entry for entry in organisations if event in {None, entry.auth_event_id}]
    return sorted(
        (Connected(entry.tenant_id, entry.tenant_name) for entry in just_now),
        key=lambda connected: connected.tenant_name,
    )


def reconcile(
    app: XeroApp,
    grant_id: str,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    now: datetime,
) -> None:
    """Ask Xero which organisations the grant still reaches, and leave out the others from now on.

    Xero tells nobody of a disconnection: a refused organisation is the sign to ask. Raises what
    Xero's answers mean.
    """
    listed = oauth.connections(app, tokens.fresh(grant_id).value, http=http)
    organisations = [entry for entry in listed if entry.tenant_type == "ORGANISATION"]
    with warehouse_errors(), warehouse.transaction():
        _close_unlisted(warehouse, organisations, grant_id=grant_id, now=now, actor="xero_daily")


@dataclass(frozen=True)
class _BegunRow:
    """A consent under way, taken from the table and so never found again."""

    browser_hash: bytes
    started_by: str
    code_verifier: bytes = field(repr=False)
    started_at: datetime


def _take(app: XeroApp, warehouse: psycopg.Connection[Any], state: str) -> _BegunRow:
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        row = cursor.execute(
            "delete from xero_ops.authorisations where state_hash = %s and conn_id = %s"
            " returning browser_hash, started_by, code_verifier, started_at",
            (_hash(state), app.conn_id),
        ).fetchone()
    if row is None:
        raise XeroSetupError(
            "This consent is unknown or was used already: press Connect to Xero again"
        )
    return _BegunRow(*row)


def _unsealed(code_verifier: bytes, tokens: TokenStore) -> str:
    try:
        return tokens.cipher.decrypt(code_verifier).decode()
    except InvalidToken:
        raise XeroSetupError(
            "XERO_TOKEN_KEYS changed while the consent was under way: press Connect to Xero again"
        ) from None


def _require_same_browser(begun: _BegunRow, browser_cookie: str, now: datetime) -> None:
    if not hmac.compare_digest(begun.browser_hash, _hash(browser_cookie)):
        raise XeroSetupError(
            "This consent was begun in another browser: press Connect to Xero in this one"
        )
    if now - begun.started_at > CONSENT_TIME:
        raise XeroSetupError(
            "This consent took longer than ten minutes: press Connect to Xero again"
        )


def _store(
    warehouse: psycopg.Connection[Any],
    organisations: Sequence[Connection],
    *,
    app: XeroApp,
    grant_id: str,
    now: datetime,
    actor: str,
) -> None:
    """Make tenants and connections of the grant equal to Xero's list."""
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        for entry in organisations:
            values = {**vars(entry), "conn_id": app.conn_id, "grant_id": grant_id, "now": now}
            cursor.execute(_SAVE_TENANT, values)
            cursor.execute(_SAVE_CONNECTION, values)
            cursor.execute(_AUDIT, _entry(actor, "connected", entry.tenant_id))
        _close_unlisted(warehouse, organisations, grant_id=grant_id, now=now, actor=actor)


def _close_unlisted(
    warehouse: psycopg.Connection[Any],
    organisations: Sequence[Connection],
    *,
    grant_id: str,
    now: datetime,
    actor: str,
) -> None:
    listed = [entry.connection_id for entry in organisations]
    with warehouse.cursor(row_factory=tuple_row) as cursor:
        # What the same user connected after `now` is younger than Xero's list.
        gone = cursor.execute(
            "update xero_ops.connections set disconnected_at = %(now)s"
            " where grant_id = %(grant_id)s and disconnected_at is null"
            " and connected_at <= %(now)s and connection_id <> all(%(listed)s::uuid[])"
            " returning tenant_id",
            {"now": now, "grant_id": grant_id, "listed": listed},
        ).fetchall()
        for (tenant_id,) in gone:
            cursor.execute(_AUDIT, _entry(actor, "disconnected at Xero", tenant_id))


def _audit(warehouse: psycopg.Connection[Any], actor: str, *, outcome: str) -> None:
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(_AUDIT, _entry(actor, outcome, None))


def _entry(actor: str, outcome: str, tenant_id: object) -> tuple[object, ...]:
    return (actor, "connect", tenant_id, outcome, Jsonb({}))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


_SAVE_TENANT = """
insert into xero_ops.tenants (tenant_id, tenant_name, first_connected_at)
values (%(tenant_id)s, %(tenant_name)s, %(now)s)
on conflict (tenant_id) do update set tenant_name = excluded.tenant_name
"""

_SAVE_CONNECTION = """
insert into xero_ops.connections as known
    (connection_id, conn_id, grant_id, tenant_id, auth_event_id, connected_at)
values
    (%(connection_id)s, %(conn_id)s, %(grant_id)s, %(tenant_id)s, %(auth_event_id)s, %(now)s)
on conflict (connection_id) do update set
    conn_id = excluded.conn_id,
    grant_id = excluded.grant_id,
    tenant_id = excluded.tenant_id,
    auth_event_id = excluded.auth_event_id,
    connected_at = case
        when known.disconnected_at is null then known.connected_at else excluded.connected_at
    end,
    disconnected_at = null
"""

_AUDIT = """
insert into xero_ops.audit_log (actor, action, tenant_id, outcome, detail)
values (%s, %s, %s, %s, %s)
"""
