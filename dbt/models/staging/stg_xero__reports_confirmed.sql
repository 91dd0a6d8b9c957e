{#- Of a report of the day the same as `current_reports` of include/airflow_xero/already_read.py
    asks for: what a try does not read again is what this model lists. What it does not list of the
    past, `want_overtaken` of wanted.py has read again. -#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'report_id'], 'unique': true}],
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

readings as (
    select * from {{ source('xero_ops', 'report_readings') }}
),

-- By every try since the last build, however it ended: what it stored, the next one goes on from.
documents_read as (
    select
        tenants.tenant_id,
        max(endpoints.finished_at) as finished_at
    from tenants
    inner join runs
        on
            tenants.tenant_id = runs.tenant_id
            and tenants.known_at >= runs.known_at
            and (tenants.is_rebuilt or tenants.built_known_at < runs.known_at)
    inner join endpoints
        on
            runs.tenant_id = endpoints.tenant_id
            and runs.run_id = endpoints.run_id
    where
        endpoints.endpoint not in (
            {%- for endpoint, _ in tied_reports().values() %}
            '{{ endpoint }}',
            {%- endfor %}
            'budget_summaries',
            'organisations'
        )
    group by tenants.tenant_id
),

final as (
    select
        readings.tenant_id,
        readings.record_id as report_id
    from tenants
    inner join readings
        on
            tenants.tenant_id = readings.tenant_id
            and tenants.known_at >= readings.known_at
            and (tenants.is_rebuilt or tenants.built_known_at < readings.known_at)
    left join documents_read on readings.tenant_id = documents_read.tenant_id
    where
        documents_read.finished_at is null
        or readings.read_at >= documents_read.finished_at
    group by readings.tenant_id, readings.record_id
)

select * from final
