"""The board at `/`: what the sandbox is doing, for a person.

Gathers figures from the world; the looks are those of `board.py`. Builds no organisation and
changes nothing. Shows as much as a page can hold, and says how much there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from xero_sandbox.control.board import Left, Mono, Row, Table, Tag, board_page
from xero_sandbox.control.faults import Fault
from xero_sandbox.control.requestlog import LoggedRequest
from xero_sandbox.identity.grants import REFRESH_GRACE, REFRESH_LIFE
from xero_sandbox.identity.permits import RefreshToken, User
from xero_sandbox.identity.token_claims import ACCESS_LIFE
from xero_sandbox.world import World

_ORGANISATIONS = 20
_USERS = 10
_TOKENS = 10
_FAULTS = 20
_REQUESTS = 20
_NAMES = 3
_REFRESH_SECONDS = range(1, 3601)


class StatusDoor:
    """The route of the board, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """The board alone."""
        return [Route("/", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """The board as it is now; `page` of the organisations, `refresh` in seconds."""
        seconds = _number(request.query_params.get("refresh", ""))
        text = board_page(
            origin=str(request.base_url).rstrip("/"),
            client_id=self._world.app.client_id,
            tiles=self._tiles(),
            tables=[
                self._organisations(_number(request.query_params.get("page", ""))),
                self._faults(),
                self._requests(),
                self._tokens(),
                self._users(),
            ],
            refresh_seconds=seconds if seconds in _REFRESH_SECONDS else None,
        )
        return HTMLResponse(text)

    def _tiles(self) -> dict[str, tuple[str, str]]:
        world, settings = self._world, self._world.limits.settings
        business, identity = world.business.now(), world.identity.now()
        app_left = world.limits.left("")["app_minute"]
        left = world.connections_left()
        return {
            "Business clock": (f"{business:%H:%M:%S}", f"{business:%A %d %B %Y}, UTC"),
            "Identity clock": (f"{identity:%H:%M:%S}", f"{identity:%A %d %B %Y}, UTC"),
            "Limits": (
                "on" if settings.enabled else "off",
                f"{app_left:,} of {settings.app_minute:,} app calls left this minute",
            ),
            "App": (
                world.app.name,
                f"tier {settings.tier}, {world.app.era} scopes, "
                f"{'no cap of' if left is None else f'{left:,} more'} connections",
            ),
        }

    def _organisations(self, asked_page: int) -> Table:
        world, settings = self._world, self._world.limits.settings
        count = len(world.plans)
        last = max(1, -(-count // _ORGANISATIONS))
        page = max(1, min(asked_page, last))
        start = (page - 1) * _ORGANISATIONS
        connections = Counter(each.tenant_id for each in world.grants.live())
        rows: list[Row] = []
        for plan in islice(world.plans.values(), start, start + _ORGANISATIONS):
            left = world.limits.left(plan.tenant_id)
            is_built = world.is_built(plan.tenant_id)
            rows.append(
                (
                    plan.name,
                    Mono(plan.tenant_id),
                    Tag("in use", "good") if is_built else Tag("not touched yet"),
                    connections[plan.tenant_id],
                    Left(left["minute"], settings.minute),
                    Left(left["day"], settings.day),
                )
            )
        columns = ("Name", "Tenant", "Books", "Connections", "Minute left", "Day left")
        links = _links(page, last) if last > 1 else ()
        return Table("Organisations", columns, rows, "None yet.", count=count, pages=links)

    def _users(self) -> Table:
        users = self._world.grants.users
        rows = [self._user(user) for user in islice(users.values(), _USERS)]
        columns = ("Name", "Email", "Organisations")
        return Table(
            "Users", columns, rows, "None yet.", count=len(users), pages=_more(users, rows)
        )

    def _user(self, user: User) -> Row:
        named = [name for _, name in self._world.names(user.organisations[:_NAMES])]
        more = len(user.organisations) - len(named)
        text = ", ".join(named) + (f" and {more:,} more" if more > 0 else "")
        return (user.full_name, user.email, text)

    def _tokens(self) -> Table:
        now = self._world.identity.now()
        tokens = list(self._world.grants.refresh_tokens.values())
        rows = [_token(token, now) for token in tokens[: -_TOKENS - 1 : -1]]
        columns = ("User", "Scopes", "Given", "Access token until", "Refresh token")
        title, nothing = "Refresh tokens", "Nobody has connected yet."
        return Table(title, columns, rows, nothing, count=len(tokens), pages=_more(tokens, rows))

    def _faults(self) -> Table:
        rules = self._world.faults.rules
        rows = [self._fault(rule) for rule in rules[:_FAULTS]]
        columns = ("Kind", "Path", "Organisation", "When", "Times left")
        count = len(rules) or None
        return Table(
            "Faults in force", columns, rows, "None.", count=count, pages=_more(rules, rows)
        )

    def _fault(self, fault: Fault) -> Row:
        plan = self._world.plans.get(fault.tenant or "")
        whose = plan.name if plan else fault.tenant or "any"
        when = [f"{key}={value}" for key, value in fault.query.items()]
        when += [fault.method] if fault.method else []
        when += [f"from call {fault.call}"] if fault.call > 1 else []
        when += [f"chance {fault.probability:g}"] if fault.probability < 1 else []
        return (
            Tag(fault.kind if fault.kind != "status" else f"status {fault.status}", "bad"),
            Mono(fault.path, wraps=True),
            whose,
            ", ".join(when) or "always",
            str(fault.times - fault.used) if fault.times else "no end",
        )

    def _requests(self) -> Table:
        rows = [self._request(entry) for entry in self._world.requests.last(_REQUESTS)]
        columns = ("At", "Request", "Organisation", "Status", "Fault", "Milliseconds")
        return Table(
            "Last requests", columns, rows, "None yet.", count=self._world.requests.count or None
        )

    def _request(self, entry: LoggedRequest) -> Row:
        plan = self._world.plans.get(entry.tenant_id or "")
        path = f"{entry.path}?{entry.query}" if entry.query else entry.path
        is_good = entry.status is not None and entry.status < 400
        return (
            Mono(f"{entry.at:%d %b %H:%M:%S}"),
            Mono(f"{entry.method} {path}", wraps=True),
            plan.name if plan else "",
            Tag(str(entry.status or "no answer"), "good" if is_good else "bad"),
            Tag(entry.fault, "bad") if entry.fault else None,
            entry.duration_ms,
        )


def _token(token: RefreshToken, now: datetime) -> Row:
    ends_at = token.issued_at + REFRESH_LIFE
    if token.replaced_at is not None:
        ends_at = min(ends_at, token.replaced_at + REFRESH_GRACE)
        state = Tag(f"replaced, works until {ends_at:%H:%M:%S}")
    elif now < ends_at:
        state = Tag(f"current, until {ends_at:%d %b %Y}", "good")
    if now >= ends_at:
        state = Tag("dead", "bad")
    access_until = token.issued_at + ACCESS_LIFE
    return (
        token.authorization.email,
        len(token.authorization.scopes),
        Mono(f"{token.issued_at:%d %b %H:%M:%S}"),
        Mono(f"{access_until:%H:%M:%S}" if now < access_until else "over"),
        state,
    )


def _links(page: int, last: int) -> list[tuple[str, str]]:
    """Back, where one is, and on; without an address where there is no such page."""
    return [
        ("← Back", f"/?page={page - 1}" if page > 1 else ""),
        (f"Page {page} of {last}", ""),
        ("Next →", f"/?page={page + 1}" if page < last else ""),
    ]


def _more(of: Sequence[object] | dict[str, User], shown: Sequence[object]) -> list[tuple[str, str]]:
    hidden = len(of) - len(shown)
    return [(f"and {hidden:,} more", "")] if hidden > 0 else []


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
