-- In every currency and in base currency; overdue is the sum of the four overdue buckets. Looked at
-- on the days that this build made again.
with

days as (
    select * from {{ ref('int_days_moved') }}
),

by_currency as (
    select shown.*
    from days
    inner join {{ ref('rpt_daily_statistics_by_currency') }} as shown
        on
            days.tenant_id = shown.tenant_id
            and days.first_day <= shown.day
),

compared as (
    {%- for ledger in ['receivables', 'payables'] %}
    {%- for unit in ['amount', 'base_amount'] %}
    select
        tenant_id,
        day,
        currency_code,
        '{{ ledger }}_{{ unit }}' as measure,
        {{ ledger }}_outstanding_{{ unit }} as outstanding,
        {{ ledger }}_overdue_{{ unit }} as overdue,
        {{ ledger }}_not_due_{{ unit }} as not_due,
        (
            {{ ledger }}_overdue_1_30_{{ unit }}
            + {{ ledger }}_overdue_31_60_{{ unit }}
            + {{ ledger }}_overdue_61_90_{{ unit }}
            + {{ ledger }}_overdue_91_plus_{{ unit }}
        ) as past_due
    from by_currency
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select * from compared
    where
        overdue <> past_due
        or outstanding <> not_due + past_due
)

select * from final
