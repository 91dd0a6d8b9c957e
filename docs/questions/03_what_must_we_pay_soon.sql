-- Which bills must we pay within the next 30 days, and which are late already?
-- One row per bill that is not paid in full, by the day we plan to pay it or else it is due.

select
    tenants.tenant_name,
    coalesce(bills.planned_payment_date, bills.due_date) as pay_on,
    greatest(tenants.complete_day - bills.due_date, 0) as days_late,
    bills.contact_name,
    bills.invoice_number,
    bills.currency_code as currency,
    bills.due_amount as to_pay,
    bills.due_base_amount as to_pay_in_base_currency
from xero_marts.fct_invoices as bills
inner join xero_marts.dim_tenants as tenants on bills.tenant_id = tenants.tenant_id
where
    bills.ledger = 'payables'
    and bills.is_approved
    and bills.due_amount > 0
    and coalesce(bills.planned_payment_date, bills.due_date) <= tenants.complete_day + 30
order by tenants.tenant_name, pay_on, to_pay_in_base_currency desc;
