{{ config(materialized='table') }}

with

documents as (
    select * from {{ ref('int_documents_converted') }}
),

payments as (
    select * from {{ ref('int_payments_converted') }}
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
),

united as (
    select
        tenant_id,
        document_id,
        document_kind,
        document_number,
        document_date,
        currency_code,
        total_amount as amount,
        error
    from documents
    union all
    select
        tenant_id,
        payment_id as document_id,
        'payment' as document_kind,
        reference as document_number,
        payment_date as document_date,
        currency_code,
        amount,
        error
    from payments
    union all
    select
        tenant_id,
        bank_transaction_id as document_id,
        'bank_transaction' as document_kind,
        reference as document_number,
        transaction_date as document_date,
        currency_code,
        total_amount as amount,
        error
    from bank_transactions
    -- Those two are documents above.
    where not is_overpayment and not is_prepayment
),

final as (
    select * from united
    where error is not null
)

select * from final
