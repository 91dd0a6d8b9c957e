{{ config(
    materialized='incremental',
    incremental_strategy='renew_changed',
    unique_key=['tenant_id', 'day'],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

documents as (
    select * from {{ ref('int_documents_converted') }}
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
),

first_days as (
    select
        tenant_id,
        min(document_date) as first_day
    from (
        select
            tenant_id,
            document_date
        from documents
        union all
        select
            tenant_id,
            transaction_date as document_date
        from bank_transactions
    ) as dated
    group by tenant_id
),

spans as (
    select
        tenants.tenant_id,
        tenants.complete_day,
        coalesce(tenants.financial_year_end_month, 12) as end_month,
        coalesce(tenants.financial_year_end_day, 31) as end_day,
        extract(year from greatest(
            least(first_days.first_day, tenants.complete_day),
            tenants.complete_day - interval '20 years'
        ))::integer as first_year,
        extract(year from tenants.complete_day)::integer as last_year
    from tenants
    left join first_days on tenants.tenant_id = first_days.tenant_id
),

-- The last day of a month that is too short for the day, as on 29 February of most years.
year_ends as (
    select
        spans.tenant_id,
        spans.complete_day,
        year::integer as financial_year,
        least(
            make_date(year::integer, spans.end_month, 1) + spans.end_day - 1,
            (make_date(year::integer, spans.end_month, 1) + interval '1 month')::date - 1
        ) as financial_year_end_date
    from spans
    cross join lateral generate_series(spans.first_year - 1, spans.last_year + 2) as year
),

years as (
    select
        tenant_id,
        complete_day,
        financial_year,
        lag(financial_year_end_date) over (
            partition by tenant_id
            order by financial_year
        ) + 1 as financial_year_start_date,
        financial_year_end_date
    from year_ends
),

days as (
    select
        years.*,
        day::date as day
    from years
    cross join lateral generate_series(
        years.financial_year_start_date::timestamp,
        years.financial_year_end_date::timestamp,
        interval '1 day'
    ) as day
    where years.financial_year_start_date is not null
),

final as (
    select
        tenant_id,
        day,
        extract(year from day)::integer as year,
        extract(quarter from day)::integer as quarter,
        extract(month from day)::integer as month,
        date_trunc('month', day)::date as month_start_date,
        (date_trunc('month', day) + interval '1 month')::date - 1 as month_end_date,
        extract(week from day)::integer as iso_week,
        extract(isodow from day)::integer as weekday,
        financial_year,
        financial_year_start_date,
        financial_year_end_date,
        (
            extract(year from age(day, financial_year_start_date)) * 12
            + extract(month from age(day, financial_year_start_date)) + 1
        )::integer as financial_month,
        day = (date_trunc('month', day) + interval '1 month')::date - 1 as is_month_end,
        day = financial_year_end_date as is_financial_year_end,
        day <= complete_day as is_known
    from days
)

select * from final
