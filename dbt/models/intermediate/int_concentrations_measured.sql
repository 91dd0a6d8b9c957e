{#- Month ends and the last day alone: each is a look at everybody's open documents. Every day that
    was once a last day stays in rpt_daily_statistics_as_known. -#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'ledger', 'day'], 'unique': true}],
) }}

with

days_moved as (
    select * from {{ ref('int_days_moved') }}
),

documents as (
    select * from {{ ref('fct_outstanding_documents') }}
    where document_kind = 'invoice'
),

measured_days as (
    select
        days_moved.tenant_id,
        (months.month + interval '1 month - 1 day')::date as day
    from days_moved
    cross join lateral generate_series(
        date_trunc('month', days_moved.first_day::timestamp),
        days_moved.last_day::timestamp,
        interval '1 month'
    ) as months (month)
    where
        (months.month + interval '1 month - 1 day')::date
        between days_moved.first_day and days_moved.last_day - 1
    union all
    select
        tenant_id,
        last_day as day
    from days_moved
),

contacts as (
    select
        documents.tenant_id,
        documents.ledger,
        measured_days.day,
        coalesce(documents.contact_id, '') as contact_id,
        sum(documents.outstanding_base_amount) as outstanding_base_amount
    from measured_days
    inner join documents
        on
            measured_days.tenant_id = documents.tenant_id
            and measured_days.day >= documents.day
            and measured_days.day < documents.next_day
    group by
        documents.tenant_id,
        documents.ledger,
        measured_days.day,
        coalesce(documents.contact_id, '')
),

ranked as (
    select
        *,
        row_number() over (
            partition by tenant_id, ledger, day
            order by outstanding_base_amount desc, contact_id asc
        ) as contact_rank
    from contacts
    where outstanding_base_amount > 0
),

final as (
    select
        tenant_id,
        ledger,
        day,
        {%- for top in concentration_tops() %}
        round(
            sum(outstanding_base_amount) filter (where contact_rank <= {{ top }})
            / sum(outstanding_base_amount), 6
        ) as top_{{ top }}_share,
        {%- endfor %}
        round(
            sum(outstanding_base_amount * outstanding_base_amount)
            / (sum(outstanding_base_amount) * sum(outstanding_base_amount)), 6
        ) as herfindahl_ratio
    from ranked
    group by tenant_id, ledger, day
)

select * from final
