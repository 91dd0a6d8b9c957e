"""The board at `/`: what the sandbox is doing, for a person.

Gathers facts from the world; the looks are those of `pages.py`. Builds no organisation and
changes nothing.
"""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from xero_sandbox.pages import status_page
from xero_sandbox.world import World

_REQUESTS_SHOWN = 25


class StatusDoor:
    """The route of the board, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """The board alone."""
        return [Route("/", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """The board as it is now."""
        world = self._world
        settings = world.limits.settings
        facts = {
            "origin": str(request.base_url).rstrip("/"),
            "client_id": world.app.client_id,
            "business": f"{world.business.now():%Y-%m-%d %H:%M:%S} UTC",
            "identity": f"{world.identity.now():%Y-%m-%d %H:%M:%S} UTC",
            "limits": f"on, tier {settings.tier}" if settings.enabled else "off",
            "app_minute_left": world.limits.left("")["app_minute"],
            "organisations": self._organisations(),
            "users": self._users(),
            "faults": self._faults(),
            "requests": self._requests(),
        }
        return HTMLResponse(status_page(facts))

    def _organisations(self) -> list[dict[str, object]]:
        connections = Counter(each.tenant_id for each in self._world.grants.live())
        rows: list[dict[str, object]] = []
        for tenant_id, plan in self._world.plans.items():
            left = self._world.limits.left(tenant_id)
            rows.append(
                {
                    "name": plan.name,
                    "tenantId": tenant_id,
                    "connections": connections[tenant_id],
                    "minuteLeft": left["minute"],
                    "dayLeft": left["day"],
                }
            )
        return rows

    def _users(self) -> list[dict[str, object]]:
        return [
            {
                "email": user.email,
                "name": f"{user.given_name} {user.family_name}".strip(),
                "organisations": ", ".join(n for _, n in self._world.names(user.organisations)),
            }
            for user in self._world.grants.users.values()
        ]

    def _faults(self) -> list[dict[str, object]]:
        return [
            {
                "path": fault.path,
                "kind": fault.kind if fault.kind != "status" else f"status {fault.status}",
                "tenant": fault.tenant or "any",
                "left": fault.times - fault.used if fault.times else "no end",
            }
            for fault in self._world.faults.rules
        ]

    def _requests(self) -> list[dict[str, object]]:
        plans = self._world.plans
        return [
            {
                "at": f"{entry.at:%m-%d %H:%M:%S}",
                "method": entry.method,
                "path": f"{entry.path}?{entry.query}" if entry.query else entry.path,
                "organisation": plans[entry.tenant_id].name if entry.tenant_id in plans else "",
                "status": entry.status,
                "durationMs": entry.duration_ms,
            }
            for entry in self._world.requests.last(_REQUESTS_SHOWN)
        ]
