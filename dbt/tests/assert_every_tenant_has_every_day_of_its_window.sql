-- No day is missing, none is double, and the last one is the tenant's last complete day.
with

windows as (
    select * from {{ ref('int_windows_spanned') }}
),

statistics as (
    select * from {{ ref('rpt_daily_statistics') }}
),

counted as (
    select
        tenant_id,
        count(*) as day_count,
        min(day) as first_day,
        max(day) as last_day
    from statistics
    group by tenant_id
),

final as (
    select
        windows.tenant_id,
        windows.first_day,
        windows.last_day,
        counted.day_count
    from windows
    left join counted on windows.tenant_id = counted.tenant_id
    where
        counted.tenant_id is null
        or counted.first_day <> windows.first_day
        or counted.last_day <> windows.last_day
        or counted.day_count <> windows.last_day - windows.first_day + 1
)

select * from final
