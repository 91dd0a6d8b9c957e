with

source as (
    {{ xero_records('tracking_categories') }}
),

renamed as (
    select
        tenant_id,
        record_id as tracking_category_id,
        {{ xero_text('Name') }} as tracking_category_name,
        {{ xero_code('Status') }} as status,
        {{ xero_list('Options') }} as tracking_options
    from source
),

final as (
    select
        tenant_id,
        tracking_category_id,
        tracking_category_name,
        status,
        coalesce(status = 'ARCHIVED', false) as is_archived,
        tracking_options
    from renamed
)

select * from final
