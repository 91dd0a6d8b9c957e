"""The statements that remember how far an extraction got: counts, cursors, watermarks.

Knows the tables of xero_ops that hold them. Must not know connections, or what is read.
"""

from __future__ import annotations

COUNT = """
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

REACHED = """
select
    endpoint,
    watermarks.modified_since,
    watermarks.last_number,
    cursors.modified_since,
    cursors.read_from,
    cursors.next_page
from xero_ops.watermarks
full join xero_ops.cursors using (tenant_id, endpoint)
where tenant_id = %(tenant_id)s
"""

# What was asked without an answer that could be stored is no reading of the endpoint.
ADD_CALLS = """
insert into xero_ops.extract_endpoints as counted (run_id, tenant_id, endpoint, calls)
values (%(run_id)s, %(tenant_id)s, %(endpoint)s, %(calls)s)
on conflict (run_id, endpoint) do update set calls = counted.calls + excluded.calls
"""

ADVANCE = """
insert into xero_ops.cursors (tenant_id, endpoint, modified_since, read_from, next_page)
values (%(tenant_id)s, %(endpoint)s, %(modified_since)s, %(read_from)s, %(next_page)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    read_from = excluded.read_from,
    next_page = excluded.next_page
"""

FORGET = """
delete from xero_ops.cursors where tenant_id = %(tenant_id)s and endpoint = %(endpoint)s
"""

MOVE_NUMBER = """
insert into xero_ops.watermarks (tenant_id, endpoint, modified_since, last_number)
values (%(tenant_id)s, %(endpoint)s, %(known_at)s, %(last_number)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    last_number = excluded.last_number,
    moved_at = clock_timestamp()
"""

MOVE_WATERMARK = """
insert into xero_ops.watermarks (tenant_id, endpoint, modified_since)
values (%(tenant_id)s, %(endpoint)s, %(modified_since)s)
on conflict (tenant_id, endpoint) do update set
    modified_since = excluded.modified_since,
    moved_at = clock_timestamp()
"""

ADD_DRIFT = """
insert into xero_ops.schema_drift (endpoint, field, kind)
values (%(endpoint)s, left(%(field)s, 200), %(kind)s)
on conflict do nothing
"""
