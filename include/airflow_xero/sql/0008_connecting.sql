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
call xero_ops.comment_columns('xero_ops.invitations', '{
    "invitation_id": "Our own id of the invitation.",
    "conn_id": "The Airflow connection that describes the app.",
    "token_hash": "Digest of the link''s secret.",
    "invited_by": "The user of Airflow who made the link.",
    "note": "What that user wrote to the person they invite.",
    "scopes": "What the link asks for; none for what the Airflow connection names.",
    "created_at": "When it was made.",
    "expires_at": "Until when it can be used.",
    "used_at": "When somebody connected by it; null before.",
    "used_by_email": "The Xero user who did, as Xero''s identity names them.",
    "revoked_at": "When it was taken back; null while it was not.",
    "revoked_by": "The user of Airflow who took it back."
}');

alter table xero_ops.authorisations
add column invitation_id uuid references xero_ops.invitations,
add column scopes text[];
call xero_ops.comment_columns('xero_ops.authorisations', '{
    "invitation_id": "The invitation by which it was begun; null when a user of Airflow began it.",
    "scopes": "What it asks for; null when it asks for what the Airflow connection names."
}');

-- An organisation is paused when any of its connections of the app is: see pausing.py.
alter table xero_ops.connections
add column connected_by text,
add column ended_at_xero timestamptz,
add column refused_at timestamptz,
add column paused_at timestamptz,
add column paused_by text;
call xero_ops.comment_columns('xero_ops.connections', '{
    "connected_by": "The user of Airflow who connected it, or invited whom did.",
    "ended_at_xero": "When it was known that Xero counts it no more; null while it counts against the app''s cap.",
    "refused_at": "Since when Xero refuses the organisation to this connection although it lists it; null while it does not.",
    "paused_at": "Since when the organisation is left out of every run, by a person''s wish; its data stay.",
    "paused_by": "The user of Airflow whose wish it is."
}');
-- What was closed before this file was closed because Xero listed it no more.
update xero_ops.connections as known
set ended_at_xero = known.disconnected_at, connected_by = grants.connected_by
from xero_ops.grants
where grants.grant_id = known.grant_id;

-- A consent that is lost is waited for from then on, however long ago it was last used.
alter table xero_ops.grants add column lost_at timestamptz;
comment on column xero_ops.grants.lost_at is 'When Xero first refused to renew it; null while it is active.';
update xero_ops.grants set lost_at = now()
where state = 'needs_reconnect';

-- It must outlive the organisation, so that it refers to nothing.
create table xero_ops.erasures (
    tenant_id uuid primary key,
    conn_id text,
    tenant_name text,
    requested_by text not null,
    requested_at timestamptz not null,
    state text not null default 'requested' check (
        state in ('requested', 'erasing', 'failed', 'erased')
    ),
    state_reason text,
    rows_deleted bigint not null default 0,
    rows_left bigint,
    left_at_xero uuid[] not null default '{}',
    finished_at timestamptz
);
comment on table xero_ops.erasures is 'Organisations whose every trace goes, or went; with the last one the name goes, too.';
call xero_ops.comment_columns('xero_ops.erasures', '{
    "tenant_id": "The organisation.",
    "conn_id": "The Airflow connection that describes the app.",
    "tenant_name": "Its name, until it is erased.",
    "requested_by": "The user of Airflow who asked for it.",
    "requested_at": "When they did.",
    "state": "requested, erasing, failed (the next try goes on) or erased.",
    "state_reason": "Why it failed; or what is left for people to do: at Xero, and with the tables of others.",
    "rows_deleted": "Rows that went, over all tries.",
    "rows_left": "What was counted after the last deletion, over every table that has a tenant_id; 0 proves it.",
    "left_at_xero": "Xero''s ids of its connections that could not be ended there yet; none of them is connected here.",
    "finished_at": "When it ended; null before."
}');

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
