with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
    where state = 'complete'
),

endpoints as (
    select * from {{ source('xero_ops', 'extract_endpoints') }}
),

endpoint_days as (
    select * from {{ source('xero_ops', 'endpoint_days') }}
),

complete as (
    select
        runs.tenant_id,
        runs.run_id,
        runs.day,
        case when runs.closes_day then runs.known_at end as closed_at
    from runs
    inner join tenants
        on
            runs.tenant_id = tenants.tenant_id
            and runs.known_at <= tenants.known_at
),

united as (
    select
        tenant_id,
        day,
        closed_at,
        0 as records_new,
        0 as records_changed,
        0 as records_unchanged,
        0 as records_deleted,
        0 as calls,
        null::integer as day_calls_left,
        0 as bytes
    from complete
    union all
    select
        complete.tenant_id,
        complete.day,
        null::timestamptz as closed_at,
        endpoints.records_new,
        endpoints.records_changed,
        greatest(endpoints.records_read - endpoints.records_new - endpoints.records_changed, 0)
            as records_unchanged,
        endpoints.records_deleted,
        0 as calls,
        null::integer as day_calls_left,
        0 as bytes
    from complete
    inner join endpoints
        on
            complete.tenant_id = endpoints.tenant_id
            and complete.run_id = endpoints.run_id
    union all
    select
        endpoint_days.tenant_id,
        endpoint_days.on_date as day,
        null::timestamptz as closed_at,
        0 as records_new,
        0 as records_changed,
        0 as records_unchanged,
        0 as records_deleted,
        endpoint_days.calls,
        endpoint_days.day_calls_left,
        endpoint_days.bytes
    from endpoint_days
    inner join tenants on endpoint_days.tenant_id = tenants.tenant_id
),

final as (
    select
        tenant_id,
        day,
        min(closed_at) as closed_at,
        sum(records_new)::bigint as records_new_count,
        sum(records_changed)::bigint as records_changed_count,
        sum(records_unchanged)::bigint as records_unchanged_count,
        sum(records_deleted)::bigint as records_deleted_count,
        sum(calls)::bigint as api_calls_count,
        min(day_calls_left) as api_calls_left_count,
        sum(bytes)::bigint as egress_bytes_count
    from united
    group by tenant_id, day
)

select * from final
