-- Every column says what it is, so that whatever shows a table shows that, too.

create procedure xero_ops.comment_columns(table_name text, comments jsonb)
language plpgsql
as $$
declare
    described record;
begin
    for described in select * from jsonb_each_text(comments)
    loop
        execute format(
            'comment on column %s.%I is %L', table_name::regclass, described.key, described.value);
    end loop;
end
$$;
comment on procedure xero_ops.comment_columns is 'Describes columns: their names and what they mean, as one object.';

call xero_ops.comment_columns('xero_ops.schema_migrations', '{
    "file_name": "The numbered file of the package.",
    "sha256": "Digest of the file as it was applied.",
    "applied_at": "When it was applied."
}');
call xero_ops.comment_columns('xero_ops.grants', '{
    "grant_id": "Our own id of the consent.",
    "conn_id": "The Airflow connection that describes the app.",
    "xero_user_id": "Xero''s id of the user who consented.",
    "user_name": "The user''s name at Xero.",
    "user_email": "The user''s address at Xero.",
    "scopes": "What the user allowed the app to read.",
    "tokens": "Access and refresh tokens, encrypted with the first key of XERO_TOKEN_KEYS.",
    "access_expires_at": "Until when the access token is good.",
    "refreshed_at": "When the tokens were last renewed.",
    "state": "active, needs_reconnect when Xero refused a refresh, or revoked.",
    "state_reason": "Why it is no longer active.",
    "connected_by": "The user of Airflow who pressed the button.",
    "created_at": "When the user first consented."
}');
call xero_ops.comment_columns('xero_ops.tenants', '{
    "tenant_id": "Xero''s id of the organisation.",
    "tenant_name": "Its name, as Xero''s connections list it.",
    "first_connected_at": "When somebody first connected it.",
    "complete_at": "The known_at of its last complete extraction: the marts stand there after the next build.",
    "complete_day": "The last day that such an extraction closed.",
    "complete_run_id": "That extraction."
}');
call xero_ops.comment_columns('xero_ops.connections', '{
    "connection_id": "Xero''s id of the connection between app and organisation.",
    "conn_id": "The Airflow connection that describes the app.",
    "grant_id": "The consent by which the organisation is reached.",
    "tenant_id": "The organisation.",
    "auth_event_id": "Xero''s id of the consent that made the connection.",
    "connected_at": "When it was made.",
    "disconnected_at": "When it ended; null while it holds."
}');
call xero_ops.comment_columns('xero_ops.authorisations', '{
    "state_hash": "Digest of the state that Xero must bring back.",
    "browser_hash": "Digest of the cookie of the browser that asked.",
    "conn_id": "The Airflow connection that describes the app.",
    "started_by": "The user of Airflow who pressed the button.",
    "code_verifier": "The PKCE verifier, encrypted.",
    "started_at": "When it began; it is good for ten minutes."
}');
call xero_ops.comment_columns('xero_ops.extract_runs', '{
    "run_id": "The extraction.",
    "tenant_id": "The organisation.",
    "day": "The day whose reports it reads.",
    "dag_run_id": "The run of the Dag that it is part of.",
    "known_at": "The moment of knowledge that stamps every version it writes.",
    "state": "running, complete, waiting_for_limit, failed or superseded.",
    "state_reason": "Why it waits or failed.",
    "resume_at": "When the limit opens for which it waits.",
    "started_at": "When it began.",
    "finished_at": "When it ended.",
    "built_at": "When a good build of the marts had it in; null before."
}');
call xero_ops.comment_columns('xero_ops.extract_endpoints', '{
    "run_id": "The extraction.",
    "tenant_id": "The organisation.",
    "endpoint": "The list or report.",
    "records_read": "Records that Xero sent.",
    "records_new": "Records that were not known before.",
    "records_changed": "Records that differ from their stored version.",
    "records_deleted": "Records that Xero no longer has.",
    "records_repaired": "Records with a character that Postgres cannot store, kept with U+FFFD.",
    "calls": "Calls that were made.",
    "bytes": "Bytes of answers.",
    "seconds": "Seconds it took.",
    "minute_calls_left": "Calls of the minute''s limit that were left.",
    "day_calls_left": "Calls of the day''s limit that were left.",
    "finished_at": "When the last page was stored."
}');
call xero_ops.comment_columns('xero_ops.cursors', '{
    "tenant_id": "The organisation.",
    "endpoint": "The list.",
    "modified_since": "The moment after which changes are asked for; null for the whole list.",
    "read_from": "Xero''s clock at the walk''s first page: its next watermark.",
    "next_page": "The page to continue with."
}');
call xero_ops.comment_columns('xero_ops.watermarks', '{
    "tenant_id": "The organisation.",
    "endpoint": "The list.",
    "modified_since": "The moment after which the next walk asks for changes.",
    "moved_at": "When a walk last moved it.",
    "last_number": "The last journal number read, for lists that are read by number."
}');
call xero_ops.comment_columns('xero_ops.schema_drift', '{
    "endpoint": "The list or report.",
    "field": "The path of the field.",
    "kind": "What is new about it.",
    "first_seen_at": "When it was first met."
}');
call xero_ops.comment_columns('xero_ops.published_pages', '{
    "page_name": "The page.",
    "media_type": "Its content type.",
    "content": "The page itself.",
    "published_at": "When it was last renewed."
}');
call xero_ops.comment_columns('xero_ops.audit_log', '{
    "entry_id": "The entry.",
    "happened_at": "When it happened.",
    "actor": "Who did it.",
    "action": "What was done.",
    "tenant_id": "To which organisation, where it was done to one.",
    "outcome": "How it ended.",
    "detail": "What else is worth knowing; never a secret."
}');
call xero_ops.comment_columns('xero_ops.rereads', '{
    "tenant_id": "The organisation.",
    "endpoint": "The list.",
    "next_page": "The page with which the next night goes on.",
    "read_at": "When a share was last read again.",
    "records_missing": "Records that Xero lists and we lacked, when it was last counted.",
    "records_vanished": "Records that we have and Xero no longer lists.",
    "wanted_reason": "Why the whole list is wanted at once; null when it is not."
}');
call xero_ops.comment_columns('xero_ops.wanted_reports', '{
    "tenant_id": "The organisation.",
    "endpoint": "The report.",
    "day": "The day for which it is wanted.",
    "reason": "Why.",
    "wanted_at": "Since when."
}');
call xero_ops.comment_columns('xero_ops.costs', '{
    "tenant_id": "The organisation.",
    "tenant_name": "Its name.",
    "on_date": "The day (UTC).",
    "endpoint": "The list or report.",
    "calls": "Calls that were made.",
    "bytes": "Bytes of answers.",
    "seconds": "Seconds of extraction.",
    "day_calls_left": "The fewest calls of the day''s limit that were left."
}');
call xero_ops.comment_columns('xero_ops.notices', '{
    "tenant_id": "The organisation, where it is about one.",
    "title": "What happened, in a line.",
    "advice": "What to do.",
    "link": "Where to look in Airflow.",
    "noticed_at": "When it was found.",
    "tries": "How often it was tried to send it."
}');
call xero_ops.comment_columns('xero_ops.endpoint_days', '{
    "tenant_id": "The organisation.",
    "on_date": "The day (UTC).",
    "endpoint": "The list or report.",
    "calls": "Calls that were made.",
    "bytes": "Bytes of answers.",
    "seconds": "Seconds of extraction.",
    "day_calls_left": "The fewest calls of the day''s limit that were left."
}');
call xero_ops.comment_columns('xero_ops.builds', '{
    "build_id": "The build.",
    "started_at": "When it began.",
    "finished_at": "When it ended; null while it runs.",
    "project_checksum": "Digest of the project''s files: a build of another project makes everything anew.",
    "is_whole": "Whether everything was made anew.",
    "runs": "How many extractions it published.",
    "state": "running, good or failed.",
    "failure": "Why it failed."
}');
call xero_ops.comment_columns('xero_ops.build_results', '{
    "build_id": "The build.",
    "kind": "model, seed or test.",
    "name": "Its name.",
    "status": "dbt''s word for how it went.",
    "seconds": "Seconds it took.",
    "rows_written": "Rows it wrote, where dbt tells.",
    "failures": "Rows that a test found.",
    "tests_passed": "Tests of the model that passed.",
    "tests_failed": "Tests of the model that failed.",
    "message": "What went wrong."
}');
call xero_ops.comment_columns('xero_ops.reader_tenants', '{
    "reader_name": "A role of the database: a login, or a group of logins such as bi_reader.",
    "tenant_id": "The organisation it may read.",
    "granted_by": "The role that wrote the row.",
    "granted_at": "When it was written."
}');
call xero_ops.comment_columns('xero_ops.readable_tenants', '{
    "tenant_id": "An organisation that whoever asks may read."
}');

create procedure xero_ops.comment_raw_table(table_name text)
language plpgsql
as $$
begin
    execute format(
        'comment on table xero_raw.%I is %L', table_name,
        'Versions of Xero ' || table_name || ': a row was current from known_from until known_to.');
    call xero_ops.comment_columns(format('xero_raw.%I', table_name), '{
        "tenant_id": "The organisation.",
        "record_id": "Xero''s id of the record, or the code or speaking key of one that has none.",
        "known_from": "From which extraction on this version was current: that extraction''s known_at.",
        "known_to": "Until which; null while it is current.",
        "xero_updated_at": "When Xero says that the record was changed.",
        "is_deleted": "True for a version that says that Xero no longer has the record.",
        "payload": "The record as Xero sent it.",
        "run_id": "The extraction that stored the version."
    }');
end
$$;
comment on procedure xero_ops.comment_raw_table is 'Describes a raw table and its columns.';

create or replace procedure xero_ops.create_raw_table(table_name text)
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
            run_id bigint not null,
            primary key (tenant_id, record_id, known_from)
        )', table_name);
    call xero_ops.shape_raw_table(table_name);
    call xero_ops.comment_raw_table(table_name);
end
$$;

do $$
declare
    table_name text;
begin
    for table_name in select tablename from pg_tables where schemaname = 'xero_raw'
    loop
        call xero_ops.comment_raw_table(table_name);
    end loop;
end
$$;
