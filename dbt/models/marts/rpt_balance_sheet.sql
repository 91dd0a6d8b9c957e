{{ config(materialized='view') }}

with

days as (
    select * from {{ ref('dim_dates') }}
),

lines as (
    select * from {{ ref('dim_statement_lines') }}
),

balances as not materialized (
    select * from {{ ref('fct_account_balances') }}
),

on_day as (
    select
        days.tenant_id,
        days.day,
        days.financial_year_start_date,
        days.is_month_end and days.is_known as is_month_end,
        lines.account_id,
        lines.account_code,
        lines.account_name,
        lines.account_type,
        lines.line_role,
        lines.is_profit_and_loss,
        lines.section,
        lines.section_number,
        lines.presentation_sign,
        lines.total_sign,
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
        case
            when on_day.is_profit_and_loss then coalesce(last_year.{{ part }}_closing_amount, 0)
            else 0
        end as {{ part }}_closed_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from on_day
    left join {{ balance_at('on_day', 'on_day.day') }} as now on true
    left join {{ balance_at('on_day', 'on_day.financial_year_start_date - 1') }} as last_year
        on true
),

-- Income and costs of closed years stand on retained earnings, those of the open year are its
-- earnings; which year is open is a matter of the day of the report.
earned as (
    select
        found.*,
        {%- for part in statement_parts() %}
        found.presentation_sign * (
            found.{{ part }}_closing_amount
            + case found.line_role
                when 'retained_earnings' then sum(found.{{ part }}_closed_amount) over whole_ledger
                when 'current_year_earnings' then sum(
                    case
                        when found.is_profit_and_loss
                            then found.{{ part }}_closing_amount - found.{{ part }}_closed_amount
                    end
                ) over whole_ledger
                else 0
            end
        ) as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from found
    window whole_ledger as (
        partition by found.tenant_id, found.basis, found.day, found.is_month_end
    )
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
        section,
        section_number,
        financial_year_start_date,
        is_month_end,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        documents_amount + revaluation_amount + unexplained_amount as amount,
        total_sign * (documents_amount + revaluation_amount + unexplained_amount)
            as net_assets_amount
    from earned
    where
        not is_profit_and_loss
        and (
            {%- for part in statement_parts() %}
            {{ 'or ' if not loop.first }}{{ part }}_amount <> 0
            {%- endfor %}
        )
)

select * from final
