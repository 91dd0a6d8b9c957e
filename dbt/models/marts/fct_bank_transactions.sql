with

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
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
