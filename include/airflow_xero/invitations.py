"""Invitations: a link by which somebody without a login in Airflow connects once.

The link's secret is 256 random bits, signed with the keys of the installation, so that a guess is
refused without asking the database; stored is a hash. It stands behind the `#` of the address,
which browsers send to nobody: no server, proxy or log sees it. Knows xero_ops.invitations. Must
not know OAuth, tokens, or how a page looks.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row, tuple_row

from airflow_xero.answers import storable
from airflow_xero.audit import Actor, record
from airflow_xero.authorisations import hash_of
from airflow_xero.errors import ConsentRefusedError, XeroSetupError
from airflow_xero.oauth import XeroApp
from airflow_xero.scope_choices import chosen
from airflow_xero.sealing import cipher_of, is_signed, signed
from airflow_xero.warehouse import require_idle, warehouse_errors

MOST_DAYS = 30
LONGEST_NOTE = 200
HANDOVER_TIME = timedelta(minutes=10)
"""How long a user of Airflow may take to go on at the address that Xero sends people back to."""

_RANDOM_BYTES = 32
ASK_AGAIN = "ask the person who invited you for a new link"
NOT_TWICE = "Connecting here works once, and within ten minutes: press Connect to Xero again"


@dataclass(frozen=True)
class Invitation:
    """A link that was just made. The address is shown once: it is stored nowhere."""

    invitation_id: str
    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Invited:
    """An invitation as its list shows it; no `scopes` are those of the Airflow connection."""

    invitation_id: str
    invited_by: str
    note: str | None
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by_email: str | None
    revoked_at: datetime | None
    revoked_by: str | None
    state: Literal["open", "used", "expired", "revoked"]

    @property
    def is_own(self) -> bool:
        """Whether a user of Airflow made it for themselves: see `hand_over`."""
        return self.expires_at - self.created_at <= HANDOVER_TIME


def invite(
    warehouse: psycopg.Connection[Any],
    app: XeroApp,
    *,
    keys: Sequence[str],
    actor: Actor,
    note: str = "",
    grants: Collection[str] | None = None,
    days: int = 7,
    now: datetime,
) -> Invitation:
    """Make a link that is good for `days`, asking for the `grants` (keys of scope_choices).

    Without them it asks for what the Airflow connection names. `note` tells what it is about.
    Raises XeroSetupError for a Custom Connection, for more than 30 days or 200 characters.
    """
    if not 1 <= days <= MOST_DAYS:
        raise XeroSetupError(f"An invitation is good for 1 to {MOST_DAYS} days")
    if len(note) > LONGEST_NOTE:
        raise XeroSetupError(f"A note has at most {LONGEST_NOTE} characters")
    return _made(
        warehouse,
        app,
        keys=keys,
        actor=actor,
        is_own=False,
        note=storable(note).strip() or None,
        scopes=() if grants is None else chosen(app.scopes, grants),
        now=now,
        expires_at=now + timedelta(days=days),
    )


def hand_over(
    warehouse: psycopg.Connection[Any],
    app: XeroApp,
    *,
    keys: Sequence[str],
    actor: Actor,
    grants: Collection[str] | None = None,
    now: datetime,
) -> Invitation:
    """A link for the user themselves, to go on where the callback is served: ten minutes."""
    return _made(
        warehouse,
        app,
        keys=keys,
        actor=actor,
        is_own=True,
        note=None,
        scopes=() if grants is None else chosen(app.scopes, grants),
        now=now,
        expires_at=now + HANDOVER_TIME,
    )


def listed(warehouse: psycopg.Connection[Any], conn_id: str, *, now: datetime) -> list[Invited]:
    """The app's invitations of others, the newest first, at most a hundred."""
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(Invited)) as cursor,
    ):
        values = {"conn_id": conn_id, "now": now, "own": HANDOVER_TIME}
        return cursor.execute(_LISTED, values).fetchall()


def revoke(
    warehouse: psycopg.Connection[Any],
    conn_id: str,
    invitation_id: str,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Make a link useless, also for a consent that is under way; False when it is so already."""
    try:
        wanted = UUID(invitation_id)
    except ValueError:
        return False
    values = {"id": wanted, "conn_id": conn_id, "now": now, "actor": actor.name}
    with warehouse_errors(), warehouse.transaction():
        is_revoked = warehouse.execute(_REVOKE, values).rowcount == 1
        if is_revoked:
            detail = {"invitation_id": str(wanted)}
            record(warehouse, actor, action="revoke", outcome="revoked", detail=detail)
    return is_revoked


def look(
    warehouse: psycopg.Connection[Any],
    app: XeroApp,
    token: str,
    *,
    keys: Sequence[str],
    now: datetime,
) -> Invited:
    """The invitation behind a link, if it can still be used.

    Raises ConsentRefusedError, whose message the invited person may read. A link that we did not
    sign is refused without asking the database.
    """
    require_signed(token, conn_id=app.conn_id, keys=keys)
    found = _of_secret(warehouse, app, token.partition(".")[0], now=now)
    if found is None:
        raise _not_valid()
    _require_open(found)
    return found


def require_signed(token: str, *, conn_id: str, keys: Sequence[str]) -> None:
    """Raise ConsentRefusedError for a link that we did not make, before anything is opened."""
    purposes = [_purpose_of(conn_id, is_own=is_own) for is_own in (False, True)]
    if not any(is_signed(token, purpose=purpose, keys=keys) for purpose in purposes):
        raise _not_valid()


def is_own_link(token: str, *, conn_id: str, keys: Sequence[str]) -> bool:
    """Whether it is a link of `hand_over`, which its signature says; nothing is opened for it."""
    return is_signed(token, purpose=_purpose_of(conn_id, is_own=True), keys=keys)


def _made(
    warehouse: psycopg.Connection[Any],
    app: XeroApp,
    *,
    keys: Sequence[str],
    actor: Actor,
    is_own: bool,
    note: str | None,
    scopes: Sequence[str],
    now: datetime,
    expires_at: datetime,
) -> Invitation:
    require_idle(warehouse)
    cipher_of(keys)
    if app.is_custom:
        raise XeroSetupError("A Custom Connection has one organisation: nobody can be invited")
    secret = secrets.token_urlsafe(_RANDOM_BYTES)
    values = {
        "conn_id": app.conn_id,
        "token_hash": hash_of(secret),
        "invited_by": actor.name,
        "note": note,
        "scopes": list(scopes),
        "now": now,
        "expires_at": expires_at,
    }
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=tuple_row) as cursor,
    ):
        row = cursor.execute(_INSERT, values).fetchone()
        invitation_id = str(row[0]) if row else ""
        detail = {"invitation_id": invitation_id, "expires_at": expires_at.isoformat()}
        action, outcome = ("connect", "handed over") if is_own else ("invite", "invited")
        record(warehouse, actor, action=action, outcome=outcome, detail=detail)
    page = app.redirect_uri.removesuffix("/callback") + "/invitation"
    token = signed(secret, purpose=_purpose_of(app.conn_id, is_own=is_own), key=keys[0])
    return Invitation(invitation_id, f"{page}#{token}", expires_at)


def _purpose_of(conn_id: str, *, is_own: bool) -> str:
    return f"{'handover' if is_own else 'invitation'}\n{conn_id}"


def _not_valid() -> ConsentRefusedError:
    return ConsentRefusedError(
        "This invitation link is not valid: copy all of it from the message that you got, or "
        f"{ASK_AGAIN}"
    )


def _of_secret(
    warehouse: psycopg.Connection[Any], app: XeroApp, secret: str, *, now: datetime
) -> Invited | None:
    values = {"conn_id": app.conn_id, "token_hash": hash_of(secret), "now": now}
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(Invited)) as cursor,
    ):
        return cursor.execute(_ONE, values).fetchone()


def _require_open(found: Invited) -> None:
    if found.is_own and found.state != "open":
        raise ConsentRefusedError(NOT_TWICE)
    if found.state == "used":
        raise ConsentRefusedError(
            f"This invitation was used on {found.used_at:%d %B %Y}, and works once. To connect "
            f"another organisation, {ASK_AGAIN}"
        )
    if found.state == "revoked":
        raise ConsentRefusedError(f"This invitation was taken back by who invited you: {ASK_AGAIN}")
    if found.state == "expired":
        raise ConsentRefusedError(
            f"This invitation expired on {found.expires_at:%d %B %Y}: {ASK_AGAIN}"
        )


_INVITED = """
select
    invitation_id::text, invited_by, note, scopes, created_at, expires_at, used_at, used_by_email,
    revoked_at, revoked_by,
    case
        when used_at is not null then 'used'
        when revoked_at is not null then 'revoked'
        when expires_at <= %(now)s then 'expired'
        else 'open'
    end as state
from xero_ops.invitations
where conn_id = %(conn_id)s
"""

_ONE = f"{_INVITED} and token_hash = %(token_hash)s"  # two constants of this module

_LISTED = f"""
{_INVITED} and expires_at - created_at > %(own)s
order by created_at desc, invitation_id
limit 100
"""

_INSERT = """
insert into xero_ops.invitations
    (conn_id, token_hash, invited_by, note, scopes, created_at, expires_at)
values
    (%(conn_id)s, %(token_hash)s, %(invited_by)s, %(note)s, %(scopes)s, %(now)s, %(expires_at)s)
returning invitation_id
"""

IS_OPEN = "used_at is null and revoked_at is null"

_REVOKE = f"""
update xero_ops.invitations set revoked_at = %(now)s, revoked_by = %(actor)s
where invitation_id = %(id)s and conn_id = %(conn_id)s and expires_at > %(now)s and {IS_OPEN}
"""  # noqa: S608 -- constants of this module
