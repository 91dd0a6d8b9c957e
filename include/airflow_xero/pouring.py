"""The SQL that pours a page: split, compared and stored by Postgres in one statement.

Knows the shape of a raw table. Must not know connections, cursors or counts.
"""

from __future__ import annotations

from collections.abc import Collection

from psycopg import sql

from airflow_xero.endpoint import Endpoint, Reading

# A large page is split in memory. Within a walk, nobody waits for the disk: a page and its cursor
# are lost together if Postgres dies, and the last page's commit waits for all before it.
SETTINGS = """
select
    set_config('work_mem', '64MB', true),
    set_config(
        'synchronous_commit',
        case when %(is_last)s then current_setting('synchronous_commit') else 'off' end,
        true
    )
"""


def pour_statement(
    endpoint: Endpoint, *, is_whole: bool, closed_fields: Collection[str] = ()
) -> sql.Composed:
    """The statement that stores a page of the endpoint and answers with what it changed.

    `is_whole`: the page holds every record there is, so that one which is missing was deleted.
    `closed_fields` are those of which the values are known.
    """
    table = sql.Identifier("xero_raw", endpoint.name)
    is_report = endpoint.reading is Reading.REPORT
    return sql.SQL(_POUR).format(
        table=table,
        record_id=sql.SQL(
            "case when element -> 'Rows' is not null then %(report_key)s::text end"
            if is_report
            else "coalesce(%(report_key)s::text, nullif(element ->> %(id_field)s::text, ''))"
        ),
        # Titles and stamps of a report change at every reading, its rows only with the books.
        content=sql.SQL("-> 'Rows'" if is_report else ""),
        vanished=sql.SQL(_VANISHED if is_whole else _NONE_VANISHED).format(table=table),
        held=sql.SQL(_HELD).format(table=table) if is_whole else sql.SQL("0"),
        has_unknown_value=sql.SQL("").join(
            sql.SQL(_HAS_UNKNOWN_VALUE).format(field=sql.Literal(field)) for field in closed_fields
        ),
    )


def close_statement(endpoint: Endpoint) -> sql.Composed:
    """The statement that marks as deleted what is not among `listed`, and counts it."""
    return sql.SQL(_CLOSE_UNLISTED).format(
        table=sql.Identifier("xero_raw", endpoint.name), unlisted=sql.SQL(_UNLISTED)
    )


def unlisted_statement(endpoint: Endpoint) -> sql.Composed:
    """The statement that says whether `close_statement` would mark anything as deleted."""
    return sql.SQL("select exists (select from {table} where {unlisted})").format(
        table=sql.Identifier("xero_raw", endpoint.name), unlisted=sql.SQL(_UNLISTED)
    )


def edits_statement(endpoint: Endpoint) -> sql.Composed:
    """The statement that says whether a current record was edited within a time of Xero's."""
    return sql.SQL(_HAS_EDITS).format(table=sql.Identifier("xero_raw", endpoint.name))


def count_statement(endpoint: Endpoint) -> sql.Composed:
    """The statement that counts the records a tenant has now."""
    return sql.SQL("select {held}").format(
        held=sql.SQL(_HELD).format(table=sql.Identifier("xero_raw", endpoint.name))
    )


_HELD = """(
    select count(*)
    from {table} as current
    where
        current.tenant_id = %(tenant_id)s::uuid
        and current.known_to is null
        and not current.is_deleted
)"""

_HAS_UNKNOWN_VALUE = """
        or (
            payload ->> {field} <> ''
            and not (%(known_values)s::jsonb -> {field} ? (payload ->> {field}))
        )"""

_VANISHED = """
    select
        current.record_id,
        current.payload,
        current.xero_updated_at,
        current.known_from,
        current.ctid as row_place
    from {table} as current
    where
        current.tenant_id = %(tenant_id)s::uuid
        and current.known_to is null
        and not current.is_deleted
        and not exists (select from elements where elements.record_id = current.record_id)
"""

_NONE_VANISHED = """
    select null::text as record_id, null::jsonb as payload, null::timestamptz as xero_updated_at,
        null::timestamptz as known_from, null::tid as row_place
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
        place
    from
        answer,
        jsonb_array_elements(
            case jsonb_typeof(records) when 'array' then records else '[]' end
        ) with ordinality as listed (element, place)
),

-- Xero lists a record that is edited meanwhile twice; the later mention is the newer one. Sorted
-- are the ids alone: a page's payloads are megabytes, and each copy of them takes its time.
overtaken as materialized (
    select place
    from (
        select place, row_number() over (partition by record_id order by place desc) as mention
        from elements
    ) as mentioned
    where mention > 1
),

vanished as materialized (
    {vanished}
),

-- Each record is looked up in the index by itself, and the rows found are touched by their place:
-- on a table that was empty a minute ago the planner would read the whole tenant for every page.
-- Compared are the stored bytes themselves: to jsonb's own equality 40 and 40.00 are the same.
changes as materialized (
    select
        incoming.record_id,
        incoming.payload,
        false as is_deleted,
        -- The offset behind the milliseconds is decoration: they always count from 1970 UTC.
        case when milliseconds between -62135596800000 and 253402300799999 then
            timestamptz 'epoch' + interval '1 millisecond' * milliseconds
        end as xero_updated_at,
        known.known_from,
        known.row_place
    from elements as incoming
    left join lateral (
        select
            current.known_from,
            current.is_deleted,
            current.payload,
            current.ctid as row_place
        from {table} as current
        where
            current.tenant_id = %(tenant_id)s::uuid
            and current.record_id = incoming.record_id
            and current.known_to is null
        limit 1
    ) as known on true
    -- Without the offsets Postgres would put the expressions in the place of their names, and
    -- evaluate them once for every mention.
    cross join lateral (select incoming.payload ->> 'UpdatedDateUTC' as written offset 0) as stamp
    cross join lateral (select left(substr(written, 7), -7) as between_marks offset 0) as cut
    -- Cut by places, which is what Xero writes: a match costs several times as much.
    cross join lateral (
        select
            case
                when
                    written = '/Date(' || between_marks || '+0000)/'
                    and translate(between_marks, '0123456789', '') = ''
                    and length(between_marks) between 1 and 17
                    then between_marks::double precision
                when written ~ '^/Date\(-?\d+([+-]\d+)?\)/$' and length(written) < 32
                    then substring(written from '-?\d+')::double precision
            end as milliseconds
        offset 0
    ) as parsed
    where
        incoming.record_id is not null
        and incoming.place not in (select place from overtaken)
        and (
            known.row_place is null
            or known.is_deleted
            or record_image_ne(row(known.payload {content}), row(incoming.payload {content}))
        )
    union all
    select
        vanished.record_id,
        vanished.payload,
        true as is_deleted,
        vanished.xero_updated_at,
        vanished.known_from,
        vanished.row_place
    from vanished
),

-- One look at each record, so that those without news cost next to nothing.
suspects as materialized (
    select payload
    from changes
    where
        payload - %(known_fields)s::text[] <> '{{}}'{has_unknown_value}
),

-- Lines and other records within records: each look is dear. A night's news are few and all looked
-- at; of many, as of a first reading, a sample must do. As they are changed, they become few.
parts as materialized (
    select
        name,
        part
    from
        (
            select payload
            from changes
            limit case when (select count(*) from changes) > 100 then 10 end
        ) as looked_at,
        jsonb_each(payload) as known (name, content),
        jsonb_array_elements(
            case jsonb_typeof(content)
                when 'array' then content
                when 'object' then jsonb_build_array(content)
                else '[]'
            end
        ) as part
    where %(known_parts)s::jsonb ? name and jsonb_typeof(part) = 'object'
),

closed as (
    update {table}
    set known_to = %(known_at)s::timestamptz
    where ctid = any(array(
        select row_place from changes where known_from < %(known_at)s::timestamptz
    ))
    returning 1
),

-- What this extraction itself wrote was never published: it is replaced, not closed.
replaced as (
    delete from {table}
    where ctid = any(array(
        select row_place from changes where known_from >= %(known_at)s::timestamptz
    ))
    returning 1
),

opened as (
    insert into {table} (
        tenant_id, record_id, known_from, xero_updated_at, is_deleted, payload, run_id
    )
    select
        %(tenant_id)s::uuid,
        record_id,
        %(known_at)s::timestamptz,
        xero_updated_at,
        is_deleted,
        payload,
        %(run_id)s
    from changes
    -- Makes Postgres close every old version before it opens the first new one.
    where (select count(*) from closed) + (select count(*) from replaced) >= 0
)

select
    (select jsonb_typeof(records) from answer),
    (select bool_or(record_id is null) from elements),
    {held},
    -- Stamps beyond Xero's own clock, which demo companies have, tell nothing.
    exists (
        select from changes
        where xero_updated_at between %(walk_began)s::timestamptz and %(walk_ended)s::timestamptz
    ),
    (select count(*) from elements),
    (select count(*) from changes where known_from is null),
    (select count(*) from changes where known_from is not null and not is_deleted),
    (select count(*) from vanished),
    (
        select array_agg(distinct field)
        from (
            select field
            from suspects, jsonb_object_keys(payload) as field
            where not field = any(%(known_fields)s::text[])
            union all
            select name || '.' || field
            from parts, jsonb_object_keys(part) as field
            where not %(known_parts)s::jsonb -> name ? field
        ) as unknown
    ),
    (
        select array_agg(distinct found)
        from (
            select field || '=' || (payload ->> field) as found
            from suspects, jsonb_each(%(known_values)s::jsonb) as known (field, allowed)
            where payload ->> field <> '' and not allowed ? (payload ->> field)
            union all
            select name || '.' || field || '=' || (part ->> field)
            from parts, jsonb_each(%(known_part_values)s::jsonb -> name) as known (field, allowed)
            where part ->> field <> '' and not allowed ? (part ->> field)
        ) as unknown
    ),
    (
        select count(*) from elements
        where %(was_repaired)s::boolean and strpos(payload::text, chr(65533)) > 0
    )
"""

_HAS_EDITS = """
select exists (
    select from {table}
    where
        tenant_id = %(tenant_id)s::uuid
        and known_to is null
        and xero_updated_at between %(walk_began)s::timestamptz and %(walk_ended)s::timestamptz
)
"""

_UNLISTED = """
        tenant_id = %(tenant_id)s::uuid
        and known_to is null
        and not is_deleted
        and known_from < %(known_at)s::timestamptz
        and record_id <> all(%(listed)s::text[])
"""

_CLOSE_UNLISTED = """
with gone as (
    update {table}
    set known_to = %(known_at)s::timestamptz
    where {unlisted}
    returning record_id, xero_updated_at, payload
),

marked as (
    insert into {table} (
        tenant_id, record_id, known_from, xero_updated_at, is_deleted, payload, run_id
    )
    select
        %(tenant_id)s::uuid,
        record_id,
        %(known_at)s::timestamptz,
        xero_updated_at,
        true,
        payload,
        %(run_id)s
    from gone
    where (select count(*) from gone) >= 0
)

select count(*) from gone
"""
