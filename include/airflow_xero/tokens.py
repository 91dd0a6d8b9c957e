"""Encrypted grants in Postgres: refreshed under a row lock, committed before use.

Knows xero_ops.grants and the keys. Must not know tenants, endpoints or Airflow, and lets no
token reach a log, an error or a repr.

The order that keeps a consent alive, since Xero rotates the refresh token at every use:
lock the row → has someone else refreshed? use theirs → refresh → write → commit → only then
return. The previous refresh token stays in the encrypted payload for the 30 minutes in which
Xero still accepts it, as the way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from psycopg.rows import tuple_row

from airflow_xero import oauth
from airflow_xero.errors import (
    ConsentLostError,
    NotConnectedError,
    XeroBusyError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.identity import XeroUser
from airflow_xero.oauth import TokenSet, XeroApp
from airflow_xero.rotating import rotate
from airflow_xero.sealing import GrantSecrets, cipher_of, unsealed
from airflow_xero.warehouse import require_idle, warehouse_errors

__all__ = ["AccessToken", "TokenStore", "cipher_of"]

_ROTATED = (
    "The keys of XERO_TOKEN_KEYS were rotated while this process ran: its next try has the new ones"
)
_SPARE = timedelta(minutes=5)
_WAY_BACK = timedelta(minutes=30)


@dataclass(frozen=True)
class AccessToken:
    """A token that opens the API until `expires_at` (aware UTC); the value has no repr."""

    grant_id: str
    value: str = field(repr=False)
    expires_at: datetime


class TokenStore:
    """Keeps the grants of one app. `connect` opens a warehouse connection of its own.

    `on_secret` is told tokens in the clear as soon as they are known, each once, so that the caller
    can mask them in logs. `http` stays the caller's to close. May be shared by threads.
    """

    def __init__(
        self,
        app: XeroApp,
        *,
        connect: Callable[[], psycopg.Connection[Any]],
        keys: Sequence[str],
        http: httpx.Client,
        on_secret: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._app = app
        self._connect = connect
        self._http = http
        self._on_secret = on_secret
        self.cipher = cipher_of(keys)
        self._newest = cipher_of(keys[:1])
        self._has_opened = False
        self._known: dict[str, AccessToken] = {}
        self._told: set[int] = set()

    def save(self, user: XeroUser, tokens: TokenSet, *, connected_by: str) -> str:
        """Store a consent, replacing the user's earlier one, and return its grant_id."""
        secrets = GrantSecrets(tokens.access_token, tokens.refresh_token)
        self._tell(*secrets.in_the_clear())
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
        self,
        grant_id: str,
        *,
        now: datetime | None = None,
        rejected: str | None = None,
        over: psycopg.Connection[Any] | None = None,
    ) -> AccessToken:
        """A token with at least five minutes left, refreshed when necessary.

        `rejected` is an access token that Xero refused although it looked alive: it is replaced
        unless someone else did so already. `now` (aware) defaults to the present. `over` is an
        idle connection that is used by nobody else meanwhile; without it one is opened.
        Raises ConsentLostError, NotConnectedError, XeroSetupError, UnavailableError,
        WarehouseBusyError; ValueError when `over` is inside a transaction.
        """
        moment = now or datetime.now(UTC)
        known = self._known.get(grant_id)
        if known and _is_usable(known, moment, rejected):
            return known
        if over is not None:
            require_idle(over)
        # The new token, or its loss, is on disk before anyone may use or despair of it.
        with (
            warehouse_errors(),
            self._connect() if over is None else nullcontext(over) as connection,
            _transaction(connection) as cursor,
        ):
            outcome = self._refreshed(cursor, grant_id, now=moment, rejected=rejected)
        if isinstance(outcome, XeroError):
            raise outcome
        self._known[grant_id] = outcome
        return outcome

    def rotate_keys(self) -> int:
        """Re-encrypt with the first key what another one sealed, of other connections, too.

        How many grants; see `rotating.rotate`.
        """
        with warehouse_errors(), self._connect() as connection:
            return rotate(connection, self.cipher, newest=self._newest)

    def revoke_if(self, grant_id: str, is_unused: Callable[[AccessToken], bool]) -> bool:
        """Revoke a grant at Xero and forget its tokens, if `is_unused` says so; whether it did.

        `is_unused` gets the grant's access token, and is asked while nobody else can use or renew
        the grant; call `fresh` before, so that the token lives. Raises UnavailableError,
        XeroSetupError, WarehouseBusyError, and what `is_unused` raises: the grant stays then.
        """
        with warehouse_errors(), self._connect() as connection, _transaction(connection) as cursor:
            cursor.execute("set local lock_timeout = '2min'")
            row = cursor.execute(_LOCK, (grant_id, self._app.conn_id)).fetchone()
            if row is None or row[0] != "active":
                return False
            secrets = self._opened(row[2])
            if not is_unused(AccessToken(grant_id, secrets.access_token, row[3])):
                return False
            if secrets.refresh_token:
                oauth.revoke(self._app, secrets.refresh_token, http=self._http)
            cursor.execute(_FORGET, (grant_id,))
        self._known.pop(grant_id, None)
        return True

    def keep_secret(self, token: str) -> None:
        """Have a token that is not stored here masked as those that are."""
        self._tell(token)

    def _opened(self, sealed: bytes) -> GrantSecrets:
        """What is stored of a grant.

        Raises XeroSetupError when no key opens it; XeroBusyError when one of these keys opened
        grants before: they were rotated meanwhile, and the next try has the new ones.
        """
        try:
            secrets = unsealed(sealed, self.cipher)
        except XeroSetupError:
            if self._has_opened:
                raise XeroBusyError(_ROTATED) from None
            raise
        self._has_opened = True
        self._tell(*secrets.in_the_clear())
        return secrets

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
        secrets = self._opened(sealed)
        token = AccessToken(grant_id, secrets.access_token, expires_at)
        if _is_usable(token, now, rejected):
            return token
        try:
            renewed, expires_at = self._renew(secrets, now=now)
        except ConsentLostError as lost:
            cursor.execute(_LOSE, (lost.message, now, grant_id))
            return lost
        self._tell(*renewed.in_the_clear())
        cursor.execute(_RENEW, (renewed.sealed(self.cipher), expires_at, now, grant_id))
        return AccessToken(grant_id, renewed.access_token, expires_at)

    def _renew(self, secrets: GrantSecrets, *, now: datetime) -> tuple[GrantSecrets, datetime]:
        used = secrets.refresh_token
        if not used:
            # A Custom Connection: the app's own credentials are all it needs.
            tokens = oauth.client_credentials(self._app, http=self._http, now=now)
            return GrantSecrets(tokens.access_token, tokens.refresh_token), tokens.expires_at
        try:
            tokens = oauth.refresh(self._app, used, http=self._http, now=now)
        except ConsentLostError:
            used = secrets.way_back(now) or ""
            if not used:
                raise
            tokens = oauth.refresh(self._app, used, http=self._http, now=now)
        renewed = GrantSecrets(tokens.access_token, tokens.refresh_token)
        return replace(renewed, previous=used, previous_until=now + _WAY_BACK), tokens.expires_at

    def _tell(self, *secrets: str) -> None:
        # Masking costs a message to the task's supervisor. What was told is known by its hash: no
        # token lies about here.
        untold = [secret for secret in secrets if hash(secret) not in self._told]
        if self._on_secret is not None and untold:
            self._on_secret(untold)
        self._told.update(map(hash, untold))


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
    state_reason = null,
    lost_at = null
returning grant_id
"""

_LOCK = """
select state, state_reason, tokens, access_expires_at
from xero_ops.grants
where grant_id = %s and conn_id = %s
for update
"""

_LOSE = """
update xero_ops.grants set state = 'needs_reconnect', state_reason = %s, lost_at = %s
where grant_id = %s
"""

_FORGET = """
update xero_ops.grants
set state = 'revoked', state_reason = 'disconnected, and used by nothing else', tokens = ''
where grant_id = %s
"""

_RENEW = """
update xero_ops.grants
set tokens = %s, access_expires_at = %s, refreshed_at = %s
where grant_id = %s
"""
