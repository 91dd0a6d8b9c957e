with

budgets as (
    select * from {{ ref('stg_xero__budgets') }}
),

lines as (
    select
        budgets.tenant_id,
        budgets.budget_id,
        budgets.budget_type,
        budgets.description as budget_description,
        {{ xero_budget_line_columns('line.element', 'budgets.tracking') }}
    from budgets
    cross join lateral jsonb_array_elements(budgets.budget_lines) as line (element)
),

months as (
    select
        lines.*,
        {{ xero_budget_balance_columns('balance.element') }}
    from lines
    cross join lateral jsonb_array_elements(lines.balances) as balance (element)
),

final as (
    select
        tenant_id,
        budget_id,
        budget_type,
        budget_description,
        tracking_option_1_id,
        tracking_option_2_id,
        account_id,
        account_code,
        month_start_date,
        sum(base_amount) as base_amount
    from months
    where
        account_id is not null
        and month_start_date is not null
        and base_amount is not null
    group by
        tenant_id,
        budget_id,
        budget_type,
        budget_description,
        tracking_option_1_id,
        tracking_option_2_id,
        account_id,
        account_code,
        month_start_date
)

select * from final
