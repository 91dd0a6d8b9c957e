-- A report that comes back unchanged opens no version, and is news all the same: Xero still says so
-- now that documents say something else.
create table xero_ops.report_readings (
    tenant_id uuid not null references xero_ops.tenants,
    known_at timestamptz not null,
    record_id text not null,
    endpoint text not null,
    run_id bigint not null references xero_ops.extract_runs,
    read_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, known_at, record_id)
);
comment on table xero_ops.report_readings is 'Each reading of a report, also where it said the same as before: one row per report and try.';
call xero_ops.comment_columns('xero_ops.report_readings', '{
    "tenant_id": "The organisation.",
    "known_at": "The moment of knowledge of the try that read it; a run that waited for a limit has several.",
    "record_id": "The speaking key of the report, day and basis, as in its raw table.",
    "endpoint": "The report.",
    "run_id": "The extraction that read it.",
    "read_at": "When it was stored: documents that were read later are no longer those beside it."
}');
