"""Which settings a document names that are not stored: they were made since the last weekly read.

Knows where in a document the ids of settings stand. Must not know HTTP, or what is done about it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from airflow_xero.warehouse import warehouse_errors


@dataclass(frozen=True)
class _Reference:
    """Where documents name a setting, as JSON paths: by its id, or an option within it.

    With `in_new_ones`, a document counts only as long as it has never changed.
    """

    setting: str
    paths: tuple[str, ...]
    is_option: bool = False
    in_new_ones: bool = False


_TRACKINGS = ("$.LineItems[*].Tracking[*]", "$.JournalLines[*].Tracking[*]")
_REFERENCES = (
    _Reference("currencies", ("$.CurrencyCode",)),
    _Reference("tax_rates", ("$.LineItems[*].TaxType", "$.JournalLines[*].TaxType")),
    _Reference("tracking_categories", tuple(f"{path}.TrackingCategoryID" for path in _TRACKINGS)),
    _Reference("tracking_categories", _TRACKINGS, is_option=True),
    _Reference("branding_themes", ("$.BrandingThemeID",)),
    _Reference("contact_groups", ("$.ContactGroups[*].ContactGroupID",)),
    # Xero does not list a template that somebody deleted, whose invoices go on naming it: a payment
    # of one of these must not cost a call. A template that is there makes new ones.
    _Reference("repeating_invoices", ("$.RepeatingInvoiceID",), in_new_ones=True),
)


def unknown_settings(
    connection: psycopg.Connection[Any],
    tenant_id: str,
    *,
    since: datetime | None,
    documents: list[str],
    settings: Collection[str],
) -> list[str]:
    """The endpoints of settings of which a record written after `since` names an unknown one.

    `since` is None for every record; `documents` are the names of the endpoints of which records
    were written; of `settings` alone is asked, since every one costs a look at all those records.
    """
    found: list[str] = []
    values = {"tenant_id": tenant_id, "since": since}
    with warehouse_errors(tenant_id=tenant_id):
        for reference in _REFERENCES if documents else ():
            if reference.setting not in settings or reference.setting in found:
                continue
            query = _query_of(reference, documents)
            with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                if cursor.execute(query, values).fetchone() == (True,):
                    found.append(reference.setting)
    return found


def _query_of(reference: _Reference, documents: list[str]) -> sql.Composed:
    name, unknown = (_OPTION, _UNKNOWN_OPTION) if reference.is_option else (_ID, _UNKNOWN_ID)
    return unknown.format(
        named=sql.SQL(" union ").join(
            _NAMES.format(
                name=name,
                table=sql.Identifier("xero_raw", document),
                path=sql.Literal(path),
                never_changed=_NEVER_CHANGED.format(table=sql.Identifier("xero_raw", document))
                if reference.in_new_ones
                else sql.SQL(""),
            )
            for document in documents
            for path in reference.paths
        ),
        settings=sql.Identifier("xero_raw", reference.setting),
    )


_NAMES = sql.SQL("""
    select {name} as name
    from {table} as document, jsonb_path_query(payload, {path}::jsonpath) as element
    where
        tenant_id = %(tenant_id)s
        and known_from > coalesce(%(since)s::timestamptz, '-infinity')
        and known_to is null
        {never_changed}
""")

_NEVER_CHANGED = sql.SQL("""
        and not exists (
            select
            from {table} as earlier
            where
                earlier.tenant_id = document.tenant_id
                and earlier.record_id = document.record_id
                and earlier.known_to is not null
        )
""")

_ID = sql.SQL("element #>> '{}'")
# A page tells the option of a line by its name alone.
_OPTION = sql.SQL("(element ->> 'TrackingCategoryID') || '/' || (element ->> 'Option')")

_UNKNOWN_ID = sql.SQL("""
select exists (
    select
    from ({named}) as named
    where
        name <> ''
        and not exists (
            select
            from {settings} as known
            where
                known.tenant_id = %(tenant_id)s
                and known.record_id = named.name
                and known.known_to is null
        )
)
""")

_UNKNOWN_OPTION = sql.SQL("""
select exists (
    select name
    from ({named}) as named
    where name is not null
    except
    select known.record_id || '/' || (option ->> 'Name')
    from {settings} as known, jsonb_path_query(known.payload, '$.Options[*]') as option
    where known.tenant_id = %(tenant_id)s and known.known_to is null
)
""")
