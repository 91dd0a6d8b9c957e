{{ config(materialized='table') }}

with

documents as (
    select * from {{ ref('int_documents_converted') }}
    where is_counted
),

payments as (
    select * from {{ ref('int_payments_converted') }}
),

payment_stubs as (
    select * from {{ ref('int_invoice_payments_unnested') }}
),

allocations as (
    select * from {{ ref('int_allocations_gathered') }}
),

paid as (
    select
        tenant_id,
        document_id,
        'payment' as settlement_kind,
        payment_date as source_date,
        amount
    from payments
    where
        is_counted
        and document_id is not null
    union all
    -- Where payments may not be read, invoices still list theirs.
    select
        payment_stubs.tenant_id,
        payment_stubs.invoice_id as document_id,
        'payment' as settlement_kind,
        payment_stubs.payment_date as source_date,
        payment_stubs.amount
    from payment_stubs
    left join payments
        on
            payment_stubs.tenant_id = payments.tenant_id
            and payment_stubs.payment_id = payments.payment_id
    where
        payments.payment_id is null
        and payment_stubs.payment_date is not null
        and payment_stubs.amount is not null
),

-- An allocation holds from the later of its two documents' dates, on both of them.
allocated as (
    select
        allocations.tenant_id,
        allocations.invoice_id,
        allocations.credit_id,
        allocations.amount,
        greatest(
            invoices.document_date, coalesce(credits.document_date, allocations.credit_date)
        ) as source_date
    from allocations
    left join documents as invoices
        on
            allocations.tenant_id = invoices.tenant_id
            and allocations.invoice_id = invoices.document_id
    left join documents as credits
        on
            allocations.tenant_id = credits.tenant_id
            and allocations.credit_id = credits.document_id
),

united as (
    select * from paid
    union all
    select
        tenant_id,
        invoice_id as document_id,
        'allocation' as settlement_kind,
        source_date,
        amount
    from allocated
    union all
    select
        tenant_id,
        credit_id as document_id,
        'allocation' as settlement_kind,
        source_date,
        amount
    from allocated
),

final as (
    select
        documents.tenant_id,
        documents.document_id,
        documents.document_kind,
        documents.ledger,
        documents.due_date,
        documents.currency_code,
        united.settlement_kind,
        united.source_date,
        -- A payment ahead of its document waits for it, shown apart as paid ahead.
        greatest(united.source_date, documents.document_date) as settled_date,
        united.amount,
        {{ to_base('united.amount', 'documents.currency_rate') }} as base_amount
    from united
    inner join documents
        on
            united.tenant_id = documents.tenant_id
            and united.document_id = documents.document_id
)

select * from final
