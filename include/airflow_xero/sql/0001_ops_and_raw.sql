-- xero_ops: what the library remembers. xero_raw: what Xero said, in versions.
-- Every moment is a timestamptz; every key of tenant data starts with tenant_id.

-- migrate.py has already created xero_ops, where it records this file.
create schema if not exists xero_ops;
create schema xero_raw;

comment on schema xero_ops is 'Connections, grants (encrypted), extraction runs and audit of the Xero extraction.';
comment on schema xero_raw is 'One table per Xero endpoint: every version of every record as Xero sent it.';

create table xero_ops.grants (
    grant_id uuid primary key default gen_random_uuid(),
    conn_id text not null,
    xero_user_id uuid not null,
    user_name text,
    user_email text,
    scopes text[] not null,
    tokens bytea not null,
    access_expires_at timestamptz not null,
    refreshed_at timestamptz not null,
    state text not null default 'active' check (state in ('active', 'needs_reconnect', 'revoked')),
    state_reason text,
    connected_by text not null,
    created_at timestamptz not null default now(),
    unique (conn_id, xero_user_id)
);
comment on table xero_ops.grants is 'One consent of one Xero user to one app; tokens are Fernet-encrypted JSON.';

create table xero_ops.tenants (
    tenant_id uuid primary key,
    tenant_name text not null,
    first_connected_at timestamptz not null default now(),
    complete_at timestamptz,
    complete_day date,
    complete_run_id bigint
);
comment on table xero_ops.tenants is 'One Xero organisation; complete_at is the known_at of its last complete extraction.';

create table xero_ops.connections (
    connection_id uuid primary key,
    conn_id text not null,
    grant_id uuid not null references xero_ops.grants,
    tenant_id uuid not null references xero_ops.tenants,
    auth_event_id uuid,
    connected_at timestamptz not null default now(),
    disconnected_at timestamptz
);
create index on xero_ops.connections (tenant_id, conn_id);
comment on table xero_ops.connections is 'Which grant reaches which organisation; connection_id is Xero''s own id.';

create table xero_ops.authorisations (
    state_hash bytea primary key,
    browser_hash bytea not null,
    conn_id text not null,
    started_by text not null,
    code_verifier bytea not null,
    started_at timestamptz not null
);
comment on table xero_ops.authorisations is 'Consents under way: single use, ten minutes; the verifier is encrypted.';

create table xero_ops.extract_runs (
    run_id bigint generated always as identity primary key,
    tenant_id uuid not null references xero_ops.tenants,
    day date not null,
    dag_run_id text,
    known_at timestamptz not null,
    state text not null check (
        state in ('running', 'complete', 'waiting_for_limit', 'failed', 'superseded')
    ),
    state_reason text,
    resume_at timestamptz,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    built_at timestamptz
);
create index on xero_ops.extract_runs (tenant_id, run_id);
comment on table xero_ops.extract_runs is 'One extraction of one organisation for one day; known_at stamps every version it wrote.';

create table xero_ops.extract_endpoints (
    run_id bigint not null references xero_ops.extract_runs,
    tenant_id uuid not null references xero_ops.tenants,
    endpoint text not null,
    records_read integer not null default 0,
    records_new integer not null default 0,
    records_changed integer not null default 0,
    records_deleted integer not null default 0,
    records_repaired integer not null default 0,
    calls integer not null default 0,
    bytes bigint not null default 0,
    seconds numeric(12, 3) not null default 0,
    minute_calls_left integer,
    day_calls_left integer,
    finished_at timestamptz,
    primary key (run_id, endpoint)
);
comment on table xero_ops.extract_endpoints is 'Counts, calls, bytes and limits left, per run and endpoint.';

create table xero_ops.cursors (
    tenant_id uuid not null references xero_ops.tenants,
    endpoint text not null,
    modified_since timestamptz,
    read_from timestamptz not null,
    next_page integer not null,
    primary key (tenant_id, endpoint)
);
comment on table xero_ops.cursors is 'Walks cut short: where the next try continues.';

create table xero_ops.watermarks (
    tenant_id uuid not null references xero_ops.tenants,
    endpoint text not null,
    modified_since timestamptz not null,
    moved_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, endpoint)
);
comment on table xero_ops.watermarks is 'Xero''s own clock at the first page of the last full walk, less ten minutes.';

create table xero_ops.schema_drift (
    endpoint text not null,
    field text not null,
    kind text not null,
    first_seen_at timestamptz not null default clock_timestamp(),
    primary key (endpoint, field, kind)
);
comment on table xero_ops.schema_drift is 'Fields and values Xero sent that it does not document.';

create table xero_ops.published_pages (
    page_name text primary key,
    media_type text not null,
    content bytea not null,
    published_at timestamptz not null default clock_timestamp()
);
comment on table xero_ops.published_pages is 'Files served behind Airflow''s login, such as the dbt docs.';

create table xero_ops.audit_log (
    entry_id bigint generated always as identity primary key,
    happened_at timestamptz not null default clock_timestamp(),
    actor text not null,
    action text not null,
    tenant_id uuid,
    outcome text not null,
    detail jsonb not null default '{}'
);
comment on table xero_ops.audit_log is 'Who did what, to which organisation, with what outcome.';

create procedure xero_ops.create_raw_table(table_name text)
language plpgsql
as $$
begin
    execute format(
        'create table xero_raw.%I (
            tenant_id uuid not null,
            record_id text not null,
            known_from timestamptz not null,
            known_to timestamptz,
            xero_updated_at timestamptz,
            is_deleted boolean not null default false,
            payload jsonb not null,
            payload_hash bytea not null,
            run_id bigint not null,
            primary key (tenant_id, record_id, known_from)
        )', table_name);
    execute format(
        'create unique index %I on xero_raw.%I (tenant_id, record_id) where known_to is null',
        table_name || '_current', table_name);
    execute format(
        'comment on table xero_raw.%I is %L', table_name,
        'Versions of Xero ' || table_name || ': a row was current from known_from until known_to.');
end
$$;

call xero_ops.create_raw_table('organisations');
call xero_ops.create_raw_table('currencies');
call xero_ops.create_raw_table('tax_rates');
call xero_ops.create_raw_table('accounts');
call xero_ops.create_raw_table('contacts');
call xero_ops.create_raw_table('invoices');
call xero_ops.create_raw_table('credit_notes');
call xero_ops.create_raw_table('payments');
call xero_ops.create_raw_table('bank_transactions');
call xero_ops.create_raw_table('trial_balances');
