-- Where did the money come from, and where did it go?
-- The last month that is over, by the account on the other side of the bank; money out is negative,
-- and all of an organisation's lines together are what its bank balances moved by.

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
)

select
    tenants.tenant_name,
    last_months.month_end_date,
    flows.activity,
    flows.account_name,
    flows.amount
from last_months
inner join xero_marts.dim_tenants as tenants on last_months.tenant_id = tenants.tenant_id
cross join lateral (
    select *
    from xero_marts.rpt_cash_flow as cash_flow
    where
        cash_flow.tenant_id = last_months.tenant_id
        and cash_flow.day = last_months.month_end_date
        and cash_flow.period = 'month_to_date'
        and cash_flow.basis = 'accrual'
    order by cash_flow.account_id
) as flows
order by tenants.tenant_name, flows.amount desc;
