{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ after_withdrawal() }}",
        "{{ forget_touched(['bank_transaction_id']) }}",
    ],
    indexes=[
        {'columns': ['tenant_id', 'bank_transaction_id'], 'unique': true},
        {'columns': ['tenant_id', 'transaction_date']},
    ],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

bank_transactions as (
    select stg_xero__bank_transactions.*
    from touched
    inner join {{ ref('stg_xero__bank_transactions') }} as stg_xero__bank_transactions
        on
            touched.tenant_id = stg_xero__bank_transactions.tenant_id
            and touched.document_id = stg_xero__bank_transactions.bank_transaction_id
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
        is_transfer,
        is_overpayment,
        is_prepayment,
        status,
        is_approved,
        reference,
        is_reconciled,
        transaction_date,
        currency_code,
        currency_rate,
        net_amount,
        tax_amount,
        total_amount,
        {{ to_base('net_amount', 'currency_rate') }} as net_base_amount,
        {{ to_base('tax_amount', 'currency_rate') }} as tax_base_amount,
        {{ to_base('total_amount', 'currency_rate') }} as total_base_amount,
        updated_at,
        (
            is_approved
            and direction is not null
            and transaction_date is not null
            and total_amount is not null
            and (is_transfer or has_unreadable_line is not true)
        ) as is_counted,
        case
            when not is_approved then null
            when direction is null then 'unknown_type'
            when transaction_date is null then 'no_date'
            when total_amount is null then 'no_amount'
            -- The legs of transfers post no line.
            when has_unreadable_line and not is_transfer then 'no_amount'
            when currency_rate is null then 'no_rate'
        end as error
    from bank_transactions
)

select * from final
