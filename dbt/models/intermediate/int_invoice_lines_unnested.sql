with

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

final as (
    select
        invoices.tenant_id,
        invoices.invoice_id,
        line.line_number::integer as line_number,
        {{ xero_line_item_columns('line.element') }}
    from invoices
    cross join lateral jsonb_array_elements(invoices.line_items)
        with ordinality as line (element, line_number)
)

select * from final
