{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['invoice_id']) }}",
) }}

with

invoices as (
    select * from {{ moved_documents(ref('stg_xero__invoices'), 'invoice_id') }}
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
        invoices.tenant_id,
        invoices.invoice_id,
        line.line_number::integer as line_number,
        {{ xero_line_item_columns('line.element') }}
    from invoices
    cross join lateral jsonb_array_elements(invoices.line_items)
        with ordinality as line (element, line_number)
),

netted as (
    select
        invoices.tenant_id,
        invoices.invoice_id,
        invoices.ledger,
        invoices.invoice_date,
        invoices.contact_id,
        invoices.status,
        invoices.is_approved,
        invoices.currency_code,
        invoices.currency_rate,
        lines.line_number,
        lines.line_item_id,
        lines.account_code,
        lines.item_code,
        lines.description,
        lines.quantity,
        lines.unit_amount,
        lines.discount_rate,
        lines.tax_type,
        {{ net_of_line('invoices.line_amount_types', 'lines.line_amount', 'lines.tax_amount') }}
            as net_amount,
        {{ tax_of_line('invoices.line_amount_types', 'lines.tax_amount') }} as tax_amount
    from invoices
    inner join lines
        on
            invoices.tenant_id = lines.tenant_id
            and invoices.invoice_id = lines.invoice_id
),

final as (
    select
        netted.tenant_id,
        netted.invoice_id,
        netted.line_number,
        netted.line_item_id,
        netted.ledger,
        netted.invoice_date,
        netted.contact_id,
        netted.status,
        netted.is_approved,
        coalesce(posted_lines.account_id, accounts.account_id) as account_id,
        netted.account_code,
        netted.item_code,
        netted.description,
        netted.quantity,
        netted.unit_amount,
        netted.discount_rate,
        netted.tax_type,
        posted_lines.tracking_option_1_id,
        posted_lines.tracking_option_2_id,
        netted.currency_code,
        netted.net_amount,
        netted.tax_amount,
        -- What is left over by rounding stands on the line that the ledger puts it on.
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
            and netted.invoice_id = posted_lines.document_id
            and netted.line_number = posted_lines.line_number
    left join accounts
        on
            netted.tenant_id = accounts.tenant_id
            and netted.account_code = accounts.account_code
)

select * from final
