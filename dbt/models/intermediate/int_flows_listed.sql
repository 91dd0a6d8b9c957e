with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

documents as (
    select * from {{ ref('int_documents_converted') }}
),

payments as (
    select * from {{ ref('int_payments_converted') }}
    where is_counted
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
    where is_counted
),

issued as (
    select
        tenant_id,
        currency_code,
        ledger || case document_kind
            when 'invoice' then '_issued' else '_credit_notes_issued'
        end as measure,
        document_date as event_date,
        total_amount as amount,
        total_base_amount as base_amount
    from documents
    where
        is_counted
        and document_kind in ('invoice', 'credit_note')
),

-- Xero keeps no date of voiding: the last change, in the organisation's own time zone, is nearest.
voided as (
    select
        documents.tenant_id,
        documents.currency_code,
        documents.ledger || '_voided' as measure,
        (documents.updated_at at time zone tenants.timezone)::date as event_date,
        documents.total_amount as amount,
        documents.total_base_amount as base_amount
    from documents
    inner join tenants on documents.tenant_id = tenants.tenant_id
    where
        documents.document_kind = 'invoice'
        and documents.status = 'VOIDED'
        and documents.ledger is not null
        and documents.updated_at is not null
),

paid as (
    select
        tenant_id,
        currency_code,
        ledger || '_paid' as measure,
        payment_date as event_date,
        amount,
        base_amount
    from payments
    where document_kind = 'invoice'
),

cash as (
    select
        tenant_id,
        currency_code,
        'cash_' || direction as measure,
        payment_date as event_date,
        amount,
        bank_base_amount as base_amount
    from payments
    where is_bank_account
    union all
    select
        tenant_id,
        currency_code,
        'cash_' || direction as measure,
        transaction_date as event_date,
        total_amount as amount,
        total_base_amount as base_amount
    from bank_transactions
    where not is_transfer
),

united as (
    select * from issued
    union all
    select * from voided
    union all
    select * from paid
    union all
    select * from cash
),

final as (
    select
        tenant_id,
        currency_code,
        measure,
        event_date,
        1 as event_count,
        amount,
        base_amount
    from united
)

select * from final
