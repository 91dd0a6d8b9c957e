{{ config(materialized='view') }}

with

days as (
    select * from {{ ref('dim_dates') }}
),

lines as (
    select * from {{ ref('dim_statement_lines') }}
    where line_role is distinct from 'current_year_earnings'
),

balances as not materialized (
    select * from {{ ref('fct_account_balances') }}
),

on_day as (
    select
        days.tenant_id,
        days.day,
        days.month_start_date,
        days.financial_year_start_date,
        days.is_month_end and days.is_known as is_month_end,
        lines.account_id,
        lines.account_code,
        lines.account_name,
        lines.account_type,
        lines.account_class,
        lines.line_role,
        lines.is_profit_and_loss,
        lines.section,
        lines.section_number,
        bases.basis
    from days
    inner join lines on days.tenant_id = lines.tenant_id
    cross join (values ('accrual'), ('cash')) as bases (basis)
),

found as (
    select
        on_day.*,
        {%- for part in statement_parts() %}
        coalesce(now.{{ part }}_closing_amount, 0) as {{ part }}_closing_amount,
        coalesce(now.{{ part }}_closing_amount, 0)
        - coalesce(last_month.{{ part }}_closing_amount, 0) as {{ part }}_month_amount,
        case
            when on_day.is_profit_and_loss then coalesce(last_year.{{ part }}_closing_amount, 0)
            else 0
        end as {{ part }}_closed_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from on_day
    left join {{ balance_at('on_day', 'on_day.day') }} as now on true
    left join {{ balance_at('on_day', 'on_day.month_start_date - 1') }} as last_month on true
    left join {{ balance_at('on_day', 'on_day.financial_year_start_date - 1') }} as last_year
        on true
),

-- There is no closing journal: what income and costs were in closed years stands, relative to the
-- day of the report, on retained earnings, with what is posted there.
closed as (
    select
        found.*,
        {%- for part in statement_parts() %}
        found.{{ part }}_closing_amount - found.{{ part }}_closed_amount
        + case
            when found.line_role = 'retained_earnings'
                then sum(found.{{ part }}_closed_amount) over whole_ledger
            else 0
        end as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from found
    window whole_ledger as (
        partition by found.tenant_id, found.basis, found.day, found.is_month_end
    )
),

summed as (
    select
        *,
        documents_month_amount + revaluation_month_amount + unexplained_month_amount
            as month_amount,
        documents_amount + revaluation_amount + unexplained_amount as amount
    from closed
),

final as (
    select
        tenant_id,
        basis,
        day,
        account_id,
        account_code,
        account_name,
        account_type,
        account_class,
        section,
        section_number,
        month_start_date,
        financial_year_start_date,
        is_month_end,
        greatest(month_amount, 0) as debit_amount,
        greatest(-month_amount, 0) as credit_amount,
        greatest(amount, 0) as ytd_debit_amount,
        greatest(-amount, 0) as ytd_credit_amount,
        documents_month_amount,
        revaluation_month_amount,
        unexplained_month_amount,
        month_amount,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        amount
    from summed
    where
        {%- for part in statement_parts() %}
        {{ 'or ' if not loop.first }}{{ part }}_amount <> 0
        or {{ part }}_month_amount <> 0
        {%- endfor %}
)

select * from final
