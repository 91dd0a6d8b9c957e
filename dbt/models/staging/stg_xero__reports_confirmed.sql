{#- The same as `current_reports` of include/airflow_xero/runs.py asks for: what a try does not read
    again is what this model lists. -#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'report', 'known_at'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
),

endpoints as (
    select * from {{ source('xero_ops', 'extract_endpoints') }}
    where finished_at is not null
),

-- Of every try since the last build, however it ended: what it stored, the next one goes on from.
readings as (
    select
        runs.tenant_id,
        runs.known_at,
        runs.day,
        endpoints.endpoint,
        endpoints.finished_at
    from tenants
    inner join runs
        on
            tenants.tenant_id = runs.tenant_id
            and tenants.known_at >= runs.known_at
            and (tenants.built_known_at is null or tenants.built_known_at < runs.known_at)
    inner join endpoints
        on
            runs.tenant_id = endpoints.tenant_id
            and runs.run_id = endpoints.run_id
),

reports as (
    select *
    from (
        values
        {%- for report, (endpoint, _) in tied_reports().items() %}
        ('{{ report }}', '{{ endpoint }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as tied (report, endpoint)
),

documents_read as (
    select
        readings.tenant_id,
        max(readings.finished_at) as finished_at
    from readings
    left join reports on readings.endpoint = reports.endpoint
    where
        reports.endpoint is null
        and readings.endpoint not in ('organisations', 'budget_summaries')
    group by readings.tenant_id
),

final as (
    select
        readings.tenant_id,
        reports.report,
        readings.day as report_date,
        readings.known_at
    from readings
    inner join reports on readings.endpoint = reports.endpoint
    left join documents_read on readings.tenant_id = documents_read.tenant_id
    where
        documents_read.finished_at is null
        or readings.finished_at >= documents_read.finished_at
)

select * from final
