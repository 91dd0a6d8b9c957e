-- Who was told what; and extractions that bring an organisation up to now without closing a day.

alter table xero_ops.extract_runs add column closes_day boolean not null default true;
comment on column xero_ops.extract_runs.closes_day is 'Whether the run reads the day''s reports and completes the day; a refresh does neither.';

alter table xero_ops.extract_runs add column accepts_deletions boolean not null default false;
comment on column xero_ops.extract_runs.accepts_deletions is 'Whether somebody agreed that many records of the organisation are gone; kept while the run waits for a limit.';

alter table xero_ops.rereads add column records_accepted integer not null default 0;
comment on column xero_ops.rereads.records_accepted is 'How many records that Xero no longer lists somebody agreed to; more than these are an alarm.';

create table xero_ops.notices (
    cause text not null,
    noticed_on date not null,
    tenant_id uuid references xero_ops.tenants,
    title text not null,
    advice text not null,
    link text,
    noticed_at timestamptz not null,
    sent_via text[] not null default '{}',
    sent_at timestamptz,
    tries integer not null default 0,
    tried_at timestamptz,
    failure text,
    primary key (cause, noticed_on)
);
create index on xero_ops.notices (noticed_at) where sent_at is null;
comment on table xero_ops.notices is 'What people are told: a cause at most once a day, whoever finds it. Sent by whoever comes first; a message that could not be sent is tried again by the next run.';
comment on column xero_ops.notices.cause is 'What happened and to what, such as extraction_failed:<tenant_id>; the same cause is the same message.';
comment on column xero_ops.notices.noticed_on is 'The day (UTC) on which it was found.';
comment on column xero_ops.notices.sent_via is 'The ways by which it has reached people: email, webhook.';
comment on column xero_ops.notices.sent_at is 'When every way that is set up had taken it; null while one has not.';
comment on column xero_ops.notices.tried_at is 'When a process last claimed it to send it; it is left alone for ten minutes unless its failure is known.';
comment on column xero_ops.notices.failure is 'Why the last try failed; null when it did not, or is under way.';

-- A run that waits for Xero's limit goes on on another day: what it costs is counted by the day.
create table xero_ops.endpoint_days (
    tenant_id uuid not null references xero_ops.tenants,
    on_date date not null,
    endpoint text not null,
    calls bigint not null,
    bytes bigint not null,
    seconds numeric not null,
    day_calls_left integer,
    primary key (tenant_id, on_date, endpoint)
);
comment on table xero_ops.endpoint_days is 'Calls, bytes, seconds and the fewest calls left of an organisation''s day (UTC), by endpoint.';

insert into xero_ops.endpoint_days
select tenant_id, on_date, endpoint, calls, bytes, seconds, day_calls_left
from xero_ops.costs;

create or replace view xero_ops.costs as
select
    endpoint_days.tenant_id,
    tenants.tenant_name,
    endpoint_days.on_date,
    endpoint_days.endpoint,
    endpoint_days.calls,
    endpoint_days.bytes::numeric as bytes,
    endpoint_days.seconds,
    endpoint_days.day_calls_left
from xero_ops.endpoint_days
inner join xero_ops.tenants using (tenant_id);
