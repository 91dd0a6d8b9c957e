"""What is granted: users, sign-ins, codes, refresh tokens and connections, as plain values.

Knows what each consists of. Must not know the rules by which they live and die (`grants.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

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
        return _user_id(self.email)

    @property
    def full_name(self) -> str:
        """The name as one would say it; may be blank."""
        return f"{self.given_name} {self.family_name}".strip()


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


def user_of(email: str, name: str, organisations: Iterable[str]) -> User:
    """A user from a full name; what follows the first word is the family name."""
    given, _, family = name.strip().partition(" ")
    return User(email, given, family, tuple(organisations))


@lru_cache(maxsize=10_000)
def _user_id(email: str) -> str:
    return str(uuid.uuid5(_USER_NAMESPACE, email))
