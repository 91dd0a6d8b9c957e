{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['document_id']) }}",
    indexes=[{'columns': ['tenant_id', 'document_id']}],
) }}

with

bank_transactions as (
    select * from {{ moved_documents(ref('stg_xero__bank_transactions')) }}
),

posted_lines as (
    select * from {{ moved_documents(ref('int_document_lines_converted')) }}
    where not is_rounding
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
    where is_by_code
),

lines as (
    select
        bank_transactions.tenant_id,
        bank_transactions.bank_transaction_id,
        line.line_number::integer as line_number,
        {{ xero_line_item_columns('line.element') }}
    from bank_transactions
    cross join lateral jsonb_array_elements(bank_transactions.line_items)
        with ordinality as line (element, line_number)
),

netted as (
    select
        bank_transactions.tenant_id,
        bank_transactions.bank_transaction_id,
        bank_transactions.document_id,
        bank_transactions.direction,
        bank_transactions.transaction_date,
        bank_transactions.contact_id,
        bank_transactions.status,
        bank_transactions.is_approved,
        bank_transactions.currency_code,
        bank_transactions.currency_rate,
        lines.line_number,
        lines.line_item_id,
        lines.account_code,
        lines.item_code,
        lines.description,
        lines.quantity,
        lines.unit_amount,
        lines.tax_type,
        {{ net_of_line(
            'bank_transactions.line_amount_types', 'lines.line_amount', 'lines.tax_amount'
        ) }} as net_amount,
        {{ tax_of_line('bank_transactions.line_amount_types', 'lines.tax_amount') }} as tax_amount
    from bank_transactions
    inner join lines
        on
            bank_transactions.tenant_id = lines.tenant_id
            and bank_transactions.bank_transaction_id = lines.bank_transaction_id
),

final as (
    select
        netted.tenant_id,
        netted.bank_transaction_id,
        netted.line_number,
        netted.document_id,
        netted.line_item_id,
        netted.direction,
        netted.transaction_date,
        netted.contact_id,
        netted.status,
        netted.is_approved,
        coalesce(posted_lines.account_id, accounts.account_id) as account_id,
        netted.account_code,
        netted.item_code,
        netted.description,
        netted.quantity,
        netted.unit_amount,
        netted.tax_type,
        posted_lines.tracking_option_1_id,
        posted_lines.tracking_option_2_id,
        netted.currency_code,
        netted.net_amount,
        netted.tax_amount,
        coalesce(
            posted_lines.net_base_amount, {{ to_base('netted.net_amount', 'netted.currency_rate') }}
        ) as net_base_amount,
        coalesce(
            posted_lines.tax_base_amount, {{ to_base('netted.tax_amount', 'netted.currency_rate') }}
        ) as tax_base_amount
    from netted
    left join posted_lines
        on
            netted.tenant_id = posted_lines.tenant_id
            and netted.document_id = posted_lines.document_id
            and netted.line_number = posted_lines.line_number
    left join accounts
        on
            netted.tenant_id = accounts.tenant_id
            and netted.account_code = accounts.account_code
)

select * from final
