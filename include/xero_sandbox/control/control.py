"""The control door, /_sandbox/: what a test or a demo arranges before clients call.

Knows which levers there are, and JSON over HTTP; hands everything to the world. The real Xero
has no such door; nothing here may change how the rest answers. Refuses pages of other sites,
which a browser would let post here. `GET /_sandbox/` lists every lever.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xero_sandbox.books.actions import ACTIONS
from xero_sandbox.control.books import BooksLevers
from xero_sandbox.control.faults import FIELDS, KINDS, describe
from xero_sandbox.control.levers import Lever
from xero_sandbox.control.wishes import Wishes, in_our_age, read_moment, read_wishes
from xero_sandbox.errors import ControlError
from xero_sandbox.hosts import is_this_machine
from xero_sandbox.identity.scopes import ERAS
from xero_sandbox.identity.tiers import TIERS
from xero_sandbox.world import World

_DOOR = "/_sandbox/"


class ControlDoor:
    """The routes of the control door, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.levers: tuple[Lever, ...] = (*self._levers(), *BooksLevers(world).levers())

    def routes(self) -> list[Route]:
        """Everything under /_sandbox/ but the style sheet."""
        return [
            Route(_DOOR + lever.path, _endpoint(lever, self._world), methods=[lever.method])
            for lever in self.levers
        ]

    def _levers(self) -> list[Lever]:
        clocks = {
            "business": "time of books, stamps and limits; living through years takes a while",
            "identity": "time of tokens",
            "advance_seconds": "both clocks, ahead or (negative) back",
        }
        app = {
            "name": "as consent pages and envelopes show it",
            "redirect_uris": "list; empty: any http://localhost…",
            "era": f"of its scopes: {', '.join(ERAS)}",
            "tier": f"{', '.join(TIERS)}; brings its limits",
            "custom_connection": "tenant id that client_credentials open; null: the first one",
        }
        limits = {
            "enabled": "false: nothing is refused",
            "tier": "brings its day limit",
            "concurrent": "calls at a time, per organisation",
            "minute": "calls a minute, per organisation",
            "day": "calls a day, per organisation",
            "app_minute": "calls a minute, all organisations",
            "high_volume": "documents above which an unpaged list is refused",
            "page_size": "records on the largest page; few make a long walk",
            "rapid_sync": "true: no minute and day limit for 30 minutes after a new connection",
        }
        reset = {"seed": "of the demo's books", "demo": "false: without organisations"}
        since = {"since": "a number, or a time of the business clock"}
        return [
            Lever("GET", "", self.index, "this list"),
            Lever("GET", "health", self.health, "up, and ready to answer"),
            Lever("POST", "reset", self.reset, "everything back to the start", takes=reset),
            Lever("GET", "clocks", self.clocks, "both clocks, as they tick"),
            Lever("POST", "clocks", self.set_clocks, "set or advance them", takes=clocks),
            Lever("GET", "app", self.app, "the registered app, without its secret"),
            Lever("POST", "app", self.set_app, "register it differently", takes=app),
            Lever("GET", "limits", self.limits, "the limits, and what is left to everybody"),
            Lever(
                "POST",
                "limits",
                self.set_limits,
                "change them; what was counted is forgotten",
                takes=limits,
            ),
            Lever("GET", "faults", self.faults, "the faults in force"),
            Lever(
                "POST", "faults", self.add_fault, "let a request go wrong", takes=FIELDS, status=201
            ),
            Lever("DELETE", "faults", self.clear_faults, "let everything go well again"),
            Lever("GET", "requests", self.requests, "what clients asked so far", takes=since),
            Lever("DELETE", "requests", self.clear_requests, "forget it"),
        ]

    async def index(self, _: Wishes) -> object:
        """Every lever, and the words that some of them take."""
        return {
            "levers": [lever.as_json(_DOOR) for lever in self.levers],
            "actions": {name: sorted(fields) for name, fields in ACTIONS.items()},
            "faults": dict(KINDS),
            "eras": dict(ERAS),
            "tiers": {name: asdict(tier) for name, tier in TIERS.items()},
        }

    async def health(self, _: Wishes) -> object:
        """Up, and ready to answer."""
        return {"status": "ok"}

    async def reset(self, wanted: Wishes) -> object:
        """Everything back to the start, with another `seed`, or without the `demo`, if given."""
        self._world.start(seed=wanted.whole("seed"), demo=wanted.switch("demo"))
        return {"status": "ok", "seed": self._world.seed}

    async def clocks(self, _: Wishes) -> object:
        """Both clocks, as they tick."""
        world = self._world
        now = {"business": world.business.now(), "identity": world.identity.now()}
        return {name: moment.isoformat() for name, moment in now.items()}

    async def set_clocks(self, wanted: Wishes) -> object:
        """Set `business` or `identity`, or advance both by `advance_seconds`; they tick on."""
        world, ahead = self._world, wanted.number("advance_seconds") or 0.0
        clocks = {"business": world.business, "identity": world.identity}
        try:
            moments = {
                name: in_our_age((wanted.moment(name) or clock.now()) + timedelta(seconds=ahead))
                for name, clock in clocks.items()
            }
        except OverflowError as error:
            raise ControlError("a clock cannot go that far") from error
        world.check_ahead(moments["business"])
        for name, clock in clocks.items():
            if ahead or wanted.moment(name) is not None:
                clock.set(moments[name])
        return await self.clocks(wanted)

    async def app(self, _: Wishes) -> object:
        """The registered app, without its secret."""
        app = self._world.app
        return {
            "client_id": app.client_id,
            "name": app.name,
            "redirect_uris": list(app.redirect_uris),
            "era": app.era,
            "tier": self._world.limits.settings.tier,
            "custom_connection": app.custom_connection,
            "connections_left": self._world.connections_left(),
            "scopes": sorted(self._world.allowed_scopes()),
        }

    async def set_app(self, wanted: Wishes) -> object:
        """Register the app differently: era, tier, redirect URIs, name, Custom Connection."""
        self._world.change_app(wanted.given)
        return await self.app(wanted)

    async def limits(self, _: Wishes) -> object:
        """The limits, and what every organisation has left."""
        limits = self._world.limits
        left = {tenant_id: limits.left(tenant_id) for tenant_id in self._world.plans}
        return {**asdict(limits.settings), "left": left}

    async def set_limits(self, wanted: Wishes) -> object:
        """Switch limits on or off, choose a tier, or set a number; calls counted are forgotten."""
        limits = self._world.limits
        limits.settings = limits.settings.changed(wanted.fields)
        limits.clear()
        return await self.limits(wanted)

    async def faults(self, _: Wishes) -> object:
        """The faults in force."""
        return [describe(fault) for fault in self._world.faults.rules]

    async def add_fault(self, wanted: Wishes) -> object:
        """Let a request go wrong; see `faults.py` for the kinds."""
        return describe(self._world.faults.add(wanted.fields))

    async def clear_faults(self, _: Wishes) -> object:
        """Let everything go well again."""
        self._world.faults.clear()
        return None

    async def requests(self, wanted: Wishes) -> object:
        """The requests so far; `since` a number or a business time."""
        since = wanted.text("since")
        moment = None if not since else int(since) if since.isdecimal() else read_moment(since)
        return [entry.as_json() for entry in self._world.requests.since(moment)]

    async def clear_requests(self, _: Wishes) -> object:
        """Forget the requests so far."""
        self._world.requests.clear()
        return None


def refuse_other_sites(request: Request) -> None:
    """Raise ControlError for a request that a page of another site made.

    A page may also come by a name of its own that leads here: no request needs an Origin then.
    """
    origin = request.headers.get("Origin")
    is_own = origin in (None, str(request.base_url).rstrip("/"))
    if not (is_own and is_this_machine(request)):
        raise ControlError("the control door does not take requests from other sites")


def _endpoint(lever: Lever, world: World) -> Callable[[Request], Awaitable[Response]]:
    async def pull(request: Request) -> Response:
        wishes = await read_wishes(request, lever.takes)
        world.expect(request.state.generation)
        body = await lever.pull(wishes)
        if body is None:
            return Response(status_code=204)
        text = json.dumps(body, default=_plain, ensure_ascii=False)
        return Response(text, lever.status, media_type="application/json")

    return pull


def _plain(value: object) -> object:
    # A reader of the control door gets amounts as text, which loses nothing.
    return str(value) if isinstance(value, Decimal) else repr(value)
