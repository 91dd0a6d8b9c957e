-- Every endpoint that a new app can reach, the nightly re-reading, and what is fetched later.

call xero_ops.create_raw_table('tracking_categories');
call xero_ops.create_raw_table('branding_themes');
call xero_ops.create_raw_table('users');
call xero_ops.create_raw_table('contact_groups');
call xero_ops.create_raw_table('items');
call xero_ops.create_raw_table('batch_payments');
call xero_ops.create_raw_table('prepayments');
call xero_ops.create_raw_table('overpayments');
call xero_ops.create_raw_table('bank_transfers');
call xero_ops.create_raw_table('manual_journals');
call xero_ops.create_raw_table('purchase_orders');
call xero_ops.create_raw_table('quotes');
call xero_ops.create_raw_table('linked_transactions');
call xero_ops.create_raw_table('repeating_invoices');
call xero_ops.create_raw_table('budgets');
call xero_ops.create_raw_table('journals');
call xero_ops.create_raw_table('cash_journals');
call xero_ops.create_raw_table('profit_and_losses');
call xero_ops.create_raw_table('balance_sheets');
call xero_ops.create_raw_table('bank_summaries');
call xero_ops.create_raw_table('executive_summaries');
call xero_ops.create_raw_table('budget_summaries');

-- Journals are read after a number, not after a moment.
alter table xero_ops.watermarks add column last_number bigint;

create table xero_ops.rereads (
    tenant_id uuid not null references xero_ops.tenants,
    endpoint text not null,
    next_page integer not null default 1,
    read_at timestamptz,
    records_missing integer not null default 0,
    records_vanished integer not null default 0,
    wanted_reason text,
    primary key (tenant_id, endpoint)
);
comment on table xero_ops.rereads is 'The nightly re-reading of what Xero changes without a stamp: the page to come, what did not add up last night, and why the whole endpoint is wanted at once.';

create table xero_ops.wanted_reports (
    tenant_id uuid not null references xero_ops.tenants,
    endpoint text not null,
    day date not null,
    reason text not null,
    wanted_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, endpoint, day)
);
comment on table xero_ops.wanted_reports is 'Reports of past days still to be fetched, within each day''s calls.';

create view xero_ops.costs as
select
    extract_endpoints.tenant_id,
    tenants.tenant_name,
    (extract_runs.started_at at time zone 'UTC')::date as on_date,
    extract_endpoints.endpoint,
    sum(extract_endpoints.calls) as calls,
    sum(extract_endpoints.bytes) as bytes,
    sum(extract_endpoints.seconds) as seconds,
    min(extract_endpoints.day_calls_left) as day_calls_left
from xero_ops.extract_endpoints
inner join xero_ops.extract_runs using (run_id)
inner join xero_ops.tenants on extract_endpoints.tenant_id = tenants.tenant_id
group by 1, 2, 3, 4;
comment on view xero_ops.costs is 'What each organisation cost on each day (UTC): calls, bytes and seconds by endpoint, and the fewest calls left.';
