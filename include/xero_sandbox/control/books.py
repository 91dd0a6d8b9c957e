"""The levers of the control door that move organisations, documents, people and consent.

Knows their fields. Must not know HTTP, nor what a change posts in the books.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unicodedata import category

from starlette.concurrency import run_in_threadpool

from xero_sandbox.control.levers import Lever
from xero_sandbox.control.wishes import Wishes
from xero_sandbox.errors import ControlError
from xero_sandbox.identity.permits import User, user_of
from xero_sandbox.organisation import Record
from xero_sandbox.world import Plan, World

_DAYS = 90
_MOST_DAYS = 36_525
_LONGEST_NAME = 255


class BooksLevers:
    """The levers, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def levers(self) -> list[Lever]:
        """The rows of the table."""
        organisation = {
            "name": "at most 255 characters; with the seed it gives the tenant id",
            "seed": "of its books; the sandbox's own if left out",
            "days": f"of business before now ({_DAYS} if left out; 0: no document, ever)",
            "traits": "object: country, timezone, year_end, currencies, features … (traits.py)",
            "payloads": "folder of Xero's own answers to serve instead, as they are",
        }
        user = {
            "email": "who logs in (every password is sandbox)",
            "name": "given and family name; what is left out stays",
            "organisations": "list of tenant ids; what is left out stays",
        }
        document = {
            "tenantId": "whose books",
            "action": "create_invoice, pay, void … (GET /_sandbox/ lists them with their fields)",
            "…": "the fields of the action",
        }
        tenant = {"tenantId": "the organisation"}
        figures = {"figures": "false: names alone, so that nothing is built"}
        return [
            Lever(
                "GET",
                "organisations",
                self.organisations,
                "all of them, each with its books in figures",
                takes=figures,
            ),
            Lever(
                "GET",
                "organisations/{tenantId}",
                self.organisation,
                "one of them: what it is built from, and its books in figures",
            ),
            Lever(
                "POST",
                "organisations",
                self.add_organisation,
                "plan one from a seed, or serve given payloads",
                takes=organisation,
                status=201,
            ),
            Lever("POST", "documents", self.change_document, "change its books", takes=document),
            Lever("GET", "users", self.users, "everybody who can log in"),
            Lever(
                "POST",
                "users",
                self.add_user,
                "add somebody, or give them another name or other organisations",
                takes=user,
                status=201,
            ),
            Lever(
                "POST",
                "disconnect",
                self.disconnect,
                "end every connection to an organisation, as its owner can",
                takes=tenant,
            ),
            Lever(
                "POST",
                "revoke",
                self.revoke,
                "take back all that a user granted: the next refresh is refused",
                takes={"email": "the user"},
            ),
        ]

    async def organisations(self, wanted: Wishes) -> object:
        """Every organisation; with its books in figures, unless `figures` is false."""
        plans, generation = list(self._world.plans.values()), self._world.generation
        if wanted.switch("figures") is False:
            return [_identify(plan) for plan in plans]
        return [
            {**_identify(plan), "figures": await self._figures(plan, generation)} for plan in plans
        ]

    async def organisation(self, wanted: Wishes) -> object:
        """One organisation: what it is built from, and its books in figures."""
        plan = self._world.plans[self._tenant(wanted)]
        figures = await self._figures(plan, self._world.generation)
        return {
            **_identify(plan),
            "seed": plan.seed,
            "days": plan.days,
            "traits": dict(plan.traits),
            "payloads": plan.payloads,
            "actions": len(plan.actions),
            "figures": figures,
        }

    async def add_organisation(self, wanted: Wishes) -> object:
        """Plan an organisation from a seed and traits, or serve a folder of given payloads."""
        world, name = self._world, wanted.text("name").strip()
        folder = wanted.text("payloads")
        if folder:
            return _identify(
                await run_in_threadpool(world.add_payloads, Path(folder), name or None)
            )
        if not name:
            raise ControlError('an organisation needs a "name" or a folder of "payloads"')
        if len(name) > _LONGEST_NAME or any(category(each) == "Cc" for each in name):
            raise ControlError(
                f"a name has at most {_LONGEST_NAME} characters, none of them a control character"
            )
        days, seed = wanted.whole("days", _DAYS), wanted.whole("seed", world.seed)
        if days is None or seed is None or not 0 <= days <= _MOST_DAYS:
            raise ControlError(f"days must be a whole number from 0 to {_MOST_DAYS}, got {days!r}")
        plan = world.add_company(name, seed=seed, days=days, traits=wanted.mapping("traits"))
        return _identify(plan)

    async def change_document(self, wanted: Wishes) -> object:
        """Do `action` in the books of `tenantId`; the other fields are those of the action."""
        tenant_id, action = self._tenant(wanted), wanted.text("action")
        world, generation = self._world, self._world.generation
        fields = {
            key: value for key, value in wanted.fields.items() if key not in ("tenantId", "action")
        }
        async with world.turn(tenant_id, generation):
            record: Record = await run_in_threadpool(
                world.act, tenant_id, action, fields, generation=generation
            )
        return record

    async def users(self, _: Wishes) -> object:
        """Everybody who can log in."""
        return [_describe(user) for user in self._world.grants.users.values()]

    async def add_user(self, wanted: Wishes) -> object:
        """Add somebody, or give somebody another name or other organisations."""
        email = wanted.text("email").strip().lower()
        if "@" not in email:
            raise ControlError('a user needs an "email"')
        users = self._world.grants.users
        known = users.get(email) or user_of(email, email.partition("@")[0].title(), ())
        owned = [key.lower() for key in wanted.texts("organisations")]
        unknown = [key for key in owned if key not in self._world.plans]
        if unknown:
            raise ControlError(f"unknown organisations: {', '.join(unknown)}")
        if "organisations" in wanted.fields:
            known = replace(known, organisations=tuple(dict.fromkeys(owned)))
        if name := wanted.text("name").strip():
            known = user_of(email, name, known.organisations)
        users[email] = known
        return _describe(known)

    async def disconnect(self, wanted: Wishes) -> object:
        """End every connection to an organisation, as its owner can within Xero."""
        return {"ended": self._world.grants.disconnect_tenant(self._tenant(wanted))}

    async def revoke(self, wanted: Wishes) -> object:
        """Take back all that a user granted: the next refresh is refused."""
        email = wanted.text("email").strip().lower()
        if email not in self._world.grants.users:
            raise ControlError(f"unknown user {email!r}")
        self._world.grants.revoke_user(email)
        return {"status": "ok"}

    async def _figures(self, plan: Plan, generation: int) -> dict[str, object]:
        now = self._world.business.now()
        async with self._world.turn(plan.tenant_id, generation):
            found = await run_in_threadpool(self._world.organisation, plan.tenant_id, now)
            return await run_in_threadpool(found.figures)

    def _tenant(self, wanted: Wishes) -> str:
        tenant_id = wanted.text("tenantId").lower()
        if tenant_id not in self._world.plans:
            raise ControlError(f"unknown organisation {tenant_id!r}")
        return tenant_id


def _identify(plan: Plan) -> dict[str, object]:
    return {"tenantId": plan.tenant_id, "name": plan.name}


def _describe(user: User) -> dict[str, object]:
    return {
        "email": user.email,
        "name": user.full_name,
        "userId": user.user_id,
        "organisations": list(user.organisations),
    }
