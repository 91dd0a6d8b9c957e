"""What the pages do at the warehouse's desk: begin a consent, finish it, read an invitation.

Opens the Airflow connection and the warehouse for each story and tells it the time. The same desk
serves Airflow's users and the public routes, in Airflow's web server or alone. Must not know how
a page looks or who may see it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg

from airflow_xero import authorisations, connect, connect_custom, invitations, settings
from airflow_xero.audit import Actor
from airflow_xero.claiming import require_tries_left
from airflow_xero.connect import Begun, Connected, Finished
from airflow_xero.consent_page import try_authorize
from airflow_xero.errors import ConsentRefusedError, UnavailableError, XeroError, XeroSetupError
from airflow_xero.hook import XeroHook
from airflow_xero.identity import SigningKeys
from airflow_xero.invitations import Invited
from airflow_xero.oauth import XeroApp
from airflow_xero.reaching import refuse
from airflow_xero.scope_choices import Choice, choices_of, chosen
from airflow_xero.standing import status
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web.notices import CapReached, Hindered, XeroSilent
from airflow_xero.web.thanks import Reading
from airflow_xero.web.visitors import HANDED_OVER, INVITED

_log = logging.getLogger(__name__)

WhenConnected = Callable[[Sequence[Connected]], bool]


class ConsentDesk:
    """Keeps nothing but Xero's signing keys.

    `when_connected` is told what was just connected, and says whether that is read at once.
    """

    def __init__(self, *, conn_id: str | None = None, when_connected: WhenConnected) -> None:
        self._conn_id = conn_id
        self._when_connected = when_connected
        self._signing_keys = SigningKeys()

    def begin(
        self, actor: Actor, *, grants: Sequence[str] | None = None, is_sure: bool = False
    ) -> Begun:
        """Begin a consent of a user of Airflow, for what was chosen.

        Raises XeroError, and CapReached or XeroSilent unless they are sure.
        """
        with self._open() as (hook, warehouse), _audited(warehouse, actor):
            app = hook.app()
            if not is_sure:
                _require_room(warehouse, app)
            if app.is_custom:
                raise XeroSetupError(
                    "Nobody consents to a Custom Connection: press Connect to Xero on the page"
                )
            scopes = chosen(app.scopes, grants)
            _try(app, hook, scopes=scopes, is_sure=is_sure)
            return connect.begin(
                app,
                warehouse=warehouse,
                keys=settings.token_keys_from_environment(),
                started_by=actor.name,
                scopes=scopes,
                now=_now(),
            )

    def hand_over(
        self, actor: Actor, *, grants: Sequence[str] | None = None, is_sure: bool = False
    ) -> str:
        """The address at which the user goes on where the callback is served.

        Raises XeroError, and CapReached unless they are sure.
        """
        with self._open() as (hook, warehouse), _audited(warehouse, actor):
            app = hook.app()
            if not is_sure:
                _require_room(warehouse, app)
            made = invitations.hand_over(
                warehouse,
                app,
                keys=settings.token_keys_from_environment(),
                actor=actor,
                grants=grants,
                now=_now(),
            )
        return made.url

    def connect_custom(self, actor: Actor) -> tuple[Sequence[Connected], Reading] | None:
        """Connect a Custom Connection's organisation; None for an app whose users consent.

        Raises XeroError.
        """
        with self._open() as (hook, warehouse):
            with _audited(warehouse, actor):
                app = hook.app()
                if not app.is_custom:
                    return None
                tokens, http = hook.token_store(), hook.http()
            # What is refused from here on, the story writes down itself.
            reached = connect_custom.connect_custom(
                app,
                warehouse=warehouse,
                tokens=tokens,
                http=http,
                actor=actor,
                now=_now(),
            )
            paused = _paused_of(warehouse, app, reached)
        return reached, self._read(reached, paused)

    def is_own(self, token: str) -> bool:
        """Whether a user of Airflow was handed over by this link; nothing is opened for it."""
        try:
            keys = settings.token_keys_from_environment()
        except XeroSetupError:
            return False
        return invitations.is_own_link(token, conn_id=self._id(), keys=keys)

    def look(self, token: str) -> tuple[Invited, Sequence[Choice]]:
        """The invitation, if it can still be used, and what it asks for. Raises XeroError.

        A guess is refused before anything is opened.
        """
        keys = settings.token_keys_from_environment()
        invitations.require_signed(token, conn_id=self._id(), keys=keys)
        with self._open() as (hook, warehouse):
            app = hook.app()
            found = invitations.look(warehouse, app, token, keys=keys, now=_now())
        return found, choices_of(found.scopes or app.scopes)

    def begin_invited(
        self, token: str, *, is_sure: bool = False, address: str | None = None
    ) -> Begun:
        """Begin the consent that an invitation is for; `address` is the person's, for the audit.

        Raises XeroError, and CapReached or XeroSilent unless the person is sure.
        """
        keys = settings.token_keys_from_environment()
        invitations.require_signed(token, conn_id=self._id(), keys=keys)
        with self._open() as (hook, warehouse):
            app, now = hook.app(), _now()
            invited = invitations.look(warehouse, app, token, keys=keys, now=now)
            # Before Xero is asked anything for it.
            require_tries_left(warehouse, invited.invitation_id, now=now)
            started_by = invited.invited_by + ("" if invited.is_own else " (by invitation)")
            with _audited(warehouse, Actor(started_by, address), invited=invited):
                # Who was handed over was told before.
                if not (is_sure or invited.is_own):
                    _require_room(warehouse, app)
                _try_invited(app, hook, invited, is_sure=is_sure)
            return connect.begin(
                app,
                warehouse=warehouse,
                keys=keys,
                started_by=started_by,
                scopes=invited.scopes,
                invitation_id=invited.invitation_id,
                cookie_prefix=HANDED_OVER if invited.is_own else INVITED,
                now=now,
            )

    def finish(
        self, *, state: str, code: str, browser_cookie: str, address: str | None
    ) -> tuple[Finished, Reading]:
        """Complete a consent. Raises XeroError; for a state that is not ours nothing is opened."""
        self._require_our_state(state)
        with self._open() as (hook, warehouse):
            app = hook.app()
            finished = connect.finish(
                app,
                warehouse=warehouse,
                tokens=hook.token_store(),
                http=hook.http(),
                state=state,
                code=code,
                browser_cookie=browser_cookie,
                now=_now(),
                address=address,
                signing_keys=self._signing_keys,
            )
            paused = _paused_of(warehouse, app, finished.connected)
        return finished, self._read(finished.connected, paused)

    def abandon(self, *, state: str, browser_cookie: str, reason: str, address: str | None) -> None:
        """Forget a consent that Xero ended, and audit why. Raises XeroError."""
        self._require_our_state(state)
        with self._open() as (hook, warehouse):
            connect.abandon(
                hook.app(),
                warehouse=warehouse,
                state=state,
                browser_cookie=browser_cookie,
                reason=reason,
                now=_now(),
                address=address,
            )

    def redirect_uri(self) -> str:
        """Where Xero sends people back. Raises XeroError."""
        with XeroHook(self._id()) as hook:
            return hook.app().redirect_uri

    def _read(self, reached: Sequence[Connected], paused: Collection[str]) -> Reading:
        """Have read at once what nobody paused."""
        wanted = [one for one in reached if one.tenant_id not in paused]
        if reached and not wanted:
            return "paused"
        return "at_once" if self._when_connected(wanted) else "later"

    def _id(self) -> str:
        return self._conn_id or settings.conn_id()

    def _require_our_state(self, state: str) -> None:
        keys = settings.token_keys_from_environment()
        authorisations.require_signed(state, conn_id=self._id(), keys=keys)

    @contextmanager
    def _open(self) -> Iterator[tuple[XeroHook, psycopg.Connection[Any]]]:
        with (
            XeroHook(self._id()) as hook,
            warehouse_errors(),
            hook.warehouse() as warehouse,
        ):
            yield hook, warehouse


def _paused_of(
    warehouse: psycopg.Connection[Any], app: XeroApp, reached: Sequence[Connected]
) -> Collection[str]:
    ids = [one.tenant_id for one in reached]
    try:
        found = status(warehouse, app.conn_id, tenant_ids=ids)
    except XeroError:
        # What is connected is connected, whatever the warehouse can say of it now.
        return ()
    return {one.tenant_id for one in found if one.state == "paused"}


def _require_room(warehouse: psycopg.Connection[Any], app: XeroApp) -> None:
    cap = connect.cap(warehouse, app)
    if cap.is_reached:
        raise CapReached(used=cap.used, allowed=cap.allowed)


@contextmanager
def _audited(
    warehouse: psycopg.Connection[Any], actor: Actor, *, invited: Invited | None = None
) -> Iterator[None]:
    """Write down what kept somebody from leaving for Xero; they are told that, come what may.

    For the invited the line counts as one of their tries. That Xero does not answer does not: they
    come back in a few minutes, as often as it takes.
    """
    try:
        yield
    except (XeroError, Hindered) as refused:
        reason = refused.message if isinstance(refused, XeroError) else refused.told().title
        counts_as_try = isinstance(refused, XeroSetupError | CapReached)
        if invited is None or counts_as_try:
            invitation_id = invited.invitation_id if invited else None
            _write_down(warehouse, actor, reason=reason, invitation_id=invitation_id)
        raise


def _write_down(
    warehouse: psycopg.Connection[Any], actor: Actor, *, reason: str, invitation_id: str | None
) -> None:
    try:
        refuse(warehouse, actor, reason=reason, invitation_id=invitation_id)
    except XeroError as error:
        _log.warning(
            "not in the audit log: refused user=%r action=connect address=%s reason=%s",
            actor.name,
            actor.address,
            type(error).__name__,
        )


def _try_invited(app: XeroApp, hook: XeroHook, invited: Invited, *, is_sure: bool) -> None:
    try:
        _try(app, hook, scopes=invited.scopes, is_sure=is_sure)
    except XeroSetupError:
        # A link keeps what it asks for: once that left the field Scopes, only a new one helps.
        if set(invited.scopes) <= set(app.scopes):
            raise
        raise ConsentRefusedError(
            "This invitation asks for something that the app does not ask for any more: "
            f"{invitations.ASK_AGAIN}"
        ) from None


def _try(app: XeroApp, hook: XeroHook, *, scopes: Sequence[str], is_sure: bool) -> None:
    """Ask Xero for just the consent that the person will be sent to."""
    try:
        try_authorize(replace(app, scopes=tuple(scopes) or app.scopes), http=hook.http())
    except UnavailableError:
        # From here Xero may be out of reach although the person's browser gets there.
        if not is_sure:
            raise XeroSilent from None


def _now() -> datetime:
    return datetime.now(UTC)
