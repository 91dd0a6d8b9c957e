"""Pages into versioned rows of xero_raw, with cursors, watermarks and counts.

Postgres splits the page and stores it: Python never turns money into floats. An unchanged
record costs no write; a changed one closes its version and opens another; one that changes
twice within an extraction is replaced in place. A page and its cursor commit together, and the
watermark moves with the last page. Must not know HTTP, runs' states, or what a record means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import Jsonb

from airflow_xero.endpoints import Endpoint, Reading
from airflow_xero.errors import UnexpectedPayloadError
from airflow_xero.page import Page
from airflow_xero.pouring import SETTINGS, pour_statement
from airflow_xero.repairing import repaired
from airflow_xero.warehouse import warehouse_errors

OVERLAP = timedelta(minutes=10)
"""How far a watermark stays behind Xero's clock: edits show up in lists with a delay."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far Xero's servers disagree; a clock further back than this was set back."""


@dataclass(frozen=True)
class Walk:
    """A walk over an endpoint cut short: what it asks for, when it began, the page to come.

    `modified_since` is None for a first read; `read_from` is Xero's clock at its first page.
    """

    modified_since: datetime | None
    read_from: datetime
    next_page: int


@dataclass(frozen=True)
class Poured:
    """What one page changed.

    `has_edited`: it holds news that may be younger than the walk. `is_shifted` on a walk's last
    page: records were edited while it was walked. They moved to its end, those behind them moved
    up, and one may have slipped from a page to come to a page already read. The walk has to be
    made once more.
    """

    records_read: int
    records_new: int
    records_changed: int
    records_deleted: int
    records_repaired: int
    has_edited: bool
    is_shifted: bool


class RawStore:
    """The raw tables of one tenant within one extraction, over one warehouse connection.

    `known_at` (aware UTC) stamps every version written. The connection must not be inside a
    transaction.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        *,
        tenant_id: str,
        run_id: int,
        known_at: datetime,
    ) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._run_id = run_id
        self._known_at = known_at

    def walk_cut_short(self, endpoint: Endpoint) -> Walk | None:
        """Where an earlier extraction stopped within the endpoint, or None."""
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=class_row(Walk)) as cursor,
        ):
            return cursor.execute(
                "select modified_since, read_from, next_page from xero_ops.cursors"
                " where tenant_id = %s and endpoint = %s",
                (self._tenant_id, endpoint.name),
            ).fetchone()

    def watermark(self, endpoint: Endpoint) -> datetime | None:
        """Up to which of Xero's moments the endpoint has been read whole, less the overlap."""
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            row = cursor.execute(
                "select modified_since from xero_ops.watermarks"
                " where tenant_id = %s and endpoint = %s",
                (self._tenant_id, endpoint.name),
            ).fetchone()
        return row[0] if row else None

    def pour(
        self,
        page: Page,
        *,
        walk: Walk,
        report_key: str | None = None,
        edited_before: bool = False,
    ) -> Poured:
        """Store one page, its counts and the walk's progress in one transaction.

        `walk` is the walk this page belongs to; `report_key` is the record id of a report;
        `edited_before` tells whether an earlier page of this walk had `has_edited`.
        Raises UnexpectedPayloadError (nothing of the page is kept), WarehouseBusyError.
        """
        endpoint = page.endpoint
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute(SETTINGS, {"is_last": page.is_last})
            poured = self._pour_records(
                cursor, page, walk=walk, report_key=report_key, edited_before=edited_before
            )
            self._count(cursor, page, poured)
            if endpoint.reading is not Reading.REPORT:
                self._progress(cursor, page, walk=walk, is_shifted=poured.is_shifted)
        return poured

    def give_up_walk(self, endpoint: Endpoint) -> None:
        """Forget where the walk stands; the watermark stays, so that the next run asks again."""
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute(_FORGET, {"tenant_id": self._tenant_id, "endpoint": endpoint.name})

    def _pour_records(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        page: Page,
        *,
        walk: Walk,
        report_key: str | None,
        edited_before: bool,
    ) -> Poured:
        body, repairs = repaired(page.body)
        if b"\x00" in body:
            raise self._unexpected(page, "it holds a NUL byte")
        endpoint = page.endpoint
        try:
            row = cursor.execute(
                pour_statement(endpoint),
                {
                    # The bytes go as they are; psycopg would otherwise dump them again.
                    "body": Jsonb(body, dumps=bytes),
                    "array_key": endpoint.array_key,
                    "id_field": endpoint.id_field,
                    "report_key": report_key,
                    "was_repaired": repairs > 0,
                    "tenant_id": self._tenant_id,
                    "run_id": self._run_id,
                    "known_at": self._known_at,
                    # An edit may show in the list some time after its own stamp.
                    "walk_began": walk.read_from - OVERLAP,
                    "walk_ended": page.xero_now + CLOCK_SKEW,
                },
            ).fetchone()
        except (psycopg.DataError, psycopg.errors.CharacterNotInRepertoire) as error:
            # Suppressed: Postgres quotes the record in the context of its error.
            raise self._unexpected(
                page, f"Postgres refuses it: {error.diag.message_primary}"
            ) from None
        if row is None:
            raise self._unexpected(page, "it holds no records")
        kind, is_faulty, held, has_edited, read, new, changed, deleted, repairs = row
        if kind != "array":
            raise self._unexpected(page, f"{endpoint.array_key} is {kind or 'missing'}, no array")
        if is_faulty:
            raise self._unexpected(page, f"a record lacks {_required(endpoint)}")
        poured = Poured(
            records_read=read,
            records_new=new,
            records_changed=changed,
            records_deleted=deleted,
            records_repaired=repairs,
            has_edited=has_edited,
            is_shifted=page.is_last and page.number > 1 and (has_edited or edited_before),
        )
        if endpoint.reading is Reading.REPORT and poured.records_read != 1:
            raise self._unexpected(page, f"it holds {poured.records_read} reports")
        if endpoint.never_empties and poured.records_read == 0 and held:
            raise self._unexpected(page, "it is empty, although there were records yesterday")
        return poured

    def _count(self, cursor: psycopg.Cursor[Any], page: Page, poured: Poured) -> None:
        cursor.execute(
            _COUNT,
            {
                **vars(poured),
                "run_id": self._run_id,
                "tenant_id": self._tenant_id,
                "endpoint": page.endpoint.name,
                "calls": page.calls,
                "bytes": len(page.body),
                "seconds": page.seconds,
                "minute_calls_left": page.minute_calls_left,
                "day_calls_left": page.day_calls_left,
                "is_last": page.is_last,
            },
        )

    def _progress(
        self, cursor: psycopg.Cursor[Any], page: Page, *, walk: Walk, is_shifted: bool
    ) -> None:
        where = {"tenant_id": self._tenant_id, "endpoint": page.endpoint.name}
        if is_shifted or not page.is_last:
            next_page = 1 if is_shifted else page.number + 1
            cursor.execute(_ADVANCE, {**where, **vars(walk), "next_page": next_page})
            return
        cursor.execute(_FORGET, where)
        cursor.execute(_MOVE_WATERMARK, {**where, "modified_since": walk.read_from - OVERLAP})

    def _unexpected(self, page: Page, what: str) -> UnexpectedPayloadError:
        return UnexpectedPayloadError(
            f"Page {page.number} is not as Xero documents it: {what}; please report it",
            tenant_id=self._tenant_id,
            endpoint=page.endpoint.name,
        )


def _required(endpoint: Endpoint) -> str:
    return "Rows" if endpoint.reading is Reading.REPORT else endpoint.id_field


_COUNT = """
insert into xero_ops.extract_endpoints as counted (
    run_id, tenant_id, endpoint, records_read, records_new, records_changed, records_deleted,
    records_repaired, calls, bytes, seconds, minute_calls_left, day_calls_left, finished_at
)
values (
    %(run_id)s, %(tenant_id)s, %(endpoint)s, %(records_read)s, %(records_new)s,
    %(records_changed)s, %(records_deleted)s, %(records_repaired)s, %(calls)s, %(bytes)s,
    %(seconds)s, %(minute_calls_left)s, %(day_calls_left)s,
    case when %(is_last)s then clock_timestamp() end
)
on conflict (run_id, endpoint) do update set
    records_read = counted.records_read + excluded.records_read,
    records_new = counted.records_new + excluded.records_new,
    records_changed = counted.records_changed + excluded.records_changed,
    records_deleted = counted.records_deleted + excluded.records_deleted,
    records_repaired = counted.records_repaired + excluded.records_repaired,
    calls = counted.calls + excluded.calls,
    bytes = counted.bytes + excluded.bytes,
    seconds = counted.seconds + excluded.seconds,
    minute_calls_left = excluded.minute_calls_left,
    day_calls_left = excluded.day_calls_left,
    finished_at = excluded.finished_at
"""

_ADVANCE = """
insert into xero_ops.cursors (tenant_id, endpoint, modified_since, read_from, next_page)
values (%(tenant_id)s, %(endpoint)s, %(modified_since)s, %(read_from)s, %(next_page)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    read_from = excluded.read_from,
    next_page = excluded.next_page
"""

_FORGET = """
delete from xero_ops.cursors where tenant_id = %(tenant_id)s and endpoint = %(endpoint)s
"""

_MOVE_WATERMARK = """
insert into xero_ops.watermarks (tenant_id, endpoint, modified_since)
values (%(tenant_id)s, %(endpoint)s, %(modified_since)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    moved_at = clock_timestamp()
"""
