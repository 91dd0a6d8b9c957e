"""Read again what Xero changes without a stamp: a share every night, at once what is wanted.

And see whether Xero's lists are as long as ours. Must not know Airflow, HTTP or SQL, nor which
endpoints are due otherwise (`catching_up.py`).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg

from airflow_xero import rereads
from airflow_xero.endpoint import Endpoint
from airflow_xero.raw import RawStore
from airflow_xero.reader import Reader
from airflow_xero.rereads import Reread

_NIGHT = timedelta(hours=20)

_log = logging.getLogger(__name__)


class Rereading:
    """The re-reading within one extraction, after `reader` has read what changed.

    `on_alarm` is called with an endpoint and what is wrong with it.
    """

    def __init__(
        self,
        tenant_id: str,
        *,
        warehouse: psycopg.Connection[Any],
        raw: RawStore,
        reader: Reader,
        accept_deletions: bool,
        on_alarm: Callable[[Endpoint, str], None],
    ) -> None:
        self._tenant_id = tenant_id
        self._warehouse = warehouse
        self._raw = raw
        self._reader = reader
        self._accept_deletions = accept_deletions
        self._on_alarm = on_alarm
        self._states = rereads.states_of(warehouse, tenant_id)

    def reread(self, endpoint: Endpoint) -> None:
        """Read the whole list when it is wanted, else tonight's share of it, if it has any."""
        state = self._states.get(endpoint.name, Reread())
        now = self._reader.xero_now
        if now is None or not (endpoint.reread_nights or state.wanted_reason):
            return
        if state.wanted_reason and not self._was_read_whole(endpoint):
            self._read_whole(endpoint, state.wanted_reason)
        if self._was_read_whole(endpoint):
            state = Reread(read_at=now, records_accepted=state.records_accepted)
        elif state.wanted_reason:
            # The organisation was edited during each reading: it stays wanted.
            return
        elif state.read_at is None or not timedelta(0) <= now - state.read_at < _NIGHT:
            state = replace(self._read_share(endpoint, state), read_at=now)
        else:
            return
        rereads.keep(
            self._warehouse,
            self._tenant_id,
            endpoint,
            state=state,
            was_read_whole=self._was_read_whole(endpoint),
        )

    def _read_share(self, endpoint: Endpoint, state: Reread) -> Reread:
        """Read tonight's share of the whole list, and see whether its length is ours."""
        page = self._reader.read_page(endpoint, state.next_page)
        page_count = page.page_count or 1
        for _ in range(1, math.ceil(page_count / endpoint.reread_nights)):
            if page.number >= page_count:
                break
            page = self._reader.read_page(endpoint, page.number + 1)
        next_page = page.number + 1 if page.number < page_count else 1
        off_by = 0 if page.item_count is None else page.item_count - self._raw.count(endpoint)
        missing, vanished = max(0, off_by), max(0, -off_by)
        # What was entered a moment ago is on the list already; twice is no coincidence.
        if min(missing, state.records_missing):
            reason = f"{missing} records were missing two nights in a row"
            self._read_whole(endpoint, reason)
            still_wanted = None if self._was_read_whole(endpoint) else reason
            return Reread(records_accepted=state.records_accepted, wanted_reason=still_wanted)
        return Reread(
            next_page=next_page,
            records_missing=missing,
            records_vanished=vanished,
            records_accepted=self._accepted(endpoint, state, vanished),
        )

    def _accepted(self, endpoint: Endpoint, state: Reread, vanished: int) -> int:
        """How many records that Xero no longer lists somebody agreed to; an alarm above that."""
        # Lower only when it was lower twice: an edit a moment ago moves the count for a night.
        accepted = min(state.records_accepted, max(vanished, state.records_vanished))
        if self._accept_deletions:
            accepted = vanished
        if min(vanished, state.records_vanished) > accepted:
            self._on_alarm(
                endpoint,
                f"Xero lists {vanished} records fewer than are stored: nobody may delete them",
            )
        return accepted

    def _read_whole(self, endpoint: Endpoint, reason: str) -> None:
        _log.warning(
            "xero_reread tenant=%s endpoint=%s reason=%s", self._tenant_id, endpoint.name, reason
        )
        self._reader.read_whole(endpoint)

    def _was_read_whole(self, endpoint: Endpoint) -> bool:
        return endpoint.name in self._reader.read_whole_names
