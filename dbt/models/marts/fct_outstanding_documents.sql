{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'document_id'],
    pre_hook="{{ forget_rebuilt() }}",
    indexes=[{'columns': ['tenant_id', 'ledger', 'next_day', 'day']}],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

all_documents as (
    select * from {{ ref('int_documents_converted') }}
    where
        is_counted
        -- Money paid in advance is owed by nobody.
        and document_kind <> 'prepayment'
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
),

documents as (
    select
        all_documents.*,
        case all_documents.document_kind when 'invoice' then 1 else -1 end as sign
    from touched
    inner join all_documents
        on
            touched.tenant_id = all_documents.tenant_id
            and touched.document_id = all_documents.document_id
),

pieces as (
    select
        tenant_id,
        document_id,
        document_date as day,
        sign * total_amount as amount,
        sign * total_base_amount as base_amount
    from documents
    union all
    select
        documents.tenant_id,
        documents.document_id,
        coalesce(settlements.source_date, settlements.settled_date) as day,
        -documents.sign * settlements.amount as amount,
        -documents.sign * settlements.base_amount as base_amount
    from documents
    inner join settlements
        on
            documents.tenant_id = settlements.tenant_id
            and documents.document_id = settlements.document_id
),

days as (
    select
        tenant_id,
        document_id,
        day,
        sum(amount) as amount,
        sum(base_amount) as base_amount
    from pieces
    group by tenant_id, document_id, day
),

running as (
    select
        tenant_id,
        document_id,
        day,
        lead(day) over until_day as next_day,
        sum(amount) over until_day as outstanding_amount,
        sum(base_amount) over until_day as outstanding_base_amount
    from days
    window until_day as (partition by tenant_id, document_id order by day)
),

final as (
    select
        running.tenant_id,
        running.document_id,
        running.day,
        -- Not infinity: many a program cannot read that as a date.
        coalesce(running.next_day, '9999-12-31'::date) as next_day,
        documents.ledger,
        -- Money that came before its document stands on the control account by itself.
        case
            when running.day < documents.document_date then 'paid_ahead'
            else documents.document_kind
        end as document_kind,
        documents.document_number,
        documents.contact_id,
        documents.document_date,
        documents.due_date,
        documents.currency_code,
        running.outstanding_amount,
        running.outstanding_base_amount
    from running
    inner join documents
        on
            running.tenant_id = documents.tenant_id
            and running.document_id = documents.document_id
    where
        running.outstanding_amount <> 0
        or running.outstanding_base_amount <> 0
)

select * from final
