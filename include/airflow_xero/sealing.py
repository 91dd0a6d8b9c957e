"""What the keys of `XERO_TOKEN_KEYS` seal and sign: a grant's tokens, links and states.

Knows Fernet and the form of the sealed payload. Must not know tables, HTTP or Airflow, and lets no
secret reach an error or a repr.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from airflow_xero.errors import XeroSetupError

_SIGNATURE_BYTES = 16


def signed(secret: str, *, purpose: str, key: str) -> str:
    """A random secret with its signature behind a dot, so that a guess is told from it at once."""
    return f"{secret}.{_signature(key, purpose, secret)}"


def is_signed(token: str, *, purpose: str, keys: Sequence[str]) -> bool:
    """Whether `signed` made it for this purpose, with any of the keys; asks no database."""
    secret, _, signature = token.partition(".")
    if not token.isascii():
        return False
    return any(hmac.compare_digest(_signature(key, purpose, secret), signature) for key in keys)


def _signature(key: str, purpose: str, secret: str) -> str:
    digest = hmac.digest(key.strip().encode(), f"{purpose}\n{secret}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).rstrip(b"=").decode()


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


@dataclass(frozen=True)
class GrantSecrets:
    """What is sealed of a grant; `previous` is the way back until `previous_until` (aware)."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    previous: str | None = field(repr=False, default=None)
    previous_until: datetime | None = None

    def in_the_clear(self) -> tuple[str, ...]:
        """Every token of it."""
        tokens = (self.access_token, self.refresh_token, self.previous)
        return tuple(token for token in tokens if token)

    def way_back(self, now: datetime) -> str | None:
        """The previous refresh token while Xero still accepts it."""
        is_alive = self.previous_until is not None and now < self.previous_until
        return self.previous if is_alive else None

    def sealed(self, cipher: MultiFernet) -> bytes:
        """Encrypted with the cipher's first key."""
        until = self.previous_until.isoformat() if self.previous_until else None
        payload = {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "previous": self.previous,
            "previous_until": until,
        }
        return cipher.encrypt(json.dumps(payload).encode())


def unsealed(sealed: bytes, cipher: MultiFernet) -> GrantSecrets:
    """What `sealed` made. Raises XeroSetupError when no key opens it."""
    try:
        payload = json.loads(cipher.decrypt(bytes(sealed)))
    except InvalidToken:
        raise no_key_opens() from None
    until = payload["previous_until"]
    return GrantSecrets(
        payload["access_token"],
        payload["refresh_token"],
        previous=payload["previous"],
        previous_until=datetime.fromisoformat(until) if until else None,
    )


def no_key_opens() -> XeroSetupError:
    """The error for something sealed with a key that is not in the list."""
    return XeroSetupError(
        "No key in XERO_TOKEN_KEYS opens the stored grants: add the key that encrypted them "
        "at the end of the list, or let every user press Connect to Xero again"
    )
