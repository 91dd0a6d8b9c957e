"""Everything the sandbox remembers: clocks, organisations, grants, limits, faults, requests.

Holds the parts together and decides nothing about HTTP. Organisations are kept as what they are
built from, and built when first touched.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from xero_sandbox.api.limits import Limits, LimitSettings
from xero_sandbox.business.company import DEMO, build_company
from xero_sandbox.business.traits import traits_of
from xero_sandbox.clock import Clock
from xero_sandbox.control.faults import Faults
from xero_sandbox.control.requestlog import RequestLog
from xero_sandbox.errors import ControlError, UnavailableError
from xero_sandbox.identity.grants import Grants
from xero_sandbox.identity.permits import user_of
from xero_sandbox.identity.registration import AppSettings
from xero_sandbox.identity.scopes import allowed_scopes
from xero_sandbox.identity.signing import Signer
from xero_sandbox.identity.tiers import TIERS, Tier
from xero_sandbox.organisation import Editable, Organisation, Record, tenant_id_of
from xero_sandbox.wire.payloads import load_payloads

logger = logging.getLogger("xero_sandbox")

DEFAULT_SEED = 7
_A_WHILE = timedelta(minutes=1)
_DEMO_USERS = (
    ("ava@example.com", "Ava Ngata", slice(0, 2)),
    ("kaito@example.com", "Kaito Mori", slice(2, 3)),
)


@dataclass(frozen=True)
class Action:
    """A change of a document through the control door, to be repeated after a restart."""

    name: str
    fields: Mapping[str, object]
    done_at: datetime


@dataclass(frozen=True)
class Plan:
    """What an organisation is built from: a seed and traits, or a folder of given payloads.

    `built_at` is the business time of its first touch: its days count back from there.
    """

    tenant_id: str
    name: str
    seed: int = 0
    days: int = 0
    traits: Mapping[str, object] = field(default_factory=dict)
    payloads: str | None = None
    built_at: datetime | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class _Held:
    """The organisations between two resets, planned and built.

    A thread that outlives a reset goes on with those that it began with.
    """

    plans: dict[str, Plan] = field(default_factory=dict)
    built: dict[str, Organisation] = field(default_factory=dict)
    advanced_to: dict[str, datetime] = field(default_factory=dict)
    turns: dict[str, asyncio.Lock] = field(default_factory=dict)


class World:
    """One sandbox. Not safe to change from two threads, except for `organisation` and `act`.

    `generation` counts the starts: a request that began in an older one must change nothing.
    """

    def __init__(
        self, app: AppSettings | None = None, *, seed: int = DEFAULT_SEED, demo: bool = True
    ) -> None:
        self._first_app = app or AppSettings()
        self.signer = Signer()
        self._lock = threading.RLock()
        self._first_seed, self._first_demo = seed, demo
        self.business, self.identity = Clock(), Clock()
        self.faults = Faults()
        self.generation = 0
        self.start(seed=seed, demo=demo)

    def start(self, *, seed: int | None = None, demo: bool | None = None) -> None:
        """Put everything back to the start; only the signing key stays, since making one is slow.

        Tokens of before are refused all the same: nobody remembers the consent they stem from.
        """
        # First of all: who sees an organisation of the new start is refused by its generation.
        self.generation += 1
        self.seed = self._first_seed if seed is None else seed
        self.business = Clock()
        self.identity = Clock()
        self.grants = Grants(self.identity)
        self.limits = Limits(self.business, LimitSettings())
        self.faults.clear()
        # A new one: requests in flight are logged where they began.
        self.requests = RequestLog()
        self.app = self._first_app
        self.app_changes: dict[str, object] = {}
        self._held = _Held()
        if self._first_demo if demo is None else demo:
            self._add_demo()

    @property
    def plans(self) -> dict[str, Plan]:
        """What every organisation is built from, by tenant id."""
        return self._held.plans

    def expect(self, generation: int) -> None:
        """Raise UnavailableError when the world was started again since."""
        if generation != self.generation:
            raise UnavailableError("The sandbox was reset meanwhile")

    @property
    def tier(self) -> Tier:
        """The price tier of the app."""
        return TIERS[self.limits.settings.tier]

    def change_app(self, wanted: Mapping[str, object]) -> None:
        """Register the app differently; a `tier` brings its limits. Raises ControlError."""
        wanted = dict(wanted)
        only = wanted.get("custom_connection")
        if only is not None and only not in list(self.plans):
            raise ControlError(f"unknown organisation {only!r}")
        tier = {"tier": wanted.pop("tier")} if "tier" in wanted else {}
        settings = self.limits.settings.changed(tier)
        self.app = self.app.changed(wanted)
        self.app_changes |= wanted
        self.limits.settings = settings

    def allowed_scopes(self) -> frozenset[str]:
        """What the app may ask a person for."""
        return allowed_scopes(self.app.era, is_premium=self.tier.is_premium)

    def connections_left(self) -> int | None:
        """How many more connections the tier of the app allows; None without a cap."""
        cap = self.tier.connections
        return None if cap is None else max(0, cap - len(self.grants.live()))

    @asynccontextmanager
    async def turn(self, tenant_id: str, generation: int) -> AsyncIterator[None]:
        """Wait until no other call reads or changes the organisation, and keep others out.

        Raises UnavailableError when the world was started again since `generation`.
        """
        self.expect(generation)
        async with self._held.turns.setdefault(tenant_id, asyncio.Lock()):
            self.expect(generation)
            yield

    def _add_demo(self) -> None:
        for spec in DEMO:
            self.add_company(spec.name, seed=self.seed, days=spec.days, traits=spec.traits)
        tenant_ids = list(self.plans)
        for email, name, owned in _DEMO_USERS:
            self.grants.users[email] = user_of(email, name, tenant_ids[owned])

    def add_company(self, name: str, *, seed: int, days: int, traits: Mapping[str, object]) -> Plan:
        """Plan an organisation from a seed. The same again is no error, another one is.

        Raises ControlError for traits that do not exist.
        """
        plan = Plan(tenant_id_of(name, seed), name, seed, days, dict(traits))
        known = self.plans.get(plan.tenant_id)
        if known is not None:
            if replace(known, built_at=None, actions=()) != plan:
                raise ControlError(f"{name!r} with seed {seed} exists with other days or traits")
            return known
        try:
            traits_of(traits).check_days(days)
            build_company(name, seed=seed, days=days, now=self.business.now(), traits=traits)
        except (ValueError, TypeError, OverflowError) as error:
            raise ControlError(str(error)) from error
        self.plans[plan.tenant_id] = plan
        return plan

    def check_ahead(self, moment: datetime) -> None:
        """Raise ControlError when an organisation would have too many documents by then."""
        now = self.business.now()
        for plan in self.plans.values():
            if plan.days == 0 or moment <= now:
                continue
            days = plan.days + (moment - (plan.built_at or moment)).days
            try:
                traits_of(plan.traits).check_days(days)
            except ValueError as error:
                raise ControlError(f"{plan.name}: {error}") from error

    def add_payloads(self, folder: Path, name: str | None) -> Plan:
        """Serve the payloads of a folder as an organisation. Raises ControlError if it cannot."""
        held = self._held
        try:
            organisation = load_payloads(folder, name)
        except (OSError, ValueError) as error:
            raise ControlError(str(error)) from error
        plan = Plan(organisation.tenant_id, organisation.name, payloads=str(folder))
        held.plans[plan.tenant_id] = plan
        held.built[plan.tenant_id] = organisation
        return plan

    def organisation(self, tenant_id: str, now: datetime) -> Organisation:
        """The organisation as at `now`, built if it was not. Raises KeyError for an unknown id.

        May take seconds at the first touch; may be called from any thread.
        """
        return self._brought(self._held, tenant_id, now=now)

    def _brought(self, held: _Held, tenant_id: str, *, now: datetime) -> Organisation:
        organisation = held.built.get(tenant_id)
        if organisation is None:
            with self._lock:
                organisation = held.built.get(tenant_id) or _build(held, tenant_id, now=now)
        organisation.advance(now)
        held.advanced_to[tenant_id] = now
        return organisation

    def act(
        self, tenant_id: str, action: str, fields: Mapping[str, object], *, generation: int
    ) -> Record:
        """Change a document and remember how. Raises ControlError when it cannot be done.

        Raises UnavailableError when the world was started again since `generation`.
        """
        held, now = self._held, self.business.now()
        self.expect(generation)
        organisation = self._brought(held, tenant_id, now=now)
        if not isinstance(organisation, Editable):
            raise ControlError("an organisation of given payloads is served as it is")
        try:
            record = organisation.act(action, fields, now=now)
        except ValueError as error:
            raise ControlError(str(error)) from error
        plan = held.plans[tenant_id]
        actions = (*plan.actions, Action(action, dict(fields), now))
        held.plans[tenant_id] = replace(plan, actions=actions)
        return record

    def is_current(self, tenant_id: str, now: datetime) -> bool:
        """Whether bringing the organisation to `now` takes no time worth speaking of."""
        last = self._held.advanced_to.get(tenant_id)
        return last is not None and timedelta(0) <= now - last < _A_WHILE

    def is_built(self, tenant_id: str) -> bool:
        """Whether somebody touched the organisation already."""
        return tenant_id in self._held.built

    def names(self, tenant_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Those of the ids that exist, with their names, in the given order."""
        return [(key, self.plans[key].name) for key in tenant_ids if key in self.plans]


def _build(held: _Held, tenant_id: str, *, now: datetime) -> Organisation:
    plan = held.plans[tenant_id]
    organisation: Organisation
    if plan.payloads is not None:
        organisation = _reload(plan.payloads, plan.name)
    else:
        plan = held.plans[tenant_id] = replace(plan, built_at=plan.built_at or now)
        organisation = build_company(
            plan.name,
            seed=plan.seed,
            days=plan.days,
            now=plan.built_at or now,
            traits=plan.traits,
        )
    if isinstance(organisation, Editable):
        for action in plan.actions:
            organisation.act(action.name, action.fields, now=action.done_at)
    held.built[tenant_id] = organisation
    return organisation


def _reload(folder: str, name: str) -> Organisation:
    """Payloads that were served before a restart; the folder may be gone by now."""
    try:
        return load_payloads(Path(folder), name)
    except (OSError, ValueError) as error:
        logger.warning("event=payloads_gone folder=%s reason=%s", folder, error)
        raise UnavailableError("The Organisation is offline") from error
