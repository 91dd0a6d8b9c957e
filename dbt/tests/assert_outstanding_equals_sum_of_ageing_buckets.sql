-- What each bucket holds is what the open documents' own due dates put there, in every currency and
-- in base currency; so is their sum. The running sums of a night are looked at where they begin and
-- where they end, on the first and the last day that this build made again.
with

moved as (
    select * from {{ ref('int_days_moved') }}
),

by_currency as (
    select * from {{ ref('rpt_daily_statistics_by_currency') }}
),

documents as (
    select * from {{ ref('fct_outstanding_documents') }}
    where document_kind = 'invoice'
),

days as (
    select
        tenant_id,
        first_day as day
    from moved
    union
    select
        tenant_id,
        last_day as day
    from moved
),

shown as (
    select
        by_currency.tenant_id,
        by_currency.day,
        by_currency.currency_code,
        buckets.ledger,
        buckets.bucket,
        buckets.amount,
        buckets.base_amount
    from days
    inner join by_currency
        on
            days.tenant_id = by_currency.tenant_id
            and days.day = by_currency.day
    cross join lateral (
        values
        {%- for ledger in ledgers() %}
        {%- set outer_loop = loop %}
        {%- for bucket in ageing_buckets() + ['outstanding'] %}
        (
            '{{ ledger }}', '{{ bucket }}',
            by_currency.{{ ledger }}_{{ bucket }}_amount,
            by_currency.{{ ledger }}_{{ bucket }}_base_amount
        ){{ ',' if not (loop.last and outer_loop.last) }}
        {%- endfor %}
        {%- endfor %}
    ) as buckets (ledger, bucket, amount, base_amount)
),

open_documents as (
    select
        days.tenant_id,
        days.day,
        documents.currency_code,
        documents.ledger,
        -- Without a due date nothing is ever overdue.
        case
            when coalesce(documents.due_date, days.day) >= days.day then 'not_due'
            when days.day - documents.due_date <= 30 then 'overdue_1_30'
            when days.day - documents.due_date <= 60 then 'overdue_31_60'
            when days.day - documents.due_date <= 90 then 'overdue_61_90'
            else 'overdue_91_plus'
        end as bucket,
        documents.outstanding_amount,
        documents.outstanding_base_amount
    from days
    inner join documents
        on
            days.tenant_id = documents.tenant_id
            and days.day >= documents.day
            and days.day < documents.next_day
),

united as (
    select
        tenant_id,
        day,
        currency_code,
        ledger,
        bucket,
        amount,
        base_amount
    from shown
    union all
    {%- for bucket in ['bucket', "'outstanding'"] %}
    select
        tenant_id,
        day,
        currency_code,
        ledger,
        {{ bucket }} as bucket,
        -outstanding_amount as amount,
        -coalesce(outstanding_base_amount, 0) as base_amount
    from open_documents
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        tenant_id,
        day,
        currency_code,
        ledger,
        bucket,
        sum(amount) as amount,
        sum(base_amount) as base_amount
    from united
    group by tenant_id, day, currency_code, ledger, bucket
    having
        sum(amount) <> 0
        or sum(base_amount) <> 0
)

select * from final
