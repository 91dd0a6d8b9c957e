"""The control door, /_sandbox/: what a test or a demo arranges before clients call.

Knows JSON over HTTP and hands everything to the world. The real Xero has no such door; nothing
here may change how the rest answers. Refuses pages of other sites, which a browser would let
post here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xero_sandbox.clock import Clock
from xero_sandbox.errors import ControlError
from xero_sandbox.faults import describe
from xero_sandbox.grants import User, user_of
from xero_sandbox.world import Plan, World

_T = TypeVar("_T")
_D = TypeVar("_D")


class ControlDoor:
    """The routes of the control door, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Everything under /_sandbox/ but the style sheet."""
        get, post, delete = ["GET"], ["POST"], ["DELETE"]
        door = "/_sandbox"
        return [
            Route(f"{door}/health", self.health, methods=get),
            Route(f"{door}/reset", self.reset, methods=post),
            Route(f"{door}/clocks", self.clocks, methods=get),
            Route(f"{door}/clocks", self.set_clocks, methods=post),
            Route(f"{door}/organisations", self.organisations, methods=get),
            Route(f"{door}/organisations", self.add_organisation, methods=post),
            Route(f"{door}/users", self.users, methods=get),
            Route(f"{door}/users", self.add_user, methods=post),
            Route(f"{door}/requests", self.requests, methods=get),
            Route(f"{door}/requests", self.clear_requests, methods=delete),
            Route(f"{door}/limits", self.limits, methods=get),
            Route(f"{door}/limits", self.set_limits, methods=post),
            Route(f"{door}/faults", self.faults, methods=get),
            Route(f"{door}/faults", self.add_fault, methods=post),
            Route(f"{door}/faults", self.clear_faults, methods=delete),
            Route(f"{door}/documents", self.change_document, methods=post),
            Route(f"{door}/disconnect", self.disconnect, methods=post),
            Route(f"{door}/revoke", self.revoke, methods=post),
        ]

    async def health(self, _: Request) -> Response:
        """Up, and ready to answer."""
        return _json({"status": "ok"})

    async def reset(self, request: Request) -> Response:
        """Everything back to the start, with another `seed`, or without the `demo`, if given."""
        wanted = await _body(request, "seed", "demo")
        self._world.start(
            seed=_field(wanted, "seed", int, default=None),
            demo=_field(wanted, "demo", bool, default=None),
        )
        return _json({"status": "ok", "seed": self._world.seed})

    async def clocks(self, _: Request) -> Response:
        """Both clocks, as they tick."""
        return self._clocks()

    async def set_clocks(self, request: Request) -> Response:
        """Set `business` or `identity`, or advance both by `advance_seconds`; they tick on."""
        wanted = await _body(request, "business", "identity", "advance_seconds")
        moments = {name: _moment(wanted, name) for name in ("business", "identity")}
        seconds = _field(wanted, "advance_seconds", float, default=None)
        for name, moment in moments.items():
            clock: Clock = getattr(self._world, name)
            try:
                if moment is not None:
                    clock.set(moment)
                if seconds is not None:
                    clock.advance(seconds)
            except OverflowError as error:
                raise ControlError("a clock cannot leave the years 1 to 9999") from error
        return self._clocks()

    async def organisations(self, request: Request) -> Response:
        """Every organisation, with its books in figures; builds those not touched yet."""
        request.state.must_save = True
        now = self._world.business.now()
        described = []
        for plan in list(self._world.plans.values()):
            organisation = await run_in_threadpool(self._world.organisation, plan.tenant_id, now)
            described.append({**_identify(plan), "figures": organisation.figures()})
        return _json(described)

    async def add_organisation(self, request: Request) -> Response:
        """Plan an organisation from a seed and traits, or serve a folder of given payloads."""
        wanted = await _body(request, "name", "seed", "days", "traits", "payloads")
        folder = _field(wanted, "payloads", str, default=None)
        name = _field(wanted, "name", str, default=None)
        if folder is not None:
            plan = await run_in_threadpool(self._world.add_payloads, Path(folder), name)
            return _json(_identify(plan), 201)
        if not name:
            raise ControlError('an organisation needs a "name" or a folder of "payloads"')
        plan = self._world.add_company(
            name,
            seed=_field(wanted, "seed", int, default=self._world.seed),
            days=_field(wanted, "days", int, default=90),
            traits=_field(wanted, "traits", dict, default={}),
        )
        return _json(_identify(plan), 201)

    async def users(self, _: Request) -> Response:
        """Everybody who can log in."""
        return _json([_describe_user(user) for user in self._world.grants.users.values()])

    async def add_user(self, request: Request) -> Response:
        """Add somebody, or give somebody another name or other organisations."""
        wanted = await _body(request, "email", "name", "organisations")
        email = _field(wanted, "email", str, default="").strip().lower()
        if "@" not in email:
            raise ControlError('a user needs an "email"')
        owned = _field(wanted, "organisations", list, default=[])
        unknown = [str(key) for key in owned if key not in self._world.plans]
        if unknown:
            raise ControlError(f"unknown organisations: {', '.join(unknown)}")
        name = _field(wanted, "name", str, default="") or email.partition("@")[0].title()
        user = self._world.grants.users[email] = user_of(email, name, owned)
        return _json(_describe_user(user), 201)

    async def requests(self, request: Request) -> Response:
        """The requests so far; `since` a number or a business time."""
        since = request.query_params.get("since")
        entries = self._world.requests.since(_since(since) if since else None)
        return _json([entry.as_json() for entry in entries])

    async def clear_requests(self, _: Request) -> Response:
        """Forget the requests so far."""
        self._world.requests.clear()
        return Response(status_code=204)

    async def limits(self, _: Request) -> Response:
        """The limits, and what every organisation has left."""
        return self._limits()

    async def set_limits(self, request: Request) -> Response:
        """Switch limits on or off, choose a tier, or set a number; calls counted are forgotten."""
        wanted = await _body(request)
        self._world.limits.settings = self._world.limits.settings.changed(wanted)
        self._world.limits.clear()
        return self._limits()

    async def faults(self, _: Request) -> Response:
        """The faults in force."""
        return _json([describe(fault) for fault in self._world.faults.rules])

    async def add_fault(self, request: Request) -> Response:
        """Let a request go wrong; see `faults.py` for the kinds."""
        return _json(describe(self._world.faults.add(await _body(request))), 201)

    async def clear_faults(self, _: Request) -> Response:
        """Let everything go well again."""
        self._world.faults.clear()
        return Response(status_code=204)

    async def change_document(self, request: Request) -> Response:
        """Do `action` in the books of `tenantId`; the other fields are those of the action."""
        wanted = await _body(request)
        tenant_id = self._tenant(wanted)
        action = _field(wanted, "action", str, default="")
        fields = {key: value for key, value in wanted.items() if key not in ("tenantId", "action")}
        return _json(await run_in_threadpool(self._world.act, tenant_id, action, fields))

    async def disconnect(self, request: Request) -> Response:
        """End every connection to an organisation, as its owner can within Xero."""
        tenant_id = self._tenant(await _body(request, "tenantId"))
        return _json({"ended": self._world.grants.disconnect_tenant(tenant_id)})

    async def revoke(self, request: Request) -> Response:
        """Take back all that a user granted: the next refresh is refused."""
        email = _field(await _body(request, "email"), "email", str, default="").strip().lower()
        if email not in self._world.grants.users:
            raise ControlError(f"unknown user {email!r}")
        self._world.grants.revoke_user(email)
        return _json({"status": "ok"})

    def _clocks(self) -> Response:
        now = {"business": self._world.business.now(), "identity": self._world.identity.now()}
        return _json({name: moment.isoformat() for name, moment in now.items()})

    def _limits(self) -> Response:
        left = {key: self._world.limits.left(key) for key in self._world.plans}
        return _json({**asdict(self._world.limits.settings), "left": left})

    def _tenant(self, wanted: Mapping[str, Any]) -> str:
        tenant_id = _field(wanted, "tenantId", str, default="").lower()
        if tenant_id not in self._world.plans:
            raise ControlError(f"unknown organisation {tenant_id!r}")
        return tenant_id


def refuse_other_sites(request: Request) -> None:
    """Raise ControlError for a request that a page of another site made."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != str(request.base_url).rstrip("/"):
        raise ControlError("the control door does not take requests from other sites")


async def _body(request: Request, *known: str) -> dict[str, Any]:
    """The JSON object of a request; an empty body is an empty one. `known`: allowed fields."""
    text = await request.body()
    try:
        body = json.loads(text or b"{}")
    except ValueError as error:
        raise ControlError("the body is not JSON") from error
    if not isinstance(body, dict):
        raise ControlError("the body is not a JSON object")
    unknown = [name for name in body if known and name not in known]
    if unknown:
        raise ControlError(f"unknown field {unknown[0]!r}: one of {', '.join(known)}")
    return body


def _field(body: Mapping[str, Any], name: str, kind: type[_T], *, default: _D) -> _T | _D:
    value = body.get(name)
    if value is None:
        return default
    fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise ControlError(f"{name} cannot be {value!r}")
    return cast("_T", value)


def _moment(body: Mapping[str, Any], name: str) -> datetime | None:
    text = _field(body, name, str, default=None)
    return None if text is None else _read_moment(text)


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ControlError(f"{text!r} is not a time such as 2026-11-20T12:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _since(text: str) -> datetime | int:
    return int(text) if text.isdecimal() else _read_moment(text)


def _identify(plan: Plan) -> dict[str, object]:
    return {"tenantId": plan.tenant_id, "name": plan.name}


def _describe_user(user: User) -> dict[str, object]:
    name = f"{user.given_name} {user.family_name}".strip()
    organisations = list(user.organisations)
    return {
        "email": user.email,
        "name": name,
        "userId": user.user_id,
        "organisations": organisations,
    }


def _json(body: object, status: int = 200) -> Response:
    text = json.dumps(body, default=_plain, ensure_ascii=False)
    return Response(text, status, media_type="application/json")


def _plain(value: object) -> object:
    # A reader of the control door gets amounts as text, which loses nothing.
    return str(value) if isinstance(value, Decimal) else repr(value)
