{#- History: the night's figures of each closed day, written once by the first build that knows the
    day and not touched afterwards, by a full refresh least of all. A build after several late
    nights writes several days with one known_at. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
) }}

with

statistics as not materialized (
    select * from {{ ref('rpt_daily_statistics') }}
),

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
    where
        state = 'complete'
        and closes_day
),

kept as (
    select
        tenant_id,
        max(day) as last_day
    from (
        {{ rows_before_this_build({'tenant_id': 'uuid', 'day': 'date'}) }}
    ) as kept_days
    group by tenant_id
),

-- Before the first extraction nobody knew anything; a later one for an older day changes nothing.
first_runs as (
    select
        tenant_id,
        (array_agg(day order by known_at, day))[1] as day
    from runs
    group by tenant_id
),

final as (
    select new_days.*
    from first_runs
    left join kept on first_runs.tenant_id = kept.tenant_id
    -- Through the index: joined, all days of all organisations would be read every night.
    cross join lateral (
        select statistics.*
        from statistics
        where
            first_runs.tenant_id = statistics.tenant_id
            and greatest(first_runs.day, kept.last_day + 1) <= statistics.day
        offset 0 -- noqa: AM09
    ) as new_days
)

select * from final
