-- How much sales tax do we owe?
-- What stands on the tax accounts at the close of the organisation's last day, and stood a month, a
-- quarter and a year before; positive is owed to the tax office, negative comes back from it.

select
    tenants.tenant_name,
    moments.day,
    lines.account_name,
    tenants.base_currency_code as currency,
    -balances.closing_amount as owed
from xero_marts.dim_tenants as tenants
cross join lateral (
    values
    (tenants.complete_day),
    ((tenants.complete_day - interval '1 month')::date),
    ((tenants.complete_day - interval '3 months')::date),
    ((tenants.complete_day - interval '1 year')::date)
) as moments (day)
inner join xero_marts.dim_statement_lines as lines
    on
        tenants.tenant_id = lines.tenant_id
        and lines.system_account = 'GST'
-- What stands on an account at the end of a day is the row that began then or before, and ends
-- later.
inner join xero_marts.fct_account_balances as balances
    on
        lines.tenant_id = balances.tenant_id
        and lines.account_id = balances.account_id
        and balances.basis = 'accrual'
        and moments.day >= balances.day
        and moments.day < balances.next_day
order by tenants.tenant_name, moments.day desc, lines.account_name;
