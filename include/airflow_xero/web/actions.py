"""What a person does on the page, as POST and DELETE: extract, pause, disconnect, erase, invite.

Knows which story each address tells and who may (`access.py`). Every change must come from the
page's own script and is written to the audit log, also one that is refused to who may ask. Must not
know SQL, OAuth or how a Dag is started.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import psycopg
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from airflow_xero import audit, disconnect, erasing, invitations, pausing, settings
from airflow_xero.audit import Actor
from airflow_xero.errors import NotConnectedError, XeroError, XeroSetupError
from airflow_xero.hook import XeroHook
from airflow_xero.standing import OrganisationStatus, status
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web import triggering
from airflow_xero.web.access import (
    actor_of,
    from_our_page,
    may_change,
    may_erase,
    may_extract,
    user_name,
)

router = APIRouter(dependencies=[Depends(from_our_page)])

Changer = Annotated[BaseUser, Depends(may_change)]
Eraser = Annotated[BaseUser, Depends(may_erase)]
Extractor = Annotated[BaseUser, Depends(may_extract)]
Done = dict[str, Any]


class TypedName(BaseModel):
    """What was typed to erase an organisation."""

    typed_name: str = Field(max_length=10_000)


class Wished(BaseModel):
    """An invitation as it is wanted: a note for the list, what to grant, how long it is open."""

    note: str = Field(default="", max_length=200)
    grants: list[str] | None = Field(default=None, max_length=20)
    days: int = Field(default=7, ge=1, le=30)


@dataclass(frozen=True)
class _Open:
    hook: XeroHook
    warehouse: psycopg.Connection[Any]

    @property
    def conn_id(self) -> str:
        return self.hook.xero_conn_id


@contextmanager
def _opened() -> Iterator[_Open]:
    # The app is asked for later: what is wrong with it must reach the audit log.
    with (
        XeroHook(settings.conn_id()) as hook,
        warehouse_errors(),
        hook.warehouse() as warehouse,
    ):
        yield _Open(hook, warehouse)


@contextmanager
def _audited(
    opened: _Open,
    actor: Actor,
    action: str,
    *,
    tenant_id: str | None = None,
    refusal: type[XeroError] = XeroSetupError,
) -> Iterator[None]:
    """Write down that it was refused, and what kind of refusal it was."""
    try:
        yield
    except refusal as error:
        outcome = f"refused: {type(error).__name__}"
        audit.record(opened.warehouse, actor, action=action, outcome=outcome, tenant_id=tenant_id)
        raise


@router.post("/organisations/{tenant_id}/extract", status_code=202)
def extract(tenant_id: UUID, request: Request, user: Extractor) -> Done:
    """Queue the Dag run that extracts the organisation at once."""
    actor = actor_of(user, request)
    with _opened() as opened:
        one = _known(opened, tenant_id)
        with _audited(opened, actor, "extract", tenant_id=one.tenant_id, refusal=XeroError):
            opened.hook.app()  # Says so when the client id or secret is missing.
            _require_extractable(one)
            triggering.require_startable(triggering.EXTRACT_DAG)
        # Before it starts: a warehouse that stumbles now must not hide who started it.
        audit.record(
            opened.warehouse, actor, action="extract", outcome="asked for", tenant_id=one.tenant_id
        )
        try:
            triggering.request_extraction([one.tenant_id], started_by=user_name(user))
        except XeroError as error:
            outcome = f"failed: {type(error).__name__}"
            audit.record(
                opened.warehouse, actor, action="extract", outcome=outcome, tenant_id=one.tenant_id
            )
            raise
    return {"message": f"{one.tenant_name} is read at once."}


@router.post("/organisations/{tenant_id}/pause")
def pause(tenant_id: UUID, request: Request, user: Changer) -> Done:
    """Leave the organisation out of every run until somebody resumes it."""
    with _opened() as opened:
        one = _known(opened, tenant_id)
        actor = actor_of(user, request)
        with _audited(opened, actor, "pause", tenant_id=one.tenant_id):
            pausing.pause(opened.warehouse, **_which(opened, one, actor))
    return {"message": f"{one.tenant_name} is paused. What was read stays."}


@router.post("/organisations/{tenant_id}/unpause")
def unpause(tenant_id: UUID, request: Request, user: Changer) -> Done:
    """Take the organisation into the runs again."""
    with _opened() as opened:
        one = _known(opened, tenant_id)
        actor = actor_of(user, request)
        with _audited(opened, actor, "unpause", tenant_id=one.tenant_id):
            pausing.unpause(opened.warehouse, **_which(opened, one, actor))
    return {"message": f"{one.tenant_name} is read again from the next run on."}


@router.post("/organisations/{tenant_id}/disconnect")
def end_connection(tenant_id: UUID, request: Request, user: Changer) -> Done:
    """End the organisation's connection at Xero; what was read stays."""
    with _opened() as opened:
        one, actor = _known(opened, tenant_id), actor_of(user, request)
        with _audited(opened, actor, "disconnect", tenant_id=one.tenant_id):
            app, tokens = opened.hook.app(), opened.hook.token_store()
        # What fails at Xero is written down by the story itself.
        with _audited(
            opened, actor, "disconnect", tenant_id=one.tenant_id, refusal=NotConnectedError
        ):
            disconnect.disconnect(
                app,
                one.tenant_id,
                warehouse=opened.warehouse,
                tokens=tokens,
                http=opened.hook.http(),
                actor=actor,
                now=_now(),
            )
    return {"message": f"{one.tenant_name} is disconnected. What was read stays."}


@router.post("/organisations/{tenant_id}/erase", status_code=202)
def erase(tenant_id: UUID, typed: TypedName, *, request: Request, user: Eraser) -> Done:
    """Ask for every trace of the organisation to be removed, and start the Dag that does."""
    with _opened() as opened:
        one, actor = _known(opened, tenant_id), actor_of(user, request)
        with _audited(opened, actor, "erase", tenant_id=one.tenant_id):
            erasing.request(
                opened.warehouse, **_which(opened, one, actor), typed_name=typed.typed_name
            )
    try:
        triggering.request_erasure(one.tenant_id, started_by=user_name(user))
    except XeroError as error:
        # It is asked for all the same: the Dag takes it up by itself once it runs.
        return {"message": f"{one.tenant_name} will be erased. {error.message}."}
    return {"message": f"{one.tenant_name} is being erased."}


@router.post("/invitations", status_code=201)
def invite(wished: Wished, request: Request, user: Changer) -> Done:
    """Make an invitation; its link is in this answer and nowhere else."""
    with _opened() as opened:
        actor = actor_of(user, request)
        with _audited(opened, actor, "invite"):
            made = invitations.invite(
                opened.warehouse,
                opened.hook.app(),
                keys=settings.token_keys_from_environment(),
                actor=actor,
                note=wished.note,
                grants=wished.grants,
                days=wished.days,
                now=_now(),
            )
    return {
        "url": made.url,
        "invitation_id": str(made.invitation_id),
        "expires_at": made.expires_at,
    }


@router.delete("/invitations/{invitation_id}")
def revoke(invitation_id: UUID, request: Request, user: Changer) -> Done:
    """Make an invitation useless."""
    with _opened() as opened:
        actor = actor_of(user, request)
        was_open = invitations.revoke(
            opened.warehouse,
            opened.conn_id,
            str(invitation_id),
            actor=actor,
            now=_now(),
        )
        if not was_open:
            detail = {"invitation_id": str(invitation_id)}
            audit.record(
                opened.warehouse, actor, action="revoke", outcome="not revoked", detail=detail
            )
    if not was_open:
        raise HTTPException(409, "This invitation is not open any more.")
    return {"message": "The invitation is revoked."}


def _known(opened: _Open, tenant_id: UUID) -> OrganisationStatus:
    found = status(opened.warehouse, opened.conn_id, tenant_ids=[str(tenant_id)])
    if not found:
        raise HTTPException(404, "Nobody has connected this organisation here.")
    return found[0]


def _which(opened: _Open, one: OrganisationStatus, actor: Actor) -> dict[str, Any]:
    which = {"conn_id": opened.conn_id, "tenant_id": one.tenant_id}
    return {**which, "actor": actor, "now": _now()}


_NOT_EXTRACTED = {
    "disconnected": "is disconnected: connect it again",
    "erasing": "is being erased",
    "extracting": "is being read just now",
    "needs_reconnect": "needs its Xero user to press Connect to Xero again",
    "paused": "is paused: resume it",
}


def _require_extractable(one: OrganisationStatus) -> None:
    """Raise XeroSetupError, in words, for an organisation that no run would read now."""
    if why := _NOT_EXTRACTED.get(one.state):
        raise XeroSetupError(f"{one.tenant_name} {why}")
    if one.state == "waiting_for_limit" and one.resume_at and one.resume_at > _now():
        raise XeroSetupError(
            f"Xero's limit for {one.tenant_name} is used up until"
            f" {one.resume_at.astimezone(UTC):%H:%M} UTC; it goes on by itself"
        )


def _now() -> datetime:
    return datetime.now(UTC)
