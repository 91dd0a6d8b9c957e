"""What Airflow's permissions refuse, in the audit log: who wanted to do what, and from where.

Knows which address stands for which action, and how much of one person is written in a minute: a
script can fill neither the table nor this process, nor keep the warehouse busy. What was only to
be looked at is not written down, nor what another site made somebody's browser ask for. Must not
know who may do what.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
import psycopg
from fastapi import Request

from airflow_xero import audit, settings
from airflow_xero.audit import Actor
from airflow_xero.hook import XeroHook
from airflow_xero.standing import status
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web.access import NotPermitted, actor_of
from airflow_xero.web.visitors import is_from_elsewhere

OUTCOME = "refused: not permitted"
LINES_A_MINUTE = 20
"""How many lines of a person in a minute say from where, and of which organisation."""

_MOST_WAITING = 1_000
_PATIENCE_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What a line of the audit log counts; beyond the bounds it says but who and what."""

    who: str
    action: str
    tenant_id: str | None = None
    address: str | None = None

    @property
    def unnamed(self) -> Wanted:
        """The line that many share: it names neither organisation nor address."""
        return Wanted(self.who, self.action)


class Refusals:
    """Writes refusals down, and lets nobody wait for long, nor for ever more of them.

    One thread writes for all, over one connection, whatever comes meanwhile; each process of
    several has one. May be shared by threads; `clock` gives seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: Counter[Wanted] = Counter()
        self._is_writing = False
        self._lines = _Lines()

    async def write_down(self, request: Request, refusal: NotPermitted) -> None:
        """Write a refused action down; a warehouse that is slow or away changes no answer."""
        wanted = _wanted_of(request, refusal)
        if wanted is None:
            return
        self.count(wanted)
        with anyio.move_on_after(_PATIENCE_SECONDS):
            # Left alone, it goes on by itself, and takes none of the threads of the server's pool.
            await anyio.to_thread.run_sync(self.write, abandon_on_cancel=True)

    def count(self, wanted: Wanted) -> None:
        """Remember a refusal until it is written."""
        with self._lock:
            if wanted not in self._waiting and len(self._waiting) >= _MOST_WAITING:
                wanted = wanted.unnamed
            self._waiting[wanted] += 1

    def write(self) -> None:
        """Write all that waits, unless another thread does: that takes this along."""
        with self._lock:
            if self._is_writing:
                return
            self._is_writing = True
        while counted := self._taken():
            self._write(counted)

    def _taken(self) -> Counter[Wanted]:
        """What waits now; where nothing does, nobody is writing any more."""
        with self._lock:
            taken, self._waiting = self._waiting, Counter()
            self._is_writing = bool(taken)
        return taken

    def _write(self, counted: Mapping[Wanted, int]) -> None:
        try:
            conn_id, minute = settings.conn_id(), int(self._clock() // 60)
            with XeroHook(conn_id) as hook, warehouse_errors(), hook.warehouse() as warehouse:
                self._lines.write(warehouse, counted, conn_id=conn_id, minute=minute)
        # Whoever may do nothing here is not told how the warehouse does, whatever it is.
        except Exception as error:  # noqa: BLE001
            for one, times in counted.items():
                _log.warning(
                    "not in the audit log: refused user=%r action=%s tenant=%s address=%s times=%d"
                    " reason=%s",
                    one.who,
                    one.action,
                    one.tenant_id,
                    one.address,
                    times,
                    type(error).__name__,
                )


@dataclass
class _Line:
    """One line of the audit log: what it says, and its id once it is written."""

    times: int = 0
    entry_id: int | None = None


class _Lines:
    """The lines of this minute: one for each user, address, action and organisation, with a count.

    Of a person with more than `LINES_A_MINUTE` the rest is one line for each action. Used by one
    thread at a time.
    """

    def __init__(self) -> None:
        self._minute = -1
        self._lines: dict[Wanted, _Line] = {}

    def write(
        self,
        warehouse: psycopg.Connection[Any],
        counted: Mapping[Wanted, int],
        *,
        conn_id: str,
        minute: int,
    ) -> None:
        """Write what was counted, in lines of this minute. Raises XeroError."""
        if minute != self._minute:
            self._minute, self._lines = minute, {}
        known = _known_among(warehouse, counted, conn_id=conn_id)
        of_lines: Counter[Wanted] = Counter()
        for wanted, times in counted.items():
            tenant_id = wanted.tenant_id if wanted.tenant_id in known else None
            of_lines[self._line_of(replace(wanted, tenant_id=tenant_id))] += times
        for wanted, times in of_lines.items():
            _add(warehouse, self._lines[wanted], wanted, times=times)

    def _line_of(self, wanted: Wanted) -> Wanted:
        if wanted not in self._lines:
            named = sum(one.who == wanted.who and one != one.unnamed for one in self._lines)
            wanted = wanted.unnamed if named >= LINES_A_MINUTE else wanted
        self._lines.setdefault(wanted, _Line())
        return wanted


def _add(warehouse: psycopg.Connection[Any], line: _Line, wanted: Wanted, *, times: int) -> None:
    actor, tenant_id = Actor(wanted.who, wanted.address), wanted.tenant_id
    if line.entry_id and audit.count(
        warehouse,
        line.entry_id,
        actor,
        action=wanted.action,
        times=line.times + times,
        tenant_id=tenant_id,
    ):
        line.times += times
        return
    line.entry_id = audit.record(
        warehouse,
        actor,
        action=wanted.action,
        outcome=OUTCOME,
        tenant_id=tenant_id,
        detail={"times": times} if times > 1 else None,
    )
    line.times = times


def _known_among(
    warehouse: psycopg.Connection[Any], counted: Mapping[Wanted, int], *, conn_id: str
) -> set[str]:
    """The organisations among them: an id that somebody made up is not written down."""
    ids = {wanted.tenant_id for wanted in counted if wanted.tenant_id}
    if not ids:
        return set()
    return {one.tenant_id for one in status(warehouse, conn_id, tenant_ids=[*ids])}


def _wanted_of(request: Request, refusal: NotPermitted) -> Wanted | None:
    action = _action_of(request)
    if action is None or is_from_elsewhere(request):
        return None
    actor = actor_of(refusal.user, request)
    return Wanted(actor.name, action, _tenant_of(request), audit.ip_of(actor.address))


def _action_of(request: Request) -> str | None:
    """The action as the audit log names it; None for what changes nothing."""
    path = str(getattr(request.scope.get("route"), "path", ""))
    if path == "/connect":
        return "connect"
    if request.method == "GET":
        return None
    if "/invitations" in path:
        return "revoke" if request.method == "DELETE" else "invite"
    return path.rpartition("/")[2]


def _tenant_of(request: Request) -> str | None:
    try:
        return str(UUID(str(request.path_params.get("tenant_id", ""))))
    except ValueError:
        return None
