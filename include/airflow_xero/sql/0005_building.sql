-- What a build leaves behind: how it went.

create table xero_ops.builds (
    build_id bigint generated always as identity primary key,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    project_checksum text not null,
    is_whole boolean not null,
    runs integer not null,
    state text not null default 'running' check (state in ('running', 'good', 'failed')),
    failure text
);
comment on table xero_ops.builds is 'One dbt build: whole when everything was made anew, else only what had moved; the last hundred.';

create table xero_ops.build_results (
    build_id bigint not null references xero_ops.builds on delete cascade,
    kind text not null,
    name text not null,
    status text not null,
    seconds numeric(12, 3) not null,
    rows_written bigint,
    failures integer,
    tests_passed integer not null default 0,
    tests_failed integer not null default 0,
    message text,
    primary key (build_id, kind, name)
);
comment on table xero_ops.build_results is 'What a build did, a row per model, seed and test: seconds, rows, and what went wrong.';
