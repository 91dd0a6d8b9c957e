{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('items', 'item_id') }}",
    indexes=[{'columns': ['tenant_id', 'item_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('items') }}
),

renamed as (
    select
        tenant_id,
        record_id as item_id,
        {{ xero_code('Code') }} as item_code,
        {{ xero_text('Name') }} as item_name,
        {{ xero_text('Description') }} as description,
        {{ xero_text('PurchaseDescription') }} as purchase_description,
        {{ xero_number(['SalesDetails', 'UnitPrice']) }} as sales_unit_amount,
        {{ xero_code(['SalesDetails', 'AccountCode']) }} as sales_account_code,
        {{ xero_code(['SalesDetails', 'TaxType']) }} as sales_tax_type,
        {{ xero_number(['PurchaseDetails', 'UnitPrice']) }} as purchase_unit_amount,
        {{ xero_code(['PurchaseDetails', 'AccountCode']) }} as purchase_account_code,
        {{ xero_code(['PurchaseDetails', 'COGSAccountCode']) }} as cost_of_sales_account_code,
        {{ xero_code(['PurchaseDetails', 'TaxType']) }} as purchase_tax_type,
        {{ xero_code('InventoryAssetAccountCode') }} as inventory_account_code,
        {{ xero_number('QuantityOnHand') }} as on_hand_quantity,
        {{ xero_number('QuantityAvailable') }} as available_quantity,
        {{ xero_number('QuantityOnBackOrder') }} as back_order_quantity,
        {{ xero_number('TotalCostPool') }} as inventory_base_amount,
        {{ xero_boolean('IsSold') }} as is_sold,
        {{ xero_boolean('IsPurchased') }} as is_purchased,
        {{ xero_boolean('IsTrackedAsInventory') }} as is_tracked,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        item_id,
        item_code,
        item_name,
        description,
        purchase_description,
        sales_unit_amount,
        sales_account_code,
        sales_tax_type,
        purchase_unit_amount,
        purchase_account_code,
        cost_of_sales_account_code,
        purchase_tax_type,
        inventory_account_code,
        on_hand_quantity,
        available_quantity,
        back_order_quantity,
        inventory_base_amount,
        coalesce(is_sold, false) as is_sold,
        coalesce(is_purchased, false) as is_purchased,
        coalesce(is_tracked, false) as is_tracked,
        updated_at
    from renamed
)

select * from final
