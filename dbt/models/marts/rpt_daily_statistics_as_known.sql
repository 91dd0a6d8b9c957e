{#- History: the night's figures of each closed day, written once by the first build that knows the
    day and not touched afterwards, by a full refresh least of all. A build after several late
    nights writes several days with one known_at. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
) }}

with

statistics as (
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
    select statistics.*
    from statistics
    inner join first_runs
        on
            statistics.tenant_id = first_runs.tenant_id
            and statistics.day >= first_runs.day
    left join kept on statistics.tenant_id = kept.tenant_id
    where
        kept.tenant_id is null
        or statistics.day > kept.last_day
)

select * from final
