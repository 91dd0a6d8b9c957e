-- The running sums, carried on from night to night, end where adding up the open documents ends;
-- only those are read. Should it ever fail, dbt build --full-refresh sums anew.
with

outstanding as (
    select * from {{ ref('fct_outstanding_documents') }}
    where document_kind = 'invoice'
),

statistics as (
    select * from {{ ref('rpt_daily_statistics') }}
),

tenants as (
    select * from {{ ref('dim_tenants') }}
),

open_documents as (
    select
        outstanding.tenant_id,
        coalesce(
            sum(outstanding.outstanding_base_amount)
            filter (where outstanding.ledger = 'receivables'), 0
        ) as receivables,
        coalesce(
            sum(outstanding.outstanding_base_amount)
            filter (where outstanding.ledger = 'payables'), 0
        ) as payables
    from tenants
    inner join outstanding
        on
            tenants.tenant_id = outstanding.tenant_id
            and tenants.complete_day >= outstanding.day
            and tenants.complete_day < outstanding.next_day
    group by outstanding.tenant_id
),

final as (
    select
        statistics.tenant_id,
        statistics.day,
        statistics.receivables_outstanding_base_amount,
        open_documents.receivables,
        statistics.payables_outstanding_base_amount,
        open_documents.payables
    from statistics
    inner join tenants
        on
            statistics.tenant_id = tenants.tenant_id
            and statistics.day = tenants.complete_day
    left join open_documents on statistics.tenant_id = open_documents.tenant_id
    where
        statistics.receivables_outstanding_base_amount <> coalesce(open_documents.receivables, 0)
        or statistics.payables_outstanding_base_amount <> coalesce(open_documents.payables, 0)
)

select * from final
