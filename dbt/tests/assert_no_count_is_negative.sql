-- A level that is closed before it opened would show here first; looked at on the days that this
-- build made again.
with

days as (
    select * from {{ ref('int_days_moved') }}
),

statistics as (
    select shown.*
    from days
    inner join {{ ref('rpt_daily_statistics_by_currency') }} as shown
        on
            days.tenant_id = shown.tenant_id
            and days.first_day <= shown.day
),

final as (
    select
        tenant_id,
        day,
        currency_code
    from statistics
    where least(
        receivables_outstanding_count, receivables_overdue_count, payables_outstanding_count,
        payables_overdue_count, conversion_error_count
    ) < 0
)

select * from final
