-- Who may connect, who paused, who erased; and what a contact's request to be forgotten leaves.

-- An invitation lets one person without a login connect once; the link itself is stored nowhere.
create table xero_ops.invitations (
    invitation_id uuid primary key default gen_random_uuid(),
    conn_id text not null,
    token_hash bytea not null unique,
    invited_by text not null,
    note text,
    scopes text[] not null default '{}',
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    used_by_email text,
    revoked_at timestamptz,
    revoked_by text
);
create index on xero_ops.invitations (conn_id, created_at);
comment on table xero_ops.invitations is 'Links by which somebody without a login may connect once; the link is kept as a hash.';
comment on column xero_ops.invitations.used_by_email is 'The Xero user who connected by it, as Xero''s identity names them.';

alter table xero_ops.authorisations
add column invitation_id uuid references xero_ops.invitations,
add column scopes text[];
comment on column xero_ops.authorisations.invitation_id is 'The invitation by which the consent was begun; null when it was begun by a user of Airflow.';
comment on column xero_ops.authorisations.scopes is 'What the consent asks for; null when it asks for what the Airflow connection names.';

-- An organisation is paused when any of its connections of the app is: see pausing.py.
alter table xero_ops.connections
add column paused_at timestamptz,
add column paused_by text;
comment on column xero_ops.connections.paused_at is 'Since when the organisation is left out of every run, by a person''s wish; its data stay.';

-- It must outlive the organisation, so that it refers to nothing.
create table xero_ops.erasures (
    tenant_id uuid primary key,
    tenant_name text,
    requested_by text not null,
    requested_at timestamptz not null,
    state text not null default 'requested' check (
        state in ('requested', 'erasing', 'failed', 'erased')
    ),
    state_reason text,
    rows_deleted bigint not null default 0,
    rows_left bigint,
    finished_at timestamptz
);
comment on table xero_ops.erasures is 'Organisations whose every trace goes, or went; with the last one the name goes, too.';
comment on column xero_ops.erasures.rows_left is 'What was counted after the last deletion, over every table that has a tenant_id; 0 proves it.';

-- The page asks for the last run of each of a thousand organisations.
create index on xero_ops.extract_runs (tenant_id, known_at desc);

alter table xero_ops.audit_log add column address inet;
create index on xero_ops.audit_log (tenant_id, happened_at);
comment on column xero_ops.audit_log.address is 'From where it was done; null where a Dag or a command did it.';

-- Xero forgets a person at their request by the status GDPRREQUEST; what was stored of the contact
-- before that version goes in the same transaction, whoever stores it.
create function xero_ops.redacted_contact(payload jsonb)
returns jsonb
language sql
immutable
begin atomic
    select
        jsonb_strip_nulls(
            jsonb_build_object(
                'ContactID', payload -> 'ContactID',
                'ContactStatus', payload -> 'ContactStatus',
                'UpdatedDateUTC', payload -> 'UpdatedDateUTC',
                'IsSupplier', payload -> 'IsSupplier',
                'IsCustomer', payload -> 'IsCustomer'
            )
        );
end;

create function xero_ops.redact_contact()
returns trigger
language plpgsql
as $$
begin
    update xero_raw.contacts
    set payload = xero_ops.redacted_contact(payload)
    where
        tenant_id = new.tenant_id
        and record_id = new.record_id
        and known_from < new.known_from;
    return null;
end
$$;

create trigger redact_contact
after insert on xero_raw.contacts
for each row
when (new.payload ->> 'ContactStatus' = 'GDPRREQUEST')
execute function xero_ops.redact_contact();

-- Those that Xero forgot before this file.
update xero_raw.contacts as older
set payload = xero_ops.redacted_contact(older.payload)
from xero_raw.contacts as forgotten
where
    forgotten.payload ->> 'ContactStatus' = 'GDPRREQUEST'
    and older.tenant_id = forgotten.tenant_id
    and older.record_id = forgotten.record_id
    and older.known_from < forgotten.known_from;
