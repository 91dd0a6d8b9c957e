"""Who granted what: users, sign-ins, codes, refresh tokens and connections, and their rules.

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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from xero_sandbox.clock import Clock
from xero_sandbox.errors import NotFoundError, OAuthError

CODE_LIFE = timedelta(minutes=5)
REFRESH_LIFE = timedelta(days=60)
REFRESH_GRACE = timedelta(minutes=30)
_USER_NAMESPACE = uuid.UUID("0c1f5f8e-98f4-4b0d-8e3c-0f6a4b1c9d20")


@dataclass(frozen=True)
class User:
    """A person with a login. `organisations` are tenant ids, in the order of the consent page."""

    email: str
    given_name: str
    family_name: str
    organisations: tuple[str, ...]

    @property
    def user_id(self) -> str:
        """The person's GUID: the same for the same address, always."""
        return str(uuid.uuid5(_USER_NAMESPACE, self.email))


@dataclass(frozen=True)
class Authorization:
    """What one pass through the consent page granted. `is_public`: an app without a secret."""

    email: str
    scopes: tuple[str, ...]
    auth_event_id: str
    session_id: str
    signed_in_at: datetime
    nonce: str | None = None
    is_public: bool = False


@dataclass(frozen=True)
class Code:
    """An authorization code that was not exchanged yet."""

    authorization: Authorization
    redirect_uri: str
    challenge: str | None
    expires_at: datetime


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token; `replaced_at` is None until its first use."""

    authorization: Authorization
    issued_at: datetime
    replaced_at: datetime | None = None


@dataclass(frozen=True)
class Connection:
    """One organisation that a user connected to the app. Kept, not live, when disconnected."""

    connection_id: str
    auth_event_id: str
    email: str
    tenant_id: str
    created_at: datetime
    updated_at: datetime
    is_live: bool = True


@dataclass(frozen=True)
class Session:
    """A browser that is logged in."""

    email: str
    signed_in_at: datetime


class Grants:
    """All of it, in memory; the state file reads and writes the five dictionaries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.users: dict[str, User] = {}
        self.sessions: dict[str, Session] = {}
        self.codes: dict[str, Code] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.connections: dict[str, Connection] = {}
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

    def disconnect(self, connection_id: str, *, email: str) -> None:
        """End one connection of this user. Raises NotFoundError when there is none."""
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
        now = self._clock.now()
        for known in self.connections.values():
            if known.email == email and known.tenant_id == tenant_id:
                again = replace(known, auth_event_id=event, updated_at=now, is_live=True)
                self.connections[known.connection_id] = again
                return
        connection_id = str(uuid.uuid4())
        self.connections[connection_id] = Connection(
            connection_id, event, email, tenant_id, created_at=now, updated_at=now
        )

    def _end(self, connection: Connection) -> None:
        ended = replace(connection, is_live=False, updated_at=self._clock.now())
        self.connections[connection.connection_id] = ended

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


def user_of(email: str, name: str, organisations: Iterable[str]) -> User:
    """A user from a full name; what follows the first word is the family name."""
    given, _, family = name.strip().partition(" ")
    return User(email, given, family, tuple(organisations))


def scopes_of(claims: Mapping[str, object]) -> tuple[str, ...]:
    """The scopes of a checked access token."""
    scopes = claims.get("scope")
    return tuple(map(str, scopes)) if isinstance(scopes, list) else ()


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
