"""What Airflow's permissions refuse, in the audit log: who wanted to do what, and from where.

Knows which address stands for which action, and how much one person may have written in a minute,
so that a script cannot fill the table. What was only to be looked at is not written down, nor what
another site made somebody's browser ask for. Must not know who may do what.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg
from fastapi import Request

from airflow_xero import audit, settings
from airflow_xero.audit import Actor
from airflow_xero.errors import XeroError
from airflow_xero.hook import XeroHook
from airflow_xero.warehouse import warehouse_errors
from airflow_xero.web.access import NotPermitted, actor_of
from airflow_xero.web.visitors import is_from_elsewhere

OUTCOME = "refused: not permitted"
ORGANISATIONS_A_MINUTE = 20
"""Of how many organisations a person's refusals get lines of their own in a minute."""


@dataclass(frozen=True)
class _Wanted:
    who: str
    action: str
    tenant_id: str | None


@dataclass
class _Line:
    """One line of the audit log; without its id while it is being written."""

    wanted: _Wanted
    times: int = 0
    entry_id: int | None = None


class Refusals:
    """Writes refusals down: a line for each user, action, organisation and minute, with a count.

    Of more organisations than `ORGANISATIONS_A_MINUTE` a line says no more which one. It counts in
    this process's memory and for a minute: each process of several has lines of its own. May be
    shared by threads; `clock` gives seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = -1
        self._lines: dict[_Wanted, _Line] = {}

    def write_down(self, request: Request, refusal: NotPermitted) -> None:
        """Write a refused action down; a warehouse that cannot be told changes no answer."""
        action = _action_of(request)
        if action is None or is_from_elsewhere(request):
            return
        actor = actor_of(refusal.user, request)
        line, is_first = self._counted(_Wanted(actor.name, action, _tenant_of(request)))
        # Whoever writes the line for the first time also writes what was counted meanwhile.
        if not is_first and line.entry_id is None:
            return
        try:
            _write(actor, line)
        except XeroError:
            # Whoever may do nothing here is not told how the warehouse does, either.
            self._forget(line)

    def _counted(self, wanted: _Wanted) -> tuple[_Line, bool]:
        """The line of this refusal, which it counts in, and whether it is the line's first."""
        with self._lock:
            minute = int(self._clock() // 60)
            if minute != self._minute:
                self._minute, self._lines = minute, {}
            if wanted not in self._lines and self._named_by(wanted.who) >= ORGANISATIONS_A_MINUTE:
                wanted = replace(wanted, tenant_id=None)
            line = self._lines.setdefault(wanted, _Line(wanted))
            line.times += 1
            return line, line.times == 1

    def _named_by(self, who: str) -> int:
        return sum(one.who == who and one.tenant_id is not None for one in self._lines)

    def _forget(self, line: _Line) -> None:
        with self._lock:
            if line.entry_id is None and self._lines.get(line.wanted) is line:
                del self._lines[line.wanted]


def _write(actor: Actor, line: _Line) -> None:
    wanted = line.wanted
    with (
        XeroHook(settings.conn_id()) as hook,
        warehouse_errors(),
        hook.warehouse() as warehouse,
    ):
        if line.entry_id is None or not _is_counted(warehouse, line):
            line.entry_id = audit.record(
                warehouse,
                actor,
                action=wanted.action,
                outcome=OUTCOME,
                tenant_id=wanted.tenant_id,
            )
            _is_counted(warehouse, line)


def _is_counted(warehouse: psycopg.Connection[Any], line: _Line) -> bool:
    """Let the line say how often it happened by now; whether there still is such a line."""
    if line.entry_id is None or line.times == 1:
        return line.entry_id is not None
    actor, action = Actor(line.wanted.who), line.wanted.action
    return audit.count(warehouse, line.entry_id, actor, action=action, times=line.times)


def _action_of(request: Request) -> str | None:
    """The action as the audit log names it; None for what changes nothing."""
    path = str(getattr(request.scope.get("route"), "path", ""))
    if path == "/connect":
        return "connect"
    if request.method == "GET":
        return None
    return "invite" if "/invitations" in path else path.rpartition("/")[2]


def _tenant_of(request: Request) -> str | None:
    try:
        return str(UUID(str(request.path_params.get("tenant_id", ""))))
    except ValueError:
        return None
