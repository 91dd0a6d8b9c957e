-- Who was told what; and extractions that bring an organisation up to now without closing a day.

alter table xero_ops.extract_runs add column closes_day boolean not null default true;
comment on column xero_ops.extract_runs.closes_day is 'Whether the run reads the day''s reports and completes the day; a refresh does neither.';

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
comment on column xero_ops.notices.failure is 'Why the last try failed; null when it did not.';
