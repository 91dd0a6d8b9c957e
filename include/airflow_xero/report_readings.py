"""That a report was read, also where it came back unchanged and opened no version.

Knows the table xero_ops.report_readings. Must not know what a report says, nor open or end the
transaction that stores it: a report and its reading are kept together or not at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from airflow_xero.endpoint import Endpoint


def note(
    cursor: psycopg.Cursor[Any],
    endpoint: Endpoint,
    report_key: str,
    *,
    tenant_id: str,
    run_id: int,
    known_at: datetime,
) -> None:
    """Note a reading; of a report that a try reads twice, the later one holds.

    `known_at` (aware UTC) is that of the try: a run that waited for a limit has had several.
    """
    values = {
        "tenant_id": tenant_id,
        "known_at": known_at,
        "record_id": report_key,
        "endpoint": endpoint.name,
        "run_id": run_id,
    }
    cursor.execute(_NOTE, values)


_NOTE = """
insert into xero_ops.report_readings (tenant_id, known_at, record_id, endpoint, run_id)
values (%(tenant_id)s, %(known_at)s, %(record_id)s, %(endpoint)s, %(run_id)s)
on conflict (tenant_id, known_at, record_id) do update set read_at = excluded.read_at
"""
