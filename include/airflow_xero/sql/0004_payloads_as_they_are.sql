-- Payloads are compared themselves, so that their hash goes; and those of up to half a block are
-- not compressed: Postgres would decompress them anew for every field that is read of them.

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
    execute format(
        'comment on table xero_raw.%I is %L', table_name,
        'Versions of Xero ' || table_name || ': a row was current from known_from until known_to.');
    call xero_ops.shape_raw_table(table_name);
end
$$;

create procedure xero_ops.shape_raw_table(table_name text)
language plpgsql
as $$
begin
    execute format('alter table xero_raw.%I set (toast_tuple_target = 4080)', table_name);
    -- With is_deleted, the records of a tenant are counted without a look at their rows.
    execute format('drop index if exists xero_raw.%I', table_name || '_current');
    execute format(
        'create unique index %I on xero_raw.%I (tenant_id, record_id) include (is_deleted)'
        ' where known_to is null', table_name || '_current', table_name);
    -- A build asks for the versions that opened after a moment: a summary per 32 pages answers that
    -- from a few of them, and costs the loader next to nothing.
    execute format(
        'create index if not exists %I on xero_raw.%I using brin (known_from)'
        ' with (pages_per_range = 32)', table_name || '_known_from', table_name);
end
$$;

do $$
declare
    table_name text;
begin
    for table_name in select tablename from pg_tables where schemaname = 'xero_raw'
    loop
        execute format('alter table xero_raw.%I drop column payload_hash', table_name);
        call xero_ops.shape_raw_table(table_name);
    end loop;
end
$$;
