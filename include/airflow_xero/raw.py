"""Pages into versioned rows of xero_raw, with cursors, watermarks and counts.

Postgres splits the page and stores it: Python never turns money into floats. An unchanged
record costs no write; a changed one closes its version and opens another; one that changes
twice within an extraction is replaced in place. A page and its cursor commit together, and the
watermark moves with the last page. Must not know HTTP, runs' states, or what a record means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from airflow_xero.drift import Drift, known_of
from airflow_xero.endpoint import Endpoint, Paging, Reading
from airflow_xero.errors import UnexpectedPayloadError, VanishedError
from airflow_xero.page import Page
from airflow_xero.pouring import SETTINGS, close_statement, count_statement, pour_statement
from airflow_xero.progress import OVERLAP, Progress, Reached, Walk
from airflow_xero.repairing import repaired
from airflow_xero.warehouse import warehouse_errors

# A list that loses more than half of its records at once, and more than a handful, is an alarm; so
# is one that loses all of them.
_HANDFUL = 5

CLOCK_SKEW = timedelta(minutes=5)
"""How far Xero's servers disagree; a clock further back than this was set back."""


@dataclass(frozen=True)
class Poured:
    """What one page changed.

    `has_edited`: it holds news that may be younger than the walk. `is_shifted` on a walk's last
    page: records were edited while it was walked. They moved to its end, those behind them moved
    up, and one may have slipped from a page to come to a page already read. The walk has to be
    made once more. `drifts`: what Xero sent for the first time and does not document.
    """

    records_read: int
    records_new: int
    records_changed: int
    records_deleted: int
    records_repaired: int
    has_edited: bool
    is_shifted: bool
    drifts: tuple[Drift, ...] = ()

    def records(self) -> dict[str, int]:
        """The counts of records, by their names."""
        return {name: count for name, count in vars(self).items() if name.startswith("records_")}


# Read one at a time, so that an answer without a record is a fault.
_SINGLE = (Reading.REPORT, Reading.DETAILS)

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
            self._progress.count(cursor, page, poured.records())
            reached = self._progress.of(endpoint)
            if walk is not None:
                reached = self._walked(cursor, page, walk=walk, is_shifted=poured.is_shifted)
            if last_number is not None:
                reached = self._progress.move_number(
                    cursor, endpoint, last_number, read_at=self._known_at
                )
        self._progress.keep(endpoint, reached)
        return poured

    def note(self, page: Page) -> Poured:
        """Count a page of which nothing is stored, such as a list of ids."""
        nothing = Poured(0, 0, 0, 0, 0, has_edited=False, is_shifted=False)
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=page.endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            self._progress.count(cursor, page, nothing.records())
        return nothing

    def note_calls(self, endpoint_name: str, calls: int) -> None:
        """Count calls that brought no page, by the endpoint's name."""
        self._progress.add_calls(endpoint_name, calls)

    def last_number(self, endpoint: Endpoint) -> int:
        """The highest number read of an endpoint of journals; 0 before the first."""
        return self._progress.of(endpoint).last_number or 0

    def count(self, endpoint: Endpoint) -> int:
        """How many records the tenant has now, deleted ones left out."""
        row = self._one(endpoint, count_statement(endpoint))
        return int(row[0]) if row else 0

    def finish_listing(
        self, endpoint: Endpoint, listed: Sequence[str], *, read_at: datetime
    ) -> int:
        """Mark as deleted what Xero no longer lists, and move the watermark; how many were.

        For lists that do not come as one page. `read_at` is Xero's clock at their beginning.
        Raises VanishedError when far too many would go.
        """
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            held = cursor.execute(count_statement(endpoint), self._values(endpoint)).fetchall()
            values = self._values(endpoint, listed=list(listed))
            [(deleted,)] = cursor.execute(close_statement(endpoint), values).fetchall()
            self._refuse_vanishing(endpoint, deleted, held=held[0][0], listed=len(listed))
            reached = self._progress.finish(cursor, endpoint, read_at)
        self._progress.keep(endpoint, reached)
        return int(deleted)

    def _refuse_vanishing(
        self, endpoint: Endpoint, deleted: int, *, held: int, listed: int
    ) -> None:
        is_few = deleted <= _HANDFUL or deleted * 2 <= held
        has_emptied = deleted > 0 and listed == 0
        if self._accept_deletions or (is_few and not has_emptied):
            return
        raise VanishedError(
            f"Xero lists {held - deleted} of {held} records: the others are kept, because so many "
            "at once are rather a fault; if they were deleted, run the day again with the "
            'configuration {"accept_deletions": true}',
            tenant_id=self._tenant_id,
            endpoint=endpoint.name,
        )

    def _values(self, endpoint: Endpoint, **more: Any) -> dict[str, Any]:
        return {
            "tenant_id": self._tenant_id,
            "run_id": self._run_id,
            "known_at": self._known_at,
            "endpoint": endpoint.name,
            **more,
        }

    def _one(
        self, endpoint: Endpoint, query: LiteralString | sql.Composed
    ) -> tuple[Any, ...] | None:
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            return cursor.execute(query, self._values(endpoint)).fetchone()

    def give_up_walk(self, endpoint: Endpoint) -> None:
        """Forget where the walk stands; the watermark stays, so that the next run asks again."""
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            reached = self._progress.forget(cursor, endpoint)
        self._progress.keep(endpoint, reached)

    def _pour_records(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        page: Page,
        *,
        walk: Walk | None,
        report_key: str | None,
        edited_before: bool,
    ) -> Poured:
        body, repairs = repaired(page.body)
        if b"\x00" in body:
            raise self._unexpected(page, "it holds a NUL byte")
        endpoint = page.endpoint
        known = known_of(endpoint.name)
        is_whole = endpoint.reading is Reading.FULL and endpoint.paging is Paging.NONE
        try:
            row = cursor.execute(
                pour_statement(
                    endpoint, is_whole=is_whole, closed_fields=known.values if known else ()
                ),
                {
                    # The bytes go as they are; psycopg would otherwise dump them again.
                    "body": Jsonb(body, dumps=bytes),
                    "array_key": endpoint.array_key,
                    "id_field": endpoint.id_field,
                    "report_key": report_key,
                    "was_repaired": repairs > 0,
                    "known_fields": list(known.fields) if known else None,
                    "known_values": Jsonb(known.values if known else {}),
                    "tenant_id": self._tenant_id,
                    "run_id": self._run_id,
                    "known_at": self._known_at,
                    # An edit may show in the list some time after its own stamp.
                    "walk_began": (walk.read_from if walk else page.xero_now) - OVERLAP,
                    "walk_ended": page.xero_now + CLOCK_SKEW,
                },
            ).fetchone()
        except _REFUSALS as error:
            # Suppressed: Postgres quotes the record in the context of its error.
            raise self._unexpected(
                page, f"Postgres refuses it: {error.diag.message_primary}"
            ) from None
        if row is None:
            raise self._unexpected(page, "it holds no records")
        kind, is_faulty, held, has_edited, read, new, changed, deleted, *drift, repairs = row
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
            drifts=self._drifts(cursor, page, drift),
        )
        if endpoint.reading in _SINGLE and poured.records_read != 1:
            raise self._unexpected(page, f"it holds {poured.records_read} records")
        if poured.records_read == 0 and self._has_emptied(cursor, page, walk=walk, held=held):
            raise self._unexpected(page, "it is empty, although there were records yesterday")
        if is_whole:
            self._refuse_vanishing(
                endpoint, poured.records_deleted, held=held, listed=poured.records_read
            )
        return poured

    def _has_emptied(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        page: Page,
        *,
        walk: Walk | None,
        held: int,
    ) -> bool:
        """Whether an empty page is a fault: of a list that never empties, of all documents."""
        endpoint = page.endpoint
        if endpoint.never_empties:
            return held > 0
        if endpoint.reading is not Reading.CHANGES or page.number > 1:
            return False
        if walk is None or walk.modified_since is not None:
            return False
        [(documents,)] = cursor.execute(
            count_statement(endpoint), self._values(endpoint)
        ).fetchall()
        return int(documents) > 0

    def _drifts(
        self,
        cursor: psycopg.Cursor[tuple[Any, ...]],
        page: Page,
        unknown: Sequence[list[str] | None],
    ) -> tuple[Drift, ...]:
        """Remember what is not documented; those that nobody saw before."""
        fields, values = unknown
        seen = [(field, "field") for field in fields or ()]
        seen += [(value, "value") for value in values or ()]
        seen += [(f"{name}: {text}", "notice") for name, text in page.notices]
        name = page.endpoint.name
        return tuple(
            Drift(name, field, kind)
            for field, kind in seen
            if cursor.execute(_ADD_DRIFT, {"endpoint": name, "field": field, "kind": kind}).rowcount
        )

    def _walked(
        self, cursor: psycopg.Cursor[Any], page: Page, *, walk: Walk, is_shifted: bool
    ) -> Reached:
        if not is_shifted and page.is_last:
            return self._progress.finish(cursor, page.endpoint, walk.read_from)
        walk = replace(walk, next_page=1 if is_shifted else page.number + 1)
        return self._progress.advance(cursor, page.endpoint, walk)

    def _unexpected(self, page: Page, what: str) -> UnexpectedPayloadError:
        return UnexpectedPayloadError(
            f"Page {page.number} is not as Xero documents it: {what}; please report it",
            tenant_id=self._tenant_id,
            endpoint=page.endpoint.name,
            page=page.number,
            correlation_id=page.correlation_id,
        )


def _required(endpoint: Endpoint) -> str:
    return "Rows" if endpoint.reading is Reading.REPORT else endpoint.id_field


_ADD_DRIFT = """
insert into xero_ops.schema_drift (endpoint, field, kind)
values (%(endpoint)s, left(%(field)s, 200), %(kind)s)
on conflict do nothing
"""
