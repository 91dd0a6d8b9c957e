"""Pages into versioned rows of xero_raw, with cursors, watermarks and counts.

Postgres splits the page and stores it: Python never turns money into floats. An unchanged
record costs no write; a changed one closes its version and opens another; one that changes
twice within an extraction is replaced in place. That a report was read is noted in any case. A
page and its cursor commit together, and the watermark moves with the last page. Must not know
HTTP, runs' states, or what a record means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from airflow_xero import report_readings
from airflow_xero.drift import first_seen, known_of
from airflow_xero.endpoint import Endpoint, Paging, Reading
from airflow_xero.errors import UnexpectedPayloadError
from airflow_xero.page import Page
from airflow_xero.plausibility import (
    is_all_there_is,
    refuse_emptied,
    refuse_malformed,
    refuse_vanishing,
)
from airflow_xero.pouring import (
    SETTINGS,
    close_statement,
    count_statement,
    edits_statement,
    pour_statement,
    unlisted_statement,
)
from airflow_xero.progress import OVERLAP, Poured, Progress, Reached, Walk
from airflow_xero.warehouse import warehouse_errors

CLOCK_SKEW = timedelta(minutes=5)
"""How far Xero's servers disagree; a clock further back than this was set back."""

# Bytes of a page that Postgres splits in its usual memory: most of a quiet night's are.
_SMALL_PAGE = 500_000

# What Postgres says of a page itself. The last two are a class of its own errors of operation: an
# id too long for an index, records within records without end.
_REFUSALS = (
    psycopg.DataError,
    psycopg.errors.CharacterNotInRepertoire,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
)


class RawStore:
    """The raw tables of one tenant within one extraction, over one warehouse connection.

    `known_at` (aware UTC) stamps every version written. `accept_deletions`: somebody agreed that
    many records are gone. The connection must not be inside a transaction.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        *,
        tenant_id: str,
        run_id: int,
        known_at: datetime,
        accept_deletions: bool = False,
    ) -> None:
        self._connection = connection
        self._accept_deletions = accept_deletions
        self._tenant_id = tenant_id
        self._run_id = run_id
        self._known_at = known_at
        self._progress = Progress(connection, tenant_id=tenant_id, run_id=run_id)

    def walk_cut_short(self, endpoint: Endpoint) -> Walk | None:
        """Where an earlier extraction stopped within the endpoint, or None."""
        return self._progress.of(endpoint).walk

    def watermark(self, endpoint: Endpoint) -> datetime | None:
        """Up to which of Xero's moments the endpoint has been read whole, less the overlap."""
        return self._progress.of(endpoint).watermark

    def pour(
        self,
        page: Page,
        *,
        walk: Walk | None,
        report_key: str | None = None,
        edited_before: bool = False,
        last_number: int | None = None,
    ) -> Poured:
        """Store one page, its counts and what it completes, in one transaction.

        `walk` is the walk this page belongs to, None for a page by itself; `report_key` is the
        record id of a report; `edited_before` tells whether an earlier page of this walk had
        `has_edited`; `last_number` is the highest number on a page of journals.
        Raises UnexpectedPayloadError (nothing of the page is kept), WarehouseBusyError.
        """
        more: Any = {
            "walk": walk,
            "report_key": report_key,
            "edited_before": edited_before,
            "last_number": last_number,
        }
        try:
            return self._pour(page, **more)
        except UnexpectedPayloadError:
            # Only now: hardly a page needs it, and to look for it takes as long as fetching.
            storable = page.storable()
            if not storable.repairs:
                raise
            return self._pour(storable, **more)

    def note(self, page: Page) -> Poured:
        """Count a page of which nothing is stored, such as a list of ids."""
        nothing = Poured(0, 0, 0, 0, 0, has_edited=False, is_shifted=False)
        with self._transaction(page.endpoint) as cursor:
            self._progress.count(cursor, page, nothing, is_walked=False)
        return nothing

    def note_calls(self, endpoint_name: str, calls: int) -> None:
        """Count calls that brought no page, by the endpoint's name."""
        self._progress.add_calls(endpoint_name, calls)

    def last_number(self, endpoint: Endpoint) -> int:
        """The highest number read of an endpoint of journals; 0 before the first."""
        return self._progress.of(endpoint).last_number or 0

    def count(self, endpoint: Endpoint) -> int:
        """How many records the tenant has now, deleted ones left out."""
        with self._transaction(endpoint) as cursor:
            return self._held(cursor, endpoint)

    def has_edits(self, endpoint: Endpoint, walk: Walk, *, until: datetime) -> bool:
        """Whether what is stored was edited since the walk began, up to a moment of Xero's."""
        with self._transaction(endpoint) as cursor:
            values = self._values(endpoint, **_edited_within(walk.read_from, until))
            [(has_edits,)] = cursor.execute(edits_statement(endpoint), values).fetchall()
        return bool(has_edits)

    def has_unlisted(self, endpoint: Endpoint, listed: Sequence[str]) -> bool:
        """Whether `finish_listing` would mark anything as deleted."""
        with self._transaction(endpoint) as cursor:
            values = self._values(endpoint, listed=list(listed))
            [(has_unlisted,)] = cursor.execute(unlisted_statement(endpoint), values).fetchall()
        return bool(has_unlisted)

    def finish_listing(
        self, endpoint: Endpoint, listed: Sequence[str], *, read_at: datetime
    ) -> int:
        """Mark as deleted what Xero no longer lists, and move the watermark; how many were.

        For lists that do not come as one page. `read_at` is Xero's clock at their beginning.
        Raises VanishedError when far too many would go.
        """
        with self._transaction(endpoint) as cursor:
            held = self._held(cursor, endpoint)
            values = self._values(endpoint, listed=list(listed))
            [(deleted,)] = cursor.execute(close_statement(endpoint), values).fetchall()
            if not self._accept_deletions:
                refuse_vanishing(
                    endpoint, deleted, tenant_id=self._tenant_id, held=held, listed=len(listed)
                )
            reached = self._progress.finish(cursor, endpoint, read_at)
        self._progress.keep(endpoint, reached)
        return int(deleted)

    def give_up_walk(self, endpoint: Endpoint) -> None:
        """Forget where the walk stands; the watermark stays, so that the next run asks again."""
        with self._transaction(endpoint) as cursor:
            reached = self._progress.forget(cursor, endpoint)
        self._progress.keep(endpoint, reached)

    def _values(self, endpoint: Endpoint, **more: Any) -> dict[str, Any]:
        return {
            "tenant_id": self._tenant_id,
            "run_id": self._run_id,
            "known_at": self._known_at,
            "endpoint": endpoint.name,
            **more,
        }

    @contextmanager
    def _transaction(self, endpoint: Endpoint) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
        with warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name):
            try:
                with (
                    # What needs no answer waits for none: fetching threads hold a round trip up.
                    self._connection.pipeline(),
                    self._connection.transaction(),
                    self._connection.cursor(row_factory=tuple_row) as cursor,
                ):
                    yield cursor
            except Exception:
                # A connection that is lost in a pipeline leaves the answer of an earlier statement,
                # or none: whatever was read out of that, this is what happened.
                if self._connection.broken:
                    raise psycopg.OperationalError("the connection was lost") from None
                raise

    def _held(self, cursor: psycopg.Cursor[tuple[Any, ...]], endpoint: Endpoint) -> int:
        [(records,)] = cursor.execute(count_statement(endpoint), self._values(endpoint)).fetchall()
        return int(records)

    def _pour(
        self,
        page: Page,
        *,
        walk: Walk | None,
        report_key: str | None,
        edited_before: bool,
        last_number: int | None,
    ) -> Poured:
        endpoint = page.endpoint
        with self._transaction(endpoint) as cursor:
            if not page.is_last or len(page.body) > _SMALL_PAGE:
                cursor.execute(SETTINGS, {"is_last": page.is_last})
            poured = self._pour_records(
                cursor, page, walk=walk, report_key=report_key, edited_before=edited_before
            )
            self._progress.count(cursor, page, poured, is_walked=walk is not None)
            reached = self._progress.of(endpoint)
            if report_key is not None:
                report_readings.note(
                    cursor,
                    endpoint,
                    report_key,
                    tenant_id=self._tenant_id,
                    run_id=self._run_id,
                    known_at=self._known_at,
                )
            if walk is not None:
                reached = self._walked(cursor, page, walk=walk, is_shifted=poured.is_shifted)
            if last_number is not None:
                reached = self._progress.move_number(
                    cursor,
                    endpoint,
                    last_number,
                    read_to_the_end_at=page.xero_now if page.is_last else None,
                )
        self._progress.keep(endpoint, reached)
        return poured

    def _pour_records(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        page: Page,
        *,
        walk: Walk | None,
        report_key: str | None,
        edited_before: bool,
    ) -> Poured:
        endpoint = page.endpoint
        is_whole = endpoint.reading is Reading.FULL and endpoint.paging is Paging.NONE
        kind, is_faulty, held, has_edited, read, new, changed, deleted, fields, values, repairs = (
            self._row(cursor, page, walk=walk, report_key=report_key, is_whole=is_whole)
        )
        refuse_malformed(page, kind=kind, is_faulty=is_faulty, records=read)
        if read == 0:
            self._refuse_emptied(cursor, page, walk=walk, held=held)
        if is_whole and not self._accept_deletions:
            refuse_vanishing(endpoint, deleted, tenant_id=self._tenant_id, held=held, listed=read)
        return Poured(
            records_read=read,
            records_new=new,
            records_changed=changed,
            records_deleted=deleted,
            records_repaired=repairs,
            has_edited=has_edited,
            is_shifted=page.is_last and page.number > 1 and (has_edited or edited_before),
            drifts=first_seen(
                cursor,
                endpoint.name,
                fields=fields or (),
                values=values or (),
                notices=page.notices,
            ),
        )

    def _row(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        page: Page,
        *,
        walk: Walk | None,
        report_key: str | None,
        is_whole: bool,
    ) -> tuple[Any, ...]:
        """Store the records; the row in which Postgres says what they changed."""
        if b"\x00" in page.body:
            raise page.unexpected("it holds a NUL byte")
        endpoint = page.endpoint
        known = known_of(endpoint.name)
        closed_fields = known.values if known else ()
        values = self._values(
            endpoint,
            # The bytes go as they are; psycopg would otherwise dump them again.
            body=Jsonb(page.body, dumps=bytes),
            array_key=endpoint.array_key,
            id_field=endpoint.id_field,
            report_key=report_key,
            was_repaired=bool(page.repairs),
            known_fields=list(known.fields) if known else None,
            known_values=Jsonb(known.values if known else {}),
            known_parts=Jsonb(known.parts if known else {}),
            known_part_values=Jsonb(known.part_values if known else {}),
            **_edited_within(walk.read_from if walk else page.xero_now, page.xero_now),
        )
        statement = pour_statement(endpoint, is_whole=is_whole, closed_fields=closed_fields)
        try:
            row = cursor.execute(statement, values).fetchone()
        except _REFUSALS as error:
            # Suppressed: Postgres quotes the record in the context of its error.
            raise page.unexpected(f"Postgres refuses it: {error.diag.message_primary}") from None
        if row is None:
            raise page.unexpected("it holds no records")
        return row

    def _refuse_emptied(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        page: Page,
        *,
        walk: Walk | None,
        held: int,
    ) -> None:
        if self._accept_deletions:
            return
        endpoint = page.endpoint
        if not endpoint.never_empties:
            held = self._held(cursor, endpoint) if is_all_there_is(page, walk) else 0
        refuse_emptied(page, tenant_id=self._tenant_id, held=held)

    def _walked(
        self, cursor: psycopg.Cursor[Any], page: Page, *, walk: Walk, is_shifted: bool
    ) -> Reached:
        if not is_shifted and page.is_last:
            return self._progress.finish(cursor, page.endpoint, walk.read_from)
        walk = replace(walk, next_page=1 if is_shifted else page.number + 1)
        return self._progress.advance(cursor, page.endpoint, walk)


def _edited_within(began_at: datetime, ended_at: datetime) -> dict[str, datetime]:
    # An edit may show in the list some time after its own stamp.
    return {"walk_began": began_at - OVERLAP, "walk_ended": ended_at + CLOCK_SKEW}
