-- The running sums end where adding up the open documents themselves ends.
with

documents as (
    select * from {{ ref('int_documents_converted') }}
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
),

statistics as (
    select * from {{ ref('rpt_daily_statistics') }}
),

tenants as (
    select * from {{ ref('dim_tenants') }}
),

settled as (
    select
        settlements.tenant_id,
        settlements.document_id,
        sum(settlements.base_amount) as base_amount
    from settlements
    inner join tenants
        on
            settlements.tenant_id = tenants.tenant_id
            and settlements.settled_date <= tenants.complete_day
    group by settlements.tenant_id, settlements.document_id
),

open_documents as (
    select
        documents.tenant_id,
        coalesce(
            sum(documents.total_base_amount - coalesce(settled.base_amount, 0))
            filter (where documents.ledger = 'receivables'), 0
        ) as receivables,
        coalesce(
            sum(documents.total_base_amount - coalesce(settled.base_amount, 0))
            filter (where documents.ledger = 'payables'), 0
        ) as payables
    from documents
    inner join tenants
        on
            documents.tenant_id = tenants.tenant_id
            and documents.document_date <= tenants.complete_day
    left join settled
        on
            documents.tenant_id = settled.tenant_id
            and documents.document_id = settled.document_id
    where
        documents.is_counted
        and documents.document_kind = 'invoice'
    group by documents.tenant_id
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
