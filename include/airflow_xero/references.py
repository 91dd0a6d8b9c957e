"""Which settings a document names that are not stored: they were made since the last weekly read.

Knows where in a document the ids of settings stand. Must not know HTTP, or what is done about it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from airflow_xero.warehouse import warehouse_errors

# Endpoint of the setting → where documents name it, as JSON paths.
_NAMED = {
    "currencies": ("$.CurrencyCode",),
    "tax_rates": ("$.LineItems[*].TaxType", "$.JournalLines[*].TaxType"),
    "tracking_categories": (
        "$.LineItems[*].Tracking[*].TrackingCategoryID",
        "$.JournalLines[*].Tracking[*].TrackingCategoryID",
    ),
    "branding_themes": ("$.BrandingThemeID",),
    "contact_groups": ("$.ContactGroups[*].ContactGroupID",),
}


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
    found = []
    with warehouse_errors(tenant_id=tenant_id):
        for setting, paths in _NAMED.items():
            if setting not in settings:
                continue
            query = _UNKNOWN.format(
                named=sql.SQL(" union ").join(
                    _NAMES.format(table=sql.Identifier("xero_raw", name), path=sql.Literal(path))
                    for name in documents
                    for path in paths
                ),
                settings=sql.Identifier("xero_raw", setting),
            )
            with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
                values = {"tenant_id": tenant_id, "since": since}
                if documents and cursor.execute(query, values).fetchone() == (True,):
                    found.append(setting)
    return found


_NAMES = sql.SQL("""
    select jsonb_path_query(payload, {path}::jsonpath) #>> '{{}}' as name
    from {table}
    where
        tenant_id = %(tenant_id)s
        and known_from > coalesce(%(since)s::timestamptz, '-infinity')
        and known_to is null
""")

_UNKNOWN = sql.SQL("""
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
