{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['document_id', 'settled_document_id']) }}",
    indexes=[
        {'columns': ['tenant_id', 'document_id', 'document_kind'], 'unique': true},
        {'columns': ['tenant_id', 'settled_document_id']},
    ],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

documents as (
    select * from {{ ref('int_documents_converted') }}
    where error is not null
),

payments as (
    select * from {{ ref('int_payments_converted') }}
    where error is not null
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
    where error is not null
),

bank_transfers as (
    select * from {{ ref('int_bank_transfers_converted') }}
    where error is not null
),

final as (
    select
        documents.tenant_id,
        documents.document_id,
        documents.document_kind,
        documents.document_number,
        documents.document_date,
        documents.currency_code,
        documents.total_amount as amount,
        documents.error,
        null as settled_document_id
    from touched
    inner join documents
        on
            touched.tenant_id = documents.tenant_id
            and touched.document_id = documents.document_id
    union all
    select
        payments.tenant_id,
        payments.payment_id as document_id,
        'payment' as document_kind,
        payments.reference as document_number,
        payments.payment_date as document_date,
        payments.currency_code,
        payments.amount,
        payments.error,
        payments.document_id as settled_document_id
    from touched
    inner join payments
        on
            touched.tenant_id = payments.tenant_id
            and touched.document_id = coalesce(payments.document_id, payments.payment_id)
    union all
    select
        bank_transactions.tenant_id,
        bank_transactions.bank_transaction_id as document_id,
        'bank_transaction' as document_kind,
        bank_transactions.reference as document_number,
        bank_transactions.transaction_date as document_date,
        bank_transactions.currency_code,
        bank_transactions.total_amount as amount,
        bank_transactions.error,
        null as settled_document_id
    from touched
    inner join bank_transactions
        on
            touched.tenant_id = bank_transactions.tenant_id
            and touched.document_id = bank_transactions.bank_transaction_id
    -- Those two are documents above.
    where
        not bank_transactions.is_overpayment
        and not bank_transactions.is_prepayment
    union all
    select
        bank_transfers.tenant_id,
        bank_transfers.bank_transfer_id as document_id,
        'bank_transfer' as document_kind,
        bank_transfers.reference as document_number,
        bank_transfers.transfer_date as document_date,
        bank_transfers.currency_code,
        bank_transfers.amount,
        bank_transfers.error,
        null as settled_document_id
    from touched
    inner join bank_transfers
        on
            touched.tenant_id = bank_transfers.tenant_id
            and touched.document_id = bank_transfers.bank_transfer_id
)

select * from final
