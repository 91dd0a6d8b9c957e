{#- Read from the versions themselves: of months that Xero is asked for no more, the last version
    that was asked for them tells. -#}
with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
),

versions as (
    select * from {{ source('xero_raw', 'budgets') }}
    where not is_deleted
),

final as (
    select
        versions.tenant_id,
        versions.record_id as budget_id,
        versions.known_from,
        -- The months that airflow_xero/reader.py asks for around its day: two years.
        (date_trunc('month', runs.day::timestamp) - interval '12 months')::date
            as asked_first_month_date,
        (date_trunc('month', runs.day::timestamp) + interval '11 months')::date
            as asked_last_month_date,
        {{ xero_list('BudgetLines', 'versions.payload') }} as budget_lines
    from tenants
    inner join versions
        on
            tenants.tenant_id = versions.tenant_id
            and tenants.known_at >= versions.known_from
    left join runs
        on
            versions.tenant_id = runs.tenant_id
            and versions.run_id = runs.run_id
)

select * from final
