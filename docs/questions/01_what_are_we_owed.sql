-- What are we owed, how much of it is overdue, and for how long?
-- One row per organisation, at the close of its last day, in its base currency. `owed` less
-- `credit_with_us` and `paid_ahead`, which was paid before the invoice's own date, is what stands on
-- the receivables account, before Xero revalues it.

select
    tenants.tenant_name,
    statistics.day,
    statistics.base_currency_code as currency,
    statistics.receivables_outstanding_base_amount as owed,
    statistics.receivables_overdue_base_amount as overdue,
    statistics.receivables_overdue_1_30_base_amount as overdue_1_30_days,
    statistics.receivables_overdue_31_60_base_amount as overdue_31_60_days,
    statistics.receivables_overdue_61_90_base_amount as overdue_61_90_days,
    statistics.receivables_overdue_91_plus_base_amount as overdue_longer,
    statistics.receivables_unapplied_credit_base_amount as credit_with_us,
    statistics.receivables_paid_ahead_base_amount as paid_ahead
from xero_marts.dim_tenants as tenants
inner join xero_marts.rpt_daily_statistics as statistics
    on
        tenants.tenant_id = statistics.tenant_id
        and tenants.complete_day = statistics.day
order by owed desc;
