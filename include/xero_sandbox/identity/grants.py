"""Who granted what: the rules of sign-ins, codes, refresh tokens and connections.

Knows the identity clock. Must not know HTTP, pages, or organisations beyond their ids. Keeps
hashes of codes and tokens, never themselves. Follows Xero's OAuth 2.0 pages: a code works once
within 5 minutes; a refresh token is replaced at every use, works once more for 30 minutes after
that, and dies unused after 60 days; one access token reaches every organisation that its user
connected.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from xero_sandbox.clock import Clock
from xero_sandbox.errors import NotFoundError, OAuthError
from xero_sandbox.identity.permits import (
    Authorization,
    Code,
    Connection,
    RefreshToken,
    Session,
    User,
)

CODE_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=60)
REFRESH_GRACE = timedelta(minutes=30)


class Grants:
    """All of it, in memory; the state file reads and writes what it holds.

    `connections` are kept by user and organisation: there is one of each pair at most.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.users: dict[str, User] = {}
        self.sessions: dict[str, Session] = {}
        self.codes: dict[str, Code] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.connections: dict[tuple[str, str], Connection] = {}
        self.granted: dict[str, tuple[str, ...]] = {}
        self.auth_events: set[str] = set()

    def log_in(self, email: str) -> str:
        """Start a session; its secret, which is the cookie."""
        secret = secrets.token_urlsafe(32)
        self.sessions[_hash(secret)] = Session(email, self._clock.now())
        return secret

    def log_out(self, secret: str) -> None:
        """End a session, if there is one."""
        self.sessions.pop(_hash(secret), None)

    def session(self, secret: str) -> Session | None:
        """The session of a cookie whose user still exists."""
        session = self.sessions.get(_hash(secret))
        return session if session is not None and session.email in self.users else None

    def user(self, user_id: object) -> User | None:
        """The user of this GUID."""
        return next((user for user in self.users.values() if user.user_id == user_id), None)

    def allow(
        self,
        session: Session,
        tenant_ids: Iterable[str],
        *,
        scopes: Sequence[str],
        redirect_uri: str,
        challenge: str | None,
        nonce: str | None = None,
    ) -> str:
        """Connect the organisations and give a code. Scopes add up until consent is revoked."""
        now = self._clock.now()
        event, email = str(uuid.uuid4()), session.email
        self.auth_events.add(event)
        for tenant_id in tenant_ids:
            self._connect(email, tenant_id, event)
        self.granted[email] = tuple(dict.fromkeys((*self.granted.get(email, ()), *scopes)))
        authorization = Authorization(
            email=email,
            scopes=self.granted[email],
            auth_event_id=event,
            session_id=uuid.uuid4().hex,
            signed_in_at=session.signed_in_at,
            nonce=nonce,
        )
        code = secrets.token_urlsafe(32)
        self.codes[_hash(code)] = Code(authorization, redirect_uri, challenge, now + CODE_LIFE)
        return code

    def exchange(
        self, code: str, *, redirect_uri: str, verifier: str | None, has_secret: bool
    ) -> tuple[Authorization, str]:
        """Turn a code into its authorization and a first refresh token, once.

        Raises OAuthError: `invalid_grant` for a code that is unknown, used, too old, or does not
        fit the redirect URI or verifier; `invalid_client` without secret unless PKCE was used.
        """
        found = self.codes.get(_hash(code))
        if found is None:
            raise OAuthError("invalid_grant")
        if not has_secret and found.challenge is None:
            raise OAuthError("invalid_client")
        del self.codes[_hash(code)]
        fits = (
            self._clock.now() < found.expires_at
            and found.redirect_uri == redirect_uri
            and _proves(verifier, found.challenge)
        )
        if not fits:
            raise OAuthError("invalid_grant")
        authorization = replace(found.authorization, is_public=not has_secret)
        return authorization, self._new_refresh_token(authorization)

    def refresh(self, token: str, *, has_secret: bool) -> tuple[Authorization, str]:
        """Replace a refresh token. The old one works for 30 minutes more, in case it got lost.

        Raises OAuthError `invalid_grant` when it is unknown, revoked, replaced too long ago, or
        unused for 60 days.
        """
        now, found = self._clock.now(), self.refresh_tokens.get(_hash(token))
        if found is None:
            raise OAuthError("invalid_grant")
        if not has_secret and not found.authorization.is_public:
            raise OAuthError("invalid_client")
        too_old = now >= found.issued_at + REFRESH_LIFE
        gone = found.replaced_at is not None and now >= found.replaced_at + REFRESH_GRACE
        if too_old or gone or found.authorization.email not in self.users:
            raise OAuthError("invalid_grant")
        if found.replaced_at is None:
            self.refresh_tokens[_hash(token)] = replace(found, replaced_at=now)
        self._forget_dead_tokens(now)
        return found.authorization, self._new_refresh_token(found.authorization)

    def revoke(self, token: str) -> None:
        """Kill a refresh token, and with it every connection of its user. Unknown: nothing."""
        found = self.refresh_tokens.get(_hash(token))
        if found is not None:
            self.revoke_user(found.authorization.email)

    def revoke_user(self, email: str) -> None:
        """Take back all that a user granted: refresh tokens, scopes and connections."""
        self.granted.pop(email, None)
        self.refresh_tokens = {
            key: token
            for key, token in self.refresh_tokens.items()
            if token.authorization.email != email
        }
        for connection in self.live(email):
            self._end(connection)

    def live(self, email: str | None = None) -> list[Connection]:
        """The connections that work, of one user or of all, oldest first."""
        return [
            connection
            for connection in self.connections.values()
            if connection.is_live and email in (None, connection.email)
        ]

    def connection(self, email: str, tenant_id: str) -> Connection | None:
        """The connection of a user to an organisation, if it works."""
        found = self.connections.get((email, tenant_id))
        return found if found is not None and found.is_live else None

    def disconnect(self, connection_id: str, *, email: str | None) -> None:
        """End one connection, of this user or (None) of anybody. Raises NotFoundError if none."""
        for connection in self.live(email):
            if connection.connection_id == connection_id:
                self._end(connection)
                return
        raise NotFoundError

    def disconnect_tenant(self, tenant_id: str) -> int:
        """End every user's connection to an organisation; how many there were."""
        ended = [found for found in self.live() if found.tenant_id == tenant_id]
        for connection in ended:
            self._end(connection)
        return len(ended)

    def _connect(self, email: str, tenant_id: str, event: str) -> None:
        now, key = self._clock.now(), (email, tenant_id)
        known = self.connections.get(key)
        if known is not None:
            again = replace(known, auth_event_id=event, updated_at=now, is_live=True)
            self.connections[key] = again
            return
        self.connections[key] = Connection(
            str(uuid.uuid4()), event, email, tenant_id, created_at=now, updated_at=now
        )

    def _end(self, connection: Connection) -> None:
        ended = replace(connection, is_live=False, updated_at=self._clock.now())
        self.connections[connection.email, connection.tenant_id] = ended

    def _new_refresh_token(self, authorization: Authorization) -> str:
        token = secrets.token_urlsafe(32)
        self.refresh_tokens[_hash(token)] = RefreshToken(authorization, self._clock.now())
        return token

    def _forget_dead_tokens(self, now: datetime) -> None:
        self.refresh_tokens = {
            key: token
            for key, token in self.refresh_tokens.items()
            if token.replaced_at is None or now < token.replaced_at + REFRESH_GRACE
        }


def _proves(verifier: str | None, challenge: str | None) -> bool:
    if challenge is None:
        return True
    if verifier is None or not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(proof, challenge)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
