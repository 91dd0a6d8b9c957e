with

bank_transactions as (
    select * from {{ ref('stg_xero__bank_transactions') }}
),

final as (
    select
        bank_transactions.tenant_id,
        bank_transactions.bank_transaction_id,
        line.line_number::integer as line_number,
        {{ xero_line_item_columns('line.element') }}
    from bank_transactions
    cross join lateral jsonb_array_elements(bank_transactions.line_items)
        with ordinality as line (element, line_number)
)

select * from final
