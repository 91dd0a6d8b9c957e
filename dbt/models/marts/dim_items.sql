with

items as (
    select * from {{ ref('stg_xero__items') }}
),

final as (
    select
        tenant_id,
        item_id,
        item_code,
        item_name,
        description,
        is_sold,
        is_purchased,
        is_tracked,
        on_hand_quantity,
        inventory_base_amount,
        sales_unit_amount,
        sales_account_code,
        purchase_unit_amount,
        -- A tracked item is bought onto the asset account and costs when it is sold.
        coalesce(purchase_account_code, cost_of_sales_account_code) as purchase_account_code,
        inventory_account_code,
        updated_at
    from items
)

select * from final
