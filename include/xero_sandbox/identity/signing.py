"""Signs and checks the sandbox's tokens: RS256 with one key, published as JWKS.

The only place that touches the signing key. Knows nothing of users, connections or HTTP; the
time comes in as an argument.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from xero_sandbox.errors import TokenExpiredError, TokenInvalidSignatureError, UnauthorizedError

# Clients compare the claims with the real Xero's, wherever the sandbox runs.
ISSUER = "https://identity.xero.com"
AUDIENCE = f"{ISSUER}/resources"
_ALGORITHM = "RS256"
_MOST_CHECKED = 1000


class Signer:
    """Signs tokens with an RSA key: the given one (PEM), or a new one when first needed."""

    def __init__(self, pem: str | None = None) -> None:
        self._given_pem = pem
        # Checking a signature takes longer than most answers, and a token is used many times.
        self._checked: dict[bytes, dict[str, Any]] = {}

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        if self._given_pem is None:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key = serialization.load_pem_private_key(self._given_pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            message = "the signing key of the state file is not an RSA key"
            raise ValueError(message)  # noqa: TRY004  (a wrong file, not a wrong call)
        return key

    @cached_property
    def _public_key(self) -> rsa.RSAPublicKey:
        return self._key.public_key()

    @cached_property
    def _key_id(self) -> str:
        number = self._public_key.public_numbers().n
        return hashlib.sha256(str(number).encode()).hexdigest()[:40].upper()

    def pem(self) -> str:
        """The private key, for the state file alone."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWT of these claims."""
        return jwt.encode(
            dict(claims), self._key, algorithm=_ALGORITHM, headers={"kid": self._key_id}
        )

    def check(self, token: str, *, now: datetime) -> dict[str, Any]:
        """The claims of an access token that this key signed and that has not expired.

        Raises UnauthorizedError for garbage, TokenInvalidSignatureError for a foreign signature,
        TokenExpiredError for an old one.
        """
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._checked.get(digest)
        if claims is None:
            claims = self._decode(token)
            if len(self._checked) >= _MOST_CHECKED:
                self._checked.clear()
            self._checked[digest] = claims
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        if now >= expires_at:
            raise TokenExpiredError(expires_at)
        return claims

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._public_key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": ["exp", "jti"],
                    # PyJWT would ask the machine's clock; the identity clock is asked below.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError as error:
            raise TokenInvalidSignatureError from error
        except jwt.InvalidTokenError as error:
            raise UnauthorizedError from error
        return claims

    def jwks(self) -> dict[str, object]:
        """The public key as the JWKS document shows it."""
        numbers = self._public_key.public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "kid": self._key_id,
            "e": _base64url(numbers.e),
            "n": _base64url(numbers.n),
            "alg": _ALGORITHM,
        }
        return {"keys": [key]}


def _base64url(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
