{{ config(materialized='view') }}

with

days as (
    select * from {{ ref('dim_dates') }}
),

lines as (
    select * from {{ ref('dim_statement_lines') }}
    where is_profit_and_loss
),

balances as not materialized (
    select * from {{ ref('fct_account_balances') }}
),

on_day as (
    select
        days.tenant_id,
        days.day,
        days.is_month_end and days.is_known as is_month_end,
        lines.account_id,
        lines.account_code,
        lines.account_name,
        lines.account_type,
        lines.section,
        lines.section_number,
        lines.presentation_sign,
        lines.total_sign,
        bases.basis,
        periods.period,
        periods.first_day
    from days
    inner join lines on days.tenant_id = lines.tenant_id
    cross join (values ('accrual'), ('cash')) as bases (basis)
    cross join lateral (
        values
        ('day', days.day),
        ('month_to_date', days.month_start_date),
        ('year_to_date', days.financial_year_start_date)
    ) as periods (period, first_day)
),

found as (
    select
        on_day.*,
        {%- for part in statement_parts() %}
        on_day.presentation_sign * (
            coalesce(now.{{ part }}_closing_amount, 0)
            - coalesce(before.{{ part }}_closing_amount, 0)
        ) as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from on_day
    left join {{ balance_at('on_day', 'on_day.day') }} as now on true
    left join {{ balance_at('on_day', 'on_day.first_day - 1') }} as before on true
),

final as (
    select
        tenant_id,
        basis,
        day,
        period,
        account_id,
        account_code,
        account_name,
        account_type,
        section,
        section_number,
        first_day,
        is_month_end,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        documents_amount + revaluation_amount + unexplained_amount as amount,
        total_sign * (documents_amount + revaluation_amount + unexplained_amount) as profit_amount
    from found
    where
        {%- for part in statement_parts() %}
        {{ 'or ' if not loop.first }}{{ part }}_amount <> 0
        {%- endfor %}
)

select * from final
