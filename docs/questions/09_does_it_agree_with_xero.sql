-- Do these figures agree with Xero?
-- The newest comparison of each report, what is broken first: how many of its lines tie, how many
-- differ for a reason that has a name (rpt_tie_out says which), and how many for none. A report that
-- Xero did not give mends nothing, and has a row without lines where it was never compared.

with

newest as (
    select
        *,
        row_number() over (
            partition by tenant_id, report, basis
            order by difference_amount is null, report_date desc, known_at desc
        ) as place
    from xero_marts.rpt_tie_out_summary
)

select
    tenants.tenant_name,
    newest.report,
    newest.basis,
    newest.report_date,
    newest.lines,
    newest.tied_lines,
    newest.explained_lines,
    newest.broken_lines,
    newest.difference_amount,
    newest.explained_ratio
from newest
inner join xero_marts.dim_tenants as tenants on newest.tenant_id = tenants.tenant_id
where newest.place = 1
order by newest.broken_amount desc nulls last, tenants.tenant_name, newest.report, newest.basis;
