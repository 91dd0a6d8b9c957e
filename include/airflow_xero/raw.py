"""Pages into versioned rows of xero_raw, with cursors, watermarks and counts.

Postgres splits the page and stores it: Python never turns money into floats. An unchanged
record costs no write; a changed one closes its version and opens another; one that changes
twice within an extraction is replaced in place. A page and its cursor commit together, and the
watermark moves with the last page. Must not know HTTP, runs' states, or what a record means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, tuple_row
from psycopg.types.json import Jsonb

from airflow_xero.endpoints import Endpoint, Reading
from airflow_xero.errors import UnexpectedPayloadError
from airflow_xero.page import Page
from airflow_xero.warehouse import warehouse_errors

OVERLAP = timedelta(minutes=10)
"""How far a watermark stays behind Xero's clock: edits show up in lists with a delay."""

_STAMP_PRECISION = timedelta(seconds=1)

# An escape that Postgres refuses: NUL, or half of a surrogate pair. The lookbehind and the even
# number of backslashes keep an escaped backslash before a harmless "u0000" as it is; a whole
# pair is matched first and kept.
_ESCAPE = re.compile(
    rb"(?<!\\)((?:\\\\)*)"
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_WHOLE_PAIR = 12
# Half a pair that was not escaped but written as bytes, which are no UTF-8.
_RAW_HALF = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


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

    `is_shifted` on a walk's last page: records were edited while it was walked. They moved to
    its end, those behind them moved up, and one may have slipped from a page to come to a page
    already read. The walk has to be made once more.
    """

    records_read: int
    records_new: int
    records_changed: int
    records_deleted: int
    records_repaired: int
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

    def pour(self, page: Page, *, walk: Walk, report_key: str | None = None) -> Poured:
        """Store one page, its counts and the walk's progress in one transaction.

        `walk` is the walk this page belongs to; `report_key` is the record id of a report.
        Raises UnexpectedPayloadError (nothing of the page is kept), WarehouseBusyError.
        """
        endpoint = page.endpoint
        with (
            warehouse_errors(tenant_id=self._tenant_id, endpoint=endpoint.name),
            self._connection.transaction(),
            self._connection.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute(_SETTINGS, {"is_last": page.is_last})
            poured = self._pour_records(cursor, page, walk=walk, report_key=report_key)
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
    ) -> Poured:
        body, repairs = repaired(page.body)
        if b"\x00" in body:
            raise self._unexpected(page, "it holds a NUL byte")
        endpoint = page.endpoint
        try:
            row = cursor.execute(
                _pour_statement(endpoint),
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
                    "walk_began": walk.read_from - _STAMP_PRECISION,
                    "walk_ended": page.xero_now + _STAMP_PRECISION,
                },
            ).fetchone()
        except (psycopg.DataError, psycopg.errors.CharacterNotInRepertoire) as error:
            # Suppressed: Postgres quotes the record in the context of its error.
            raise self._unexpected(
                page, f"Postgres refuses it: {error.diag.message_primary}"
            ) from None
        if row is None:
            raise self._unexpected(page, "it holds no records")
        kind, is_faulty, held, edited_meanwhile, read, new, changed, deleted, repairs = row
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
            is_shifted=page.is_last and page.number > 1 and edited_meanwhile,
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


def repaired(body: bytes) -> tuple[bytes, int]:
    """Replace characters that Postgres cannot store by U+FFFD; the body and how many there were."""
    body, halves = _RAW_HALF.subn("\ufffd".encode(), body) if b"\xed" in body else (body, 0)
    if b"\\u0000" not in body and b"\\ud" not in body and b"\\uD" not in body:
        return body, halves
    repairs = halves

    def replacement(match: re.Match[bytes]) -> bytes:
        nonlocal repairs
        if len(match.group(2)) == _WHOLE_PAIR:
            return match.group(0)
        repairs += 1
        return match.group(1) + b"\\ufffd"

    return _ESCAPE.sub(replacement, body), repairs


def _required(endpoint: Endpoint) -> str:
    return "Rows" if endpoint.reading is Reading.REPORT else endpoint.id_field


def _pour_statement(endpoint: Endpoint) -> sql.Composed:
    is_report = endpoint.reading is Reading.REPORT
    return sql.SQL(_POUR).format(
        table=sql.Identifier("xero_raw", endpoint.name),
        record_id=sql.SQL(
            "%(report_key)s::text"
            if is_report
            else "coalesce(%(report_key)s::text, nullif(element ->> %(id_field)s::text, ''))"
        ),
        # Titles and stamps of a report change at every reading, its rows only with the books.
        hashed=sql.SQL("element -> 'Rows'" if is_report else "element"),
        vanished=sql.SQL(_VANISHED if endpoint.reading is Reading.FULL else _NONE_VANISHED).format(
            table=sql.Identifier("xero_raw", endpoint.name)
        ),
    )


# A page is split in memory. Within a walk, nobody waits for the disk: a page and its cursor are
# lost together if Postgres dies, and the last page's commit waits for all before it.
_SETTINGS = """
select
    set_config('work_mem', '64MB', true),
    set_config(
        'synchronous_commit',
        case when %(is_last)s then current_setting('synchronous_commit') else 'off' end,
        true
    )
"""

_VANISHED = """
    select current.record_id, current.payload, current.payload_hash, current.known_from
    from {table} as current
    where
        current.tenant_id = %(tenant_id)s::uuid
        and current.known_to is null
        and not current.is_deleted
        and not exists (select from incoming where incoming.record_id = current.record_id)
"""

_NONE_VANISHED = """
    select null::text as record_id, null::jsonb as payload, null::bytea as payload_hash,
        null::timestamptz as known_from
    where false
"""

# One statement, so that the page crosses the wire and is parsed once.
_POUR = r"""
with answer as materialized (
    select %(body)s::jsonb -> %(array_key)s::text as records
),

elements as materialized (
    select
        {record_id} as record_id,
        element as payload,
        sha256(convert_to(({hashed})::text, 'UTF8')) as payload_hash,
        place
    from
        answer,
        jsonb_array_elements(
            case jsonb_typeof(records) when 'array' then records else '[]' end
        ) with ordinality as listed (element, place)
),

-- Xero lists a record that is edited meanwhile twice; the later mention is the newer one.
incoming as materialized (
    select distinct on (record_id) record_id, payload, payload_hash
    from elements
    where record_id is not null and payload_hash is not null
    order by record_id, place desc
),

vanished as materialized (
    {vanished}
),

changes as materialized (
    select
        incoming.record_id,
        incoming.payload,
        incoming.payload_hash,
        false as is_deleted,
        current.known_from
    from incoming
    left join {table} as current
        on
            current.tenant_id = %(tenant_id)s::uuid
            and current.record_id = incoming.record_id
            and current.known_to is null
    where
        current.record_id is null
        or current.is_deleted
        or current.payload_hash <> incoming.payload_hash
    union all
    select record_id, payload, payload_hash, true as is_deleted, known_from from vanished
),

stamped as materialized (
    select
        changes.*,
        -- The offset behind the milliseconds is decoration: they always count from 1970 UTC.
        case when milliseconds between -62135596800000 and 253402300799999 then
            timestamptz 'epoch' + interval '1 millisecond' * milliseconds
        end as xero_updated_at
    from
        changes,
        lateral (select payload ->> 'UpdatedDateUTC' as written) as stamp,
        -- Two plain matches: one with groups takes five times as long.
        lateral (
            select
                case when written ~ '^/Date\(-?\d+([+-]\d+)?\)/$' and length(written) < 32 then
                    substring(written from '-?\d+')::double precision
                end as milliseconds
        ) as parsed
),

replaced as (
    update {table} as current
    set
        payload = stamped.payload,
        payload_hash = stamped.payload_hash,
        xero_updated_at = stamped.xero_updated_at,
        is_deleted = stamped.is_deleted,
        run_id = %(run_id)s
    from stamped
    where
        current.tenant_id = %(tenant_id)s::uuid
        and current.record_id = stamped.record_id
        and current.known_to is null
        and current.known_from = %(known_at)s::timestamptz
),

closed as (
    update {table} as current
    set known_to = %(known_at)s::timestamptz
    from stamped
    where
        current.tenant_id = %(tenant_id)s::uuid
        and current.record_id = stamped.record_id
        and current.known_to is null
        and current.known_from < %(known_at)s::timestamptz
    returning 1
),

opened as (
    insert into {table} (
        tenant_id, record_id, known_from, xero_updated_at, is_deleted, payload, payload_hash, run_id
    )
    select
        %(tenant_id)s::uuid,
        record_id,
        %(known_at)s::timestamptz,
        xero_updated_at,
        is_deleted,
        payload,
        payload_hash,
        %(run_id)s
    from stamped
    where
        (known_from is null or known_from < %(known_at)s::timestamptz)
        -- Makes Postgres close every old version before it opens the first new one.
        and (select count(*) from closed) >= 0
)

select
    (select jsonb_typeof(records) from answer),
    (select bool_or(record_id is null or payload_hash is null) from elements),
    exists (
        select from {table} as current
        where
            current.tenant_id = %(tenant_id)s::uuid
            and current.known_to is null
            and not current.is_deleted
    ),
    -- Stamps beyond Xero's own clock, which demo companies have, tell nothing.
    exists (
        select from stamped
        where xero_updated_at between %(walk_began)s::timestamptz and %(walk_ended)s::timestamptz
    ),
    (select count(*) from elements),
    (select count(*) from changes where known_from is null),
    (select count(*) from changes where known_from is not null and not is_deleted),
    (select count(*) from vanished),
    (
        select count(*) from elements
        where %(was_repaired)s::boolean and strpos(payload::text, chr(65533)) > 0
    )
"""

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
