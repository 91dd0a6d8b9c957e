-- Where did we earn less, or spend more, than we had planned?
-- The last month that is over, account by account, against the budget of the whole organisation;
-- `worse_by` is positive where it went worse than planned. What nobody planned is planned as 0;
-- an organisation without a budget for the month has no rows.

with

last_months as (
    select
        tenant_id,
        max(day) as month_end_date
    from xero_marts.dim_dates
    where
        is_month_end
        and is_known
    group by tenant_id
),

-- The one that the daily statistics take, should there ever be two.
overall as (
    select
        tenant_id,
        min(budget_id) as budget_id
    from xero_marts.fct_budgets
    where budget_type = 'OVERALL'
    group by tenant_id
),

planned as (
    select
        budgets.tenant_id,
        budgets.account_id,
        budgets.base_amount as amount
    from xero_marts.fct_budgets as budgets
    inner join overall
        on
            budgets.tenant_id = overall.tenant_id
            and budgets.budget_id = overall.budget_id
    inner join last_months
        on
            budgets.tenant_id = last_months.tenant_id
            and budgets.month_start_date = date_trunc('month', last_months.month_end_date)
),

actual as (
    select
        last_months.tenant_id,
        lines.account_id,
        lines.amount
    from last_months
    cross join lateral (
        select *
        from xero_marts.rpt_profit_and_loss as profit_and_loss
        where
            profit_and_loss.tenant_id = last_months.tenant_id
            and profit_and_loss.day = last_months.month_end_date
            and profit_and_loss.period = 'month_to_date'
            and profit_and_loss.basis = 'accrual'
        order by profit_and_loss.account_id
    ) as lines
),

accounts as (
    select
        tenant_id,
        account_id
    from planned
    union
    select
        actual.tenant_id,
        actual.account_id
    from actual
    inner join planned on actual.tenant_id = planned.tenant_id
)

select
    tenants.tenant_name,
    last_months.month_end_date,
    lines.account_name,
    lines.section,
    coalesce(planned.amount, 0) as planned,
    coalesce(actual.amount, 0) as actual,
    lines.total_sign * (coalesce(planned.amount, 0) - coalesce(actual.amount, 0)) as worse_by
from accounts
inner join last_months on accounts.tenant_id = last_months.tenant_id
inner join xero_marts.dim_tenants as tenants on accounts.tenant_id = tenants.tenant_id
inner join xero_marts.dim_statement_lines as lines
    on
        accounts.tenant_id = lines.tenant_id
        and accounts.account_id = lines.account_id
left join planned
    on
        accounts.tenant_id = planned.tenant_id
        and accounts.account_id = planned.account_id
left join actual
    on
        accounts.tenant_id = actual.tenant_id
        and accounts.account_id = actual.account_id
order by tenants.tenant_name, worse_by desc, lines.account_name;
