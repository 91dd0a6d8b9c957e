{{ config(materialized='table', indexes=[{'columns': ['tenant_id', 'document_id']}]) }}

with

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

credit_notes as (
    select * from {{ ref('stg_xero__credit_notes') }}
),

bank_transactions as (
    select * from {{ ref('stg_xero__bank_transactions') }}
),

united as (
    select
        tenant_id,
        invoice_id as document_id,
        'invoice' as document_kind,
        ledger,
        contact_id,
        invoice_number as document_number,
        status,
        is_approved,
        invoice_date as document_date,
        due_date,
        currency_code,
        currency_rate,
        total_amount,
        updated_at
    from invoices
    union all
    select
        tenant_id,
        credit_note_id as document_id,
        'credit_note' as document_kind,
        ledger,
        contact_id,
        credit_note_number as document_number,
        status,
        is_approved,
        credit_note_date as document_date,
        null as due_date,
        currency_code,
        currency_rate,
        total_amount,
        updated_at
    from credit_notes
    union all
    -- Money received or spent in advance: Xero posts it from the bank transaction.
    select
        tenant_id,
        coalesce(overpayment_id, prepayment_id, bank_transaction_id) as document_id,
        case when is_overpayment then 'overpayment' else 'prepayment' end as document_kind,
        ledger,
        contact_id,
        reference as document_number,
        status,
        is_approved,
        transaction_date as document_date,
        null as due_date,
        currency_code,
        currency_rate,
        total_amount,
        updated_at
    from bank_transactions
    where is_overpayment or is_prepayment
),

final as (
    select
        *,
        {{ to_base('total_amount', 'currency_rate') }} as total_base_amount,
        (
            is_approved
            and ledger is not null
            and document_date is not null
            and total_amount is not null
        ) as is_counted,
        case
            when not is_approved then null
            when ledger is null then 'unknown_type'
            when document_date is null then 'no_date'
            when total_amount is null then 'no_amount'
            when currency_rate is null then 'no_rate'
        end as error
    from united
)

select * from final
