"""Who consented: the signed id_token that came with a consent.

Knows OpenID Connect as Xero speaks it: RS256, keys at the discovery address. Stores nothing.
Must not know Postgres or Airflow.
Source: https://developer.xero.com/documentation/guides/oauth2/sign-in
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt

from airflow_xero.answers import error_of, storable
from airflow_xero.errors import UnexpectedPayloadError, XeroSetupError
from airflow_xero.oauth import TokenSet, XeroApp, unreachable

# Xero's name in every token, whatever address it is reached by (a gateway, the sandbox).
_ISSUER = "https://identity.xero.com"

_KEYS_LIVE = timedelta(hours=1)
# An unknown key is asked for at once, but a flood of wrong tokens must not become one at Xero.
_KEYS_REST = timedelta(minutes=1)


@dataclass(frozen=True)
class XeroUser:
    """The person at Xero who consented; name and email only where those scopes were granted."""

    xero_user_id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class Identity:
    """The user, and Xero's id of the consent itself, by which its connections are listed."""

    user: XeroUser
    auth_event_id: str | None


class SigningKeys:
    """The keys with which Xero signs, asked for once an hour: Xero refuses who asks too often.

    May be shared by threads and apps.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[datetime, list[jwt.PyJWK]]] = {}

    def named(
        self, app: XeroApp, key_id: str | None, *, http: httpx.Client, now: datetime
    ) -> jwt.PyJWK:
        """The key of this id; raises StopIteration without one, and what Xero's answer means."""
        # Held while asking, so that twenty consents at once ask once.
        with self._lock:
            asked_at, keys = self._known.get(app.identity_url, (None, []))
            is_known = any(key_id in {None, key.key_id} for key in keys)
            rest = _KEYS_LIVE if is_known else _KEYS_REST
            if asked_at is None or not asked_at <= now < asked_at + rest:
                keys = jwt.PyJWKSet.from_dict(_published_keys(app, http=http)).keys
                self._known[app.identity_url] = (now, keys)
            return next(key for key in keys if key_id in {None, key.key_id})


def identify(
    app: XeroApp,
    tokens: TokenSet,
    *,
    http: httpx.Client,
    nonce: str | None = None,
    keys: SigningKeys | None = None,
    now: datetime | None = None,
) -> Identity:
    """Verify the id_token's signature, issuer and audience, and read the user from it.

    A `nonce` that Xero repeats must be the one that was asked with. Its times are not checked: it
    arrived this moment, over TLS, from the issuer itself. `now` (aware) defaults to the present.
    Raises XeroSetupError (no `openid` scope), UnexpectedPayloadError (a claim or the signature
    is wrong), UnavailableError.
    """
    if tokens.id_token is None:
        raise XeroSetupError(
            "Xero did not say who consented: add `openid profile email` to the scopes of the "
            f"Airflow connection {app.conn_id} and press Connect to Xero again"
        )
    claims = _verified(
        app, tokens.id_token, http=http, keys=keys or SigningKeys(), now=now or datetime.now(UTC)
    )
    if nonce is not None and claims.get("nonce", nonce) != nonce:
        raise UnexpectedPayloadError("Xero's id_token is of another consent; please report it")
    xero_user_id = _uuid_of(claims.get("xero_userid"))
    if xero_user_id is None:
        raise UnexpectedPayloadError("Xero's id_token lacks xero_userid; please report it")
    return Identity(
        user=XeroUser(xero_user_id, _name_of(claims), _text_of(claims, "email")),
        auth_event_id=_auth_event_of(tokens.access_token),
    )


def _verified(
    app: XeroApp, id_token: str, *, http: httpx.Client, keys: SigningKeys, now: datetime
) -> dict[str, Any]:
    try:
        key_id = jwt.get_unverified_header(id_token).get("kid")
        key = keys.named(app, key_id, http=http, now=now)
        return jwt.decode(
            id_token,
            key=key,
            algorithms=["RS256"],
            audience=app.client_id,
            issuer=_ISSUER,
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except (jwt.PyJWTError, StopIteration) as error:
        raise UnexpectedPayloadError(
            f"Xero's id_token cannot be verified ({type(error).__name__}); check the identity "
            f"URL of the Airflow connection {app.conn_id}"
        ) from None


def _published_keys(app: XeroApp, *, http: httpx.Client) -> dict[str, Any]:
    url = f"{app.identity_url}/.well-known/openid-configuration/jwks"
    try:
        response = http.get(url, headers={"Accept": "application/json"})
    except httpx.RequestError as error:
        raise unreachable(app.identity_url, error) from None
    if response.status_code != httpx.codes.OK:
        raise error_of(response)
    try:
        keys = response.json()
    except ValueError:
        keys = None
    if not isinstance(keys, dict):
        raise UnexpectedPayloadError("Xero's signing keys are no JSON; please report it")
    return keys


def _name_of(claims: Mapping[str, Any]) -> str | None:
    parts = [_text_of(claims, "given_name"), _text_of(claims, "family_name")]
    return " ".join(part for part in parts if part) or _text_of(claims, "name")


def _text_of(claims: Mapping[str, Any], name: str) -> str | None:
    text = claims.get(name)
    return storable(text) if isinstance(text, str) and text else None


def _auth_event_of(access_token: str) -> str | None:
    # Only a filter for the list of connections, which Xero checks itself: no signature needed.
    try:
        claims = jwt.decode(access_token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return None
    return _uuid_of(claims.get("authentication_event_id"))


def _uuid_of(value: object) -> str | None:
    """An id as the list of connections and Postgres write it; None for what is none."""
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
