-- How much money is in the bank?
-- One row per bank account with money in it, or owing some, at the close of the organisation's last
-- day, in base currency: Xero's balance, and how much of it documents do not tell.

select
    tenants.tenant_name,
    tenants.complete_day as day,
    banks.account_name,
    tenants.base_currency_code as currency,
    banks.amount as balance,
    banks.revaluation_amount as of_it_revaluation,
    banks.unexplained_amount as of_it_unexplained
from xero_marts.dim_tenants as tenants
cross join lateral (
    select sheet.*
    from xero_marts.rpt_balance_sheet as sheet
    where
        sheet.tenant_id = tenants.tenant_id
        and sheet.day = tenants.complete_day
        and sheet.basis = 'accrual'
        and sheet.section = 'bank'
    order by sheet.account_id
) as banks
order by tenants.tenant_name, balance desc;
