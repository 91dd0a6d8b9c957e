-- Did we make money, month by month, and is that more than a year before?
-- The last twelve months that are over, newest first; income and costs positive, accrual basis.

with

months as (
    select
        tenant_id,
        month_end_date,
        sum(amount) filter (where section = 'income') as income,
        sum(amount) filter (where section = 'direct_costs') as direct_costs,
        sum(profit_amount) filter (where section in ('income', 'direct_costs')) as gross_profit,
        sum(amount) filter (where section = 'operating_expenses') as operating_expenses,
        sum(profit_amount) as net_profit
    from xero_marts.rpt_profit_and_loss_monthly
    where basis = 'accrual'
    group by tenant_id, month_end_date
)

select
    tenants.tenant_name,
    months.month_end_date,
    months.income,
    months.direct_costs,
    months.gross_profit,
    months.operating_expenses,
    months.net_profit,
    months.net_profit - a_year_before.net_profit as more_than_a_year_before
from months
inner join xero_marts.dim_tenants as tenants on months.tenant_id = tenants.tenant_id
left join months as a_year_before
    on
        months.tenant_id = a_year_before.tenant_id
        and date_trunc('month', months.month_end_date)
        = date_trunc('month', a_year_before.month_end_date) + interval '1 year'
where
    months.month_end_date >= date_trunc('month', tenants.complete_day + 1) - interval '12 months'
order by tenants.tenant_name, months.month_end_date desc;
