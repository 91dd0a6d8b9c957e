-- Which region, department or project earns most?
-- The profit of the financial year so far by the options of the first tracking category; what has
-- no option is a row of its own, so that all rows together are the whole profit.

select
    tenants.tenant_name,
    coalesce(parts.tracking_option_name, 'none') as part,
    sum(parts.amount) filter (where parts.section in ('income', 'other_income'))
        as income,
    sum(parts.profit_amount) as profit
from xero_marts.dim_tenants as tenants
cross join lateral (
    select tracked.*
    from xero_marts.rpt_profit_and_loss_by_tracking as tracked
    where
        tracked.tenant_id = tenants.tenant_id
        and tracked.day = tenants.complete_day
        and tracked.period = 'year_to_date'
        and tracked.basis = 'accrual'
        and tracked.category_number = 1
    order by tracked.account_id
) as parts
group by tenants.tenant_id, tenants.tenant_name, parts.tracking_option_id, part
order by tenants.tenant_name, profit desc;
