-- A level that is closed before it opened would show here first.
with

statistics as (
    select * from {{ ref('rpt_daily_statistics_by_currency') }}
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
