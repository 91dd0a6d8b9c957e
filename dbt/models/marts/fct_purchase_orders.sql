{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['purchase_order_id']) }}",
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

purchase_orders as (
    select * from {{ ref('stg_xero__purchase_orders') }}
),

final as (
    select
        purchase_orders.tenant_id,
        purchase_orders.purchase_order_id,
        purchase_orders.contact_id,
        purchase_orders.contact_name,
        purchase_orders.status,
        purchase_orders.purchase_order_number,
        purchase_orders.reference,
        purchase_orders.is_approved,
        purchase_orders.purchase_order_date,
        purchase_orders.delivery_date,
        purchase_orders.expected_arrival_date,
        purchase_orders.currency_code,
        purchase_orders.currency_rate,
        purchase_orders.net_amount,
        purchase_orders.tax_amount,
        purchase_orders.total_amount,
        {{ to_base('purchase_orders.total_amount', 'purchase_orders.currency_rate') }}
            as total_base_amount,
        purchase_orders.updated_at
    from touched
    inner join purchase_orders
        on
            touched.tenant_id = purchase_orders.tenant_id
            and touched.document_id = purchase_orders.purchase_order_id
)

select * from final
