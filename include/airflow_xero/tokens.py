"""Encrypted grants in Postgres: refreshed under a row lock, committed before use.

Knows xero_ops.grants and the keys. Must not know tenants, endpoints or Airflow, and lets no
token reach a log, an error or a repr.

The order that keeps a consent alive, since Xero rotates the refresh token at every use:
lock the row → has someone else refreshed? use theirs → refresh → write → commit → only then
return. The previous refresh token stays in the encrypted payload for the 30 minutes in which
Xero still accepts it, as the way back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from psycopg.rows import tuple_row

from airflow_xero import oauth
from airflow_xero.errors import (
    ConsentLostError,
    NotConnectedError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.identity import XeroUser
from airflow_xero.oauth import TokenSet, XeroApp
from airflow_xero.warehouse import warehouse_errors

_SPARE = timedelta(minutes=5)
_WAY_BACK = timedelta(minutes=30)


@dataclass(frozen=True)
class AccessToken:
    """A token that opens the API until `expires_at` (aware UTC); the value has no repr."""

    grant_id: str
    value: str = field(repr=False)
    expires_at: datetime


def cipher_of(keys: Sequence[str]) -> MultiFernet:
    """The cipher of `XERO_TOKEN_KEYS`: the first key encrypts, every key decrypts.

    Raises XeroSetupError naming XERO_TOKEN_KEYS when there is none or one is malformed.
    """
    if not keys:
        raise XeroSetupError(
            "XERO_TOKEN_KEYS is not set: put at least one Fernet key into the environment of "
            "Airflow's API server and workers (docs/security.md says how to make one)"
        )
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys])
    except ValueError:
        # The cause would quote the key.
        raise XeroSetupError(
            "XERO_TOKEN_KEYS holds something that is no Fernet key: keys are 44 characters, "
            "separated by commas"
        ) from None


class TokenStore:
    """Keeps the grants of one app. `connect` opens a warehouse connection of its own.

    `on_secret` is told every token in the clear as soon as it is known, so that the caller can
    mask it in logs. `http` stays the caller's to close. May be shared by threads.
    """

    def __init__(
        self,
        app: XeroApp,
        *,
        connect: Callable[[], psycopg.Connection[Any]],
        keys: Sequence[str],
        http: httpx.Client,
        on_secret: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._connect = connect
        self._http = http
        self._on_secret = on_secret
        self.cipher = cipher_of(keys)
        self._known: dict[str, AccessToken] = {}

    def save(self, user: XeroUser, tokens: TokenSet, *, connected_by: str) -> str:
        """Store a consent, replacing the user's earlier one, and return its grant_id."""
        secrets = _Secrets(tokens.access_token, tokens.refresh_token)
        self._tell(secrets)
        with warehouse_errors(), self._connect() as connection, _transaction(connection) as cursor:
            row = cursor.execute(
                _SAVE,
                {
                    "conn_id": self._app.conn_id,
                    "xero_user_id": user.xero_user_id,
                    "user_name": user.name,
                    "user_email": user.email,
                    "scopes": list(tokens.scopes),
                    "tokens": secrets.sealed(self.cipher),
                    "expires_at": tokens.expires_at,
                    "connected_by": connected_by,
                },
            ).fetchone()
        grant_id = str(row[0]) if row else ""
        self._known.pop(grant_id, None)
        return grant_id

    def fresh(
        self, grant_id: str, *, now: datetime | None = None, rejected: str | None = None
    ) -> AccessToken:
        """A token with at least five minutes left, refreshed when necessary.

        `rejected` is an access token that Xero refused although it looked alive: it is replaced
        unless someone else did so already. `now` (aware) defaults to the present.
        Raises ConsentLostError, NotConnectedError, XeroSetupError, UnavailableError,
        WarehouseBusyError.
        """
        moment = now or datetime.now(UTC)
        known = self._known.get(grant_id)
        if known and _is_usable(known, moment, rejected):
            return known
        # The new token, or its loss, is on disk before anyone may use or despair of it.
        with warehouse_errors(), self._connect() as connection, _transaction(connection) as cursor:
            outcome = self._refreshed(cursor, grant_id, now=moment, rejected=rejected)
        if isinstance(outcome, XeroError):
            raise outcome
        self._known[grant_id] = outcome
        return outcome

    def rotate_keys(self) -> int:
        """Re-encrypt every grant, of other connections too, with the first key; how many."""
        with warehouse_errors(), self._connect() as connection, _transaction(connection) as cursor:
            sealed = cursor.execute(
                "select grant_id, tokens from xero_ops.grants order by grant_id for update"
            ).fetchall()
            for grant_id, tokens in sealed:
                cursor.execute(
                    "update xero_ops.grants set tokens = %s where grant_id = %s",
                    (_unsealed(tokens, self.cipher).sealed(self.cipher), grant_id),
                )
        return len(sealed)

    def _refreshed(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        grant_id: str,
        *,
        now: datetime,
        rejected: str | None,
    ) -> AccessToken | ConsentLostError:
        """The usable token, or the loss of the consent; either is written, neither committed."""
        cursor.execute("set local lock_timeout = '2min'")
        row = cursor.execute(_LOCK, (grant_id, self._app.conn_id)).fetchone()
        if row is None or row[0] == "revoked":
            raise NotConnectedError(
                "This Xero user is not connected: press Connect to Xero on the Xero page"
            )
        state, reason, sealed, expires_at = row
        if state == "needs_reconnect":
            return ConsentLostError(reason)
        secrets = _unsealed(sealed, self.cipher)
        self._tell(secrets)
        token = AccessToken(grant_id, secrets.access_token, expires_at)
        if _is_usable(token, now, rejected):
            return token
        try:
            renewed, expires_at = self._renew(secrets, now=now)
        except ConsentLostError as lost:
            cursor.execute(_LOSE, (lost.message, grant_id))
            return lost
        self._tell(renewed)
        cursor.execute(_RENEW, (renewed.sealed(self.cipher), expires_at, now, grant_id))
        return AccessToken(grant_id, renewed.access_token, expires_at)

    def _renew(self, secrets: _Secrets, *, now: datetime) -> tuple[_Secrets, datetime]:
        used = secrets.refresh_token
        try:
            tokens = oauth.refresh(self._app, used, http=self._http, now=now)
        except ConsentLostError:
            used = secrets.way_back(now) or ""
            if not used:
                raise
            tokens = oauth.refresh(self._app, used, http=self._http, now=now)
        renewed = _Secrets(tokens.access_token, tokens.refresh_token)
        return replace(renewed, previous=used, previous_until=now + _WAY_BACK), tokens.expires_at

    def _tell(self, secrets: _Secrets) -> None:
        if self._on_secret is None:
            return
        for secret in (secrets.access_token, secrets.refresh_token, secrets.previous):
            if secret:
                self._on_secret(secret)


@dataclass(frozen=True)
class _Secrets:
    """The encrypted payload of a grant."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    previous: str | None = field(repr=False, default=None)
    previous_until: datetime | None = None

    def way_back(self, now: datetime) -> str | None:
        """The previous refresh token while Xero still accepts it."""
        is_alive = self.previous_until is not None and now < self.previous_until
        return self.previous if is_alive else None

    def sealed(self, cipher: MultiFernet) -> bytes:
        until = self.previous_until.isoformat() if self.previous_until else None
        payload = {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "previous": self.previous,
            "previous_until": until,
        }
        return cipher.encrypt(json.dumps(payload).encode())


def _unsealed(sealed: bytes, cipher: MultiFernet) -> _Secrets:
    try:
        payload = json.loads(cipher.decrypt(bytes(sealed)))
    except InvalidToken:
        raise XeroSetupError(
            "No key in XERO_TOKEN_KEYS opens the stored grants: add the key that encrypted them "
            "at the end of the list, or let every user press Connect to Xero again"
        ) from None
    until = payload["previous_until"]
    return _Secrets(
        payload["access_token"],
        payload["refresh_token"],
        previous=payload["previous"],
        previous_until=datetime.fromisoformat(until) if until else None,
    )


def _is_usable(token: AccessToken, now: datetime, rejected: str | None) -> bool:
    return token.value != rejected and token.expires_at - now > _SPARE


@contextmanager
def _transaction(connection: psycopg.Connection[Any]) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    # The caller's connections may have another row factory, and may commit by themselves.
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        yield cursor


_SAVE = """
insert into xero_ops.grants as g
    (conn_id, xero_user_id, user_name, user_email, scopes, tokens, access_expires_at,
     refreshed_at, connected_by)
values
    (%(conn_id)s, %(xero_user_id)s, %(user_name)s, %(user_email)s, %(scopes)s, %(tokens)s,
     %(expires_at)s, clock_timestamp(), %(connected_by)s)
on conflict (conn_id, xero_user_id) do update set
    user_name = coalesce(excluded.user_name, g.user_name),
    user_email = coalesce(excluded.user_email, g.user_email),
    scopes = excluded.scopes,
    tokens = excluded.tokens,
    access_expires_at = excluded.access_expires_at,
    refreshed_at = excluded.refreshed_at,
    connected_by = excluded.connected_by,
    state = 'active',
    state_reason = null
returning grant_id
"""

_LOCK = """
select state, state_reason, tokens, access_expires_at
from xero_ops.grants
where grant_id = %s and conn_id = %s
for update
"""

_LOSE = """
update xero_ops.grants set state = 'needs_reconnect', state_reason = %s where grant_id = %s
"""

_RENEW = """
update xero_ops.grants
set tokens = %s, access_expires_at = %s, refreshed_at = %s
where grant_id = %s
"""
