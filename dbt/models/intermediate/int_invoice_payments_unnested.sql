with

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

unnested as (
    select
        invoices.tenant_id,
        invoices.invoice_id,
        {{ xero_payment_stub_columns('payment.element') }}
    from invoices
    cross join lateral jsonb_array_elements(invoices.payments) as payment (element)
),

final as (
    select * from unnested
    where payment_id is not null
)

select * from final
