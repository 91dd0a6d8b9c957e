{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['bank_transaction_id']) }}",
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

all_bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
),

bank_transactions as (
    select all_bank_transactions.*
    from touched
    inner join all_bank_transactions
        on
            touched.tenant_id = all_bank_transactions.tenant_id
            and touched.document_id = all_bank_transactions.bank_transaction_id
),

final as (
    select
        tenant_id,
        bank_transaction_id,
        overpayment_id,
        prepayment_id,
        contact_id,
        account_id,
        bank_transaction_type,
        direction,
        case direction when 'received' then 1 when 'spent' then -1 end as sign,
        is_transfer,
        status,
        is_approved,
        transaction_date,
        is_reconciled,
        reference,
        currency_code,
        currency_rate,
        net_amount,
        tax_amount,
        total_amount,
        net_base_amount,
        tax_base_amount,
        total_base_amount,
        updated_at
    from bank_transactions
)

select * from final
