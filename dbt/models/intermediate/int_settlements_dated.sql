{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'document_id'],
    pre_hook="{{ forget_rebuilt() }}",
    indexes=[
        {
            'columns': ['tenant_id', 'document_id', 'settlement_kind', 'settlement_id'],
            'unique': true,
        },
    ],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

all_documents as not materialized (
    select * from {{ ref('int_documents_converted') }}
    where is_counted
),

payments as not materialized (
    select * from {{ ref('int_payments_converted') }}
),

payment_stubs as not materialized (
    select * from {{ ref('int_invoice_payments_unnested') }}
),

allocations as not materialized (
    select * from {{ ref('int_allocations_gathered') }}
),

documents as (
    select all_documents.*
    from touched
    inner join all_documents
        on
            touched.tenant_id = all_documents.tenant_id
            and touched.document_id = all_documents.document_id
),

paid as (
    select
        payments.tenant_id,
        payments.document_id,
        'payment' as settlement_kind,
        payments.payment_id as settlement_id,
        payments.payment_date as source_date,
        payments.amount
    from touched
    inner join payments
        on
            touched.tenant_id = payments.tenant_id
            and touched.document_id = payments.document_id
    where payments.is_counted
    union all
    -- Where payments may not be read, invoices still list theirs.
    select
        stubs.tenant_id,
        stubs.invoice_id as document_id,
        'payment' as settlement_kind,
        stubs.payment_id as settlement_id,
        stubs.payment_date as source_date,
        stubs.amount
    from touched
    -- Invoice by invoice through the indexes: joined, the payments of all of them would be
    -- unnested.
    cross join lateral (
        select payment_stubs.*
        from payment_stubs
        where
            touched.tenant_id = payment_stubs.tenant_id
            and touched.document_id = payment_stubs.invoice_id
            and payment_stubs.payment_date is not null
            and payment_stubs.amount is not null
            and not exists (
                select from payments
                where
                    payment_stubs.tenant_id = payments.tenant_id
                    and payment_stubs.payment_id = payments.payment_id
            )
        offset 0 -- noqa: AM09
    ) as stubs
),

-- An allocation holds on both of its documents, from the later of their dates.
sides as (
    select
        allocations.tenant_id,
        allocations.invoice_id as document_id,
        allocations.credit_id as settlement_id,
        allocations.invoice_id,
        allocations.credit_id,
        allocations.credit_date,
        allocations.amount
    from touched
    inner join allocations
        on
            touched.tenant_id = allocations.tenant_id
            and touched.document_id = allocations.invoice_id
    union all
    select
        allocations.tenant_id,
        allocations.credit_id as document_id,
        allocations.invoice_id as settlement_id,
        allocations.invoice_id,
        allocations.credit_id,
        allocations.credit_date,
        allocations.amount
    from touched
    inner join allocations
        on
            touched.tenant_id = allocations.tenant_id
            and touched.document_id = allocations.credit_id
),

allocated as (
    select
        sides.tenant_id,
        sides.document_id,
        'allocation' as settlement_kind,
        sides.settlement_id,
        {{ allocation_date(
            'coalesce(credits.document_date, sides.credit_date)', 'invoices.document_date'
        ) }} as source_date,
        sides.amount
    from sides
    left join all_documents as invoices
        on
            sides.tenant_id = invoices.tenant_id
            and sides.invoice_id = invoices.document_id
    left join all_documents as credits
        on
            sides.tenant_id = credits.tenant_id
            and sides.credit_id = credits.document_id
),

united as (
    select * from paid
    union all
    select * from allocated
),

final as (
    select
        documents.tenant_id,
        documents.document_id,
        documents.document_kind,
        documents.ledger,
        documents.due_date,
        documents.expected_date,
        documents.currency_code,
        united.settlement_kind,
        united.settlement_id,
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
