"""Connecting organisations: from the button to the stored grant and its organisations.

The story behind the Connect page and of invitations; without a button it is `connect_custom.py`.
Must not know Airflow, web frameworks, or how a page looks. How the organisations are doing
afterwards is told by `standing.py`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx
import psycopg
from cryptography.fernet import InvalidToken

from airflow_xero import authorisations, connections, oauth
from airflow_xero.audit import Actor
from airflow_xero.authorisations import CONSENT_TIME, Authorisation, hash_of
from airflow_xero.claiming import claimed, require_tries_left
from airflow_xero.errors import XeroError, XeroSetupError
from airflow_xero.identity import SigningKeys, identify
from airflow_xero.oauth import XeroApp
from airflow_xero.reaching import (
    Connected,
    Finished,
    close_unlisted,
    organisations_of,
    refuse,
    require_some,
    sorted_out,
    store,
    told,
)
from airflow_xero.sealing import cipher_of, signed
from airflow_xero.standing import (
    OrganisationState,
    OrganisationStatus,
    SkippedTenant,
    skipped_tenants,
    status,
    tenants_to_extract,
)
from airflow_xero.tiers import CONNECTIONS
from airflow_xero.tokens import TokenStore
from airflow_xero.warehouse import require_idle, warehouse_errors

__all__ = [
    "CONSENT_TIME",
    "Begun",
    "Cap",
    "Connected",
    "Finished",
    "OrganisationState",
    "OrganisationStatus",
    "SkippedTenant",
    "abandon",
    "begin",
    "cap",
    "cap_of",
    "finish",
    "reconcile",
    "skipped_tenants",
    "status",
    "tenants_to_extract",
]

_RANDOM_BYTES = 32


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the cookie that binds the consent to it.

    The cookie may travel over https alone where Xero sends the browser back to https.
    """

    url: str = field(repr=False)
    state: str = field(repr=False)
    browser_cookie: str = field(repr=False)
    is_secure: bool = field(repr=False)


@dataclass(frozen=True)
class Cap:
    """How many connections Xero counts for the app, and how many its tier allows, if known."""

    used: int
    allowed: int | None

    @property
    def is_reached(self) -> bool:
        """Whether Xero will refuse an organisation that is not connected yet."""
        return self.allowed is not None and self.used >= self.allowed


def cap(warehouse: psycopg.Connection[Any], app: XeroApp) -> Cap:
    """How far the app is from the bound of its tier; what is only closed here counts as well."""
    return cap_of(app, connections.count_at_xero(warehouse, app.conn_id))


def cap_of(app: XeroApp, used: int) -> Cap:
    """The same of a count that is known; a Custom Connection is outside the tiers."""
    return Cap(used, None if app.is_custom else CONNECTIONS.get(app.tier))


def begin(
    app: XeroApp,
    *,
    warehouse: psycopg.Connection[Any],
    keys: Sequence[str],
    started_by: str,
    now: datetime,
    scopes: Sequence[str] = (),
    invitation_id: str | None = None,
    cookie_prefix: str = "",
) -> Begun:
    """Start a consent: remember it for ten minutes and give the address of Xero's page.

    State and cookie are 256 random bits each, stored as hashes, and the state is signed; the PKCE
    verifier is stored encrypted. `started_by` is the Airflow user, `scopes` what is asked for
    instead of what the Airflow connection names. Raises XeroSetupError, WarehouseBusyError, and
    ConsentRefusedError for an invitation that was tried too often.
    """
    require_idle(warehouse)
    secret, random, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
    cookie = cookie_prefix + random
    cipher = cipher_of(keys)
    state = signed(secret, purpose=authorisations.purpose_of(app.conn_id), key=keys[0])
    begun = Authorisation(
        hash_of(cookie),
        started_by,
        cipher.encrypt(verifier.encode()),
        started_at=now,
        invitation_id=invitation_id,
        scopes=tuple(scopes) or None,
    )
    with warehouse_errors(), warehouse.transaction():
        require_tries_left(warehouse, invitation_id, now=now)
        authorisations.keep(warehouse, begun, conn_id=app.conn_id, state=state)
    url = oauth.authorize_url(
        replace(app, scopes=tuple(scopes) or app.scopes),
        state=state,
        code_challenge=oauth.code_challenge_of(verifier),
        nonce=_nonce_of(verifier),
    )
    return Begun(url, state, cookie, is_secure=app.redirect_uri.startswith("https:"))


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
    address: str | None = None,
    signing_keys: SigningKeys | None = None,
) -> Finished:
    """Complete a consent that Xero sent back: store the grant and the organisations it chose.

    Those of the same user's earlier consents that are open here are brought up to date, too, and
    are the answer where Xero says of none that it was chosen now; everything else that Xero lists
    for this user is left alone. `address` is the browser's. Raises ConsentRefusedError when the
    state is unknown, used, too old or of another browser; when its invitation can no longer be
    used; when no organisation came with it; and what Xero's answers mean.
    """
    require_idle(warehouse)
    # A state that nobody began is not audited: strangers must not fill the log.
    begun = authorisations.take(warehouse, conn_id=app.conn_id, state=state)
    actor = Actor(begun.started_by, address)
    try:
        begun.require(browser_cookie, now)
        verifier = _unsealed(begun.code_verifier, tokens)
        with claimed(warehouse, begun.invitation_id, now=now) as used_by:
            asked = replace(app, scopes=tuple(begun.scopes or app.scopes))
            granted = oauth.exchange_code(asked, code, code_verifier=verifier, http=http, now=now)
            identity = identify(
                app, granted, http=http, nonce=_nonce_of(verifier), keys=signing_keys, now=now
            )
            tokens.keep_secret(granted.access_token)
            used_by.extend([identity.user.email] if identity.user.email else [])
            reached = sorted_out(
                warehouse,
                organisations_of(app, granted.access_token, http=http),
                conn_id=app.conn_id,
                auth_event_id=identity.auth_event_id,
            )
            # A consent that connects nothing here leaves no token here.
            require_some(reached)
            grant_id = tokens.save(identity.user, granted, connected_by=begun.started_by)
            store(warehouse, reached, app=app, grant_id=grant_id, now=now, actor=actor)
    except XeroError as error:
        refuse(warehouse, actor, reason=error.message, invitation_id=begun.invitation_id)
        raise
    meant = reached.chosen or reached.kept
    shared = connections.shared(warehouse, meant, conn_id=app.conn_id, grant_id=grant_id)
    return Finished(told(meant, shared), sorted(one.tenant_name for one in reached.others))


def abandon(
    app: XeroApp,
    *,
    warehouse: psycopg.Connection[Any],
    state: str,
    browser_cookie: str,
    reason: str,
    now: datetime,
    address: str | None = None,
) -> None:
    """Forget a consent from which Xero sent the browser back without a code, and audit why.

    An invitation by which it was begun stays open. Raises ConsentRefusedError as `finish`.
    """
    require_idle(warehouse)
    begun = authorisations.take(warehouse, conn_id=app.conn_id, state=state)
    begun.require(browser_cookie, now)
    actor = Actor(begun.started_by, address)
    refuse(warehouse, actor, reason=reason, invitation_id=begun.invitation_id)


def reconcile(
    app: XeroApp,
    grant_id: str,
    *,
    warehouse: psycopg.Connection[Any],
    tokens: TokenStore,
    http: httpx.Client,
    now: datetime,
    refused_tenant_id: str | None = None,
) -> None:
    """Ask Xero which organisations the grant still reaches, and leave out the others from now on.

    Xero tells nobody of a disconnection: a refused organisation is the sign to ask. Where Xero
    lists `refused_tenant_id` all the same, another user's grant is tried from now on, if there is
    one. Raises what Xero's answers mean.
    """
    reached = organisations_of(app, tokens.fresh(grant_id).value, http=http)
    with warehouse_errors(), warehouse.transaction():
        close_unlisted(warehouse, reached, grant_id=grant_id, now=now, actor=Actor("xero_daily"))
        if refused_tenant_id:
            connections.mark_refused(warehouse, refused_tenant_id, grant_id=grant_id, now=now)


def _unsealed(code_verifier: bytes, tokens: TokenStore) -> str:
    try:
        return tokens.cipher.decrypt(code_verifier).decode()
    except InvalidToken:
        raise XeroSetupError(
            "XERO_TOKEN_KEYS changed while the consent was under way: press Connect to Xero again"
        ) from None


def _nonce_of(verifier: str) -> str:
    """What the id_token must repeat: follows from the verifier, which only this consent has."""
    digest = hashlib.sha256(f"nonce {verifier}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
