with

options as (
    select * from {{ ref('int_tracking_options_numbered') }}
),

final as (
    select
        tenant_id,
        tracking_option_id,
        tracking_option_name,
        tracking_category_id,
        tracking_category_name,
        category_number,
        is_archived
    from options
)

select * from final
