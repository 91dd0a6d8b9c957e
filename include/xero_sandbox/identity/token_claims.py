"""The claims inside the sandbox's tokens, spelled as Xero spells them.

Knows names and lifetimes. Must not know how tokens are signed or handed out.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from xero_sandbox.identity.permits import Authorization, User
from xero_sandbox.identity.signing import AUDIENCE, ISSUER

ACCESS_LIFE = timedelta(minutes=30)
ID_LIFE = timedelta(minutes=5)


def access_claims(
    user: User, authorization: Authorization, *, client_id: str, now: datetime
) -> dict[str, object]:
    """An access token of a user; `authentication_event_id` is the connections' authEventId."""
    return {
        **_frame(AUDIENCE, now, ACCESS_LIFE),
        "client_id": client_id,
        "sub": _subject(user),
        "auth_time": int(authorization.signed_in_at.timestamp()),
        "xero_userid": user.user_id,
        "global_session_id": authorization.session_id,
        "sid": authorization.session_id,
        "jti": secrets.token_hex(16).upper(),
        "authentication_event_id": authorization.auth_event_id,
        "scope": list(authorization.scopes),
        "amr": ["pwd"],
    }


def app_claims(
    scopes: Sequence[str], *, client_id: str, auth_event_id: str, now: datetime
) -> dict[str, object]:
    """An access token of the app itself, such as a Custom Connection's: there is no user."""
    return {
        **_frame(AUDIENCE, now, ACCESS_LIFE),
        "client_id": client_id,
        "jti": secrets.token_hex(16).upper(),
        "authentication_event_id": auth_event_id,
        "scope": list(scopes),
    }


def id_claims(
    user: User,
    authorization: Authorization,
    *,
    client_id: str,
    access_token: str,
    now: datetime,
) -> dict[str, object]:
    """An id token: who the user is, as far as the scopes `email` and `profile` allow."""
    claims: dict[str, object] = {
        **_frame(client_id, now, ID_LIFE),
        "iat": int(now.timestamp()),
        "at_hash": _half_hash(access_token),
        "sid": authorization.session_id,
        "sub": _subject(user),
        "auth_time": int(authorization.signed_in_at.timestamp()),
        "xero_userid": user.user_id,
        "global_session_id": authorization.session_id,
    }
    if authorization.nonce is not None:
        claims["nonce"] = authorization.nonce
    return claims | personal_claims(user, authorization.scopes)


def personal_claims(user: User, scopes: Sequence[str]) -> dict[str, object]:
    """Name and address of a user, as far as the scopes allow."""
    claims: dict[str, object] = {}
    if "email" in scopes:
        claims["email"] = user.email
    if "profile" in scopes:
        claims["preferred_username"] = user.email
        claims["given_name"] = user.given_name
        claims["family_name"] = user.family_name
        claims["name"] = f"{user.given_name} {user.family_name}".strip()
    return claims


def scopes_of(claims: Mapping[str, object]) -> tuple[str, ...]:
    """The scopes of a checked access token."""
    scopes = claims.get("scope")
    return tuple(map(str, scopes)) if isinstance(scopes, list) else ()


def new_event_id() -> str:
    """An id for one pass of consent."""
    return str(uuid.uuid4())


def _frame(audience: str, now: datetime, life: timedelta) -> dict[str, object]:
    return {
        "nbf": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
        "iss": ISSUER,
        "aud": audience,
    }


def _subject(user: User) -> str:
    return hashlib.sha256(user.user_id.encode()).hexdigest()[:32]


def _half_hash(token: str) -> str:
    digest = hashlib.sha256(token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
