{{ config(materialized='table') }}

with

documents as (
    select * from {{ ref('int_documents_converted') }}
    where
        is_counted
        and document_kind = 'invoice'
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
    where document_kind = 'invoice'
),

running as (
    select
        tenant_id,
        document_id,
        settled_date,
        amount,
        base_amount,
        sum(amount) over (
            partition by tenant_id, document_id
            order by settled_date
        ) as settled_amount
    from settlements
),

final as (
    select
        documents.tenant_id,
        documents.document_id,
        min(running.settled_date)
            filter (where running.settled_amount >= documents.total_amount) as closed_date,
        max(running.settled_date) as last_settled_date,
        sum(running.amount) = documents.total_amount
        and coalesce(sum(running.base_amount) = documents.total_base_amount, true)
            as is_settled_to_zero
    from documents
    inner join running
        on
            documents.tenant_id = running.tenant_id
            and documents.document_id = running.document_id
    group by
        documents.tenant_id,
        documents.document_id,
        documents.total_amount,
        documents.total_base_amount
)

select * from final
