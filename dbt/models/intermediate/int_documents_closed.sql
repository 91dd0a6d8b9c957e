{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'document_id'],
    pre_hook="{{ forget_rebuilt() }}",
    indexes=[{'columns': ['tenant_id', 'document_id'], 'unique': true}],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

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
        settlements.tenant_id,
        settlements.document_id,
        settlements.settled_date,
        settlements.amount,
        settlements.base_amount,
        sum(settlements.amount) over (
            partition by settlements.tenant_id, settlements.document_id
            order by settlements.settled_date
        ) as settled_amount
    from touched
    inner join settlements
        on
            touched.tenant_id = settlements.tenant_id
            and touched.document_id = settlements.document_id
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
