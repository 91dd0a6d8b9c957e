-- A report of the past that Xero answers with nonsense was asked for every hour, for ever.
alter table xero_ops.wanted_reports add column unreadable_on date;
comment on column xero_ops.wanted_reports.unreadable_on is 'The day whose extraction got an answer without sense; the report is asked for again with the next day.';

comment on column xero_ops.notices.cause is 'What happened and to what, such as extraction_failed:<tenant_id>:<kind of error>; the same cause is the same message.';
