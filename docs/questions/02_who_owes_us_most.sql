-- Who owes us most, and how old is it?
-- The ten customers of each organisation with most outstanding at the close of its last day.

select
    tenants.tenant_name,
    largest.contact_name,
    largest.outstanding_amount as owed,
    largest.outstanding_amount - largest.not_due_amount as overdue,
    largest.overdue_91_plus_amount as overdue_longer_than_90_days,
    largest.unapplied_credit_amount as credit_with_us
from xero_marts.dim_tenants as tenants
-- One organisation and one day at a time: an aged report answers those through an index.
cross join lateral (
    select aged.*
    from xero_marts.rpt_aged_receivables as aged
    where
        aged.tenant_id = tenants.tenant_id
        and aged.day = tenants.complete_day
        and aged.outstanding_amount > 0
    order by aged.outstanding_amount desc, aged.contact_id
    limit 10
) as largest
order by tenants.tenant_name, owed desc, largest.contact_name;
