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

-- What of a document's days are measured, counted from the document: most have none but one.
measured as (
    select
        documents.tenant_id,
        documents.ledger,
        coalesce(documents.contact_id, '') as contact_id,
        days.day,
        documents.outstanding_base_amount
    from days_moved
    inner join documents
        on
            days_moved.tenant_id = documents.tenant_id
            and days_moved.first_day < documents.next_day
            and days_moved.last_day >= documents.day
    cross join lateral (
        select (months.month + interval '1 month - 1 day')::date as day
        from
            generate_series(
                date_trunc('month', greatest(documents.day, days_moved.first_day)::timestamp),
                least(documents.next_day - 1, days_moved.last_day)::timestamp,
                interval '1 month'
            ) as months (month)
        where
            (months.month + interval '1 month - 1 day')::date
            between greatest(documents.day, days_moved.first_day)
            and least(documents.next_day - 1, days_moved.last_day - 1)
        union all
        select days_moved.last_day as day
        where days_moved.last_day < documents.next_day
    ) as days
),

contacts as (
    select
        tenant_id,
        ledger,
        day,
        contact_id,
        sum(outstanding_base_amount) as outstanding_base_amount
    from measured
    group by tenant_id, ledger, day, contact_id
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
