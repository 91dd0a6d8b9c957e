{{ config(
    materialized='incremental',
    pre_hook="{{ forget_calendars() }}",
) }}

with

years as (
    select * from {{ ref('int_financial_years_spanned') }}
),

days as (
    select
        years.*,
        day::date as day
    from years
    cross join lateral generate_series(
        greatest(years.financial_year_start_date, years.known_day + 1)::timestamp,
        least(
            years.financial_year_end_date,
            case when years.known_day is not null then years.complete_day end
        )::timestamp,
        interval '1 day'
    ) as day
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
