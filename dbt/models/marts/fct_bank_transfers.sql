with

bank_transfers as (
    select * from {{ ref('int_bank_transfers_converted') }}
),

final as (
    select
        tenant_id,
        bank_transfer_id,
        from_account_id,
        to_account_id,
        is_approved,
        reference,
        transfer_date,
        currency_code,
        amount,
        base_amount
    from bank_transfers
)

select * from final
