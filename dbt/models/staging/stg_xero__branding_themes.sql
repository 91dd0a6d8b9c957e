with

source as (
    {{ xero_records('branding_themes') }}
),

renamed as (
    select
        tenant_id,
        record_id as branding_theme_id,
        {{ xero_text('Name') }} as branding_theme_name,
        {{ xero_code('Type') }} as branding_theme_type,
        {{ xero_code('LogoUrl') }} as logo_url,
        {{ xero_integer('SortOrder') }} as sort_order,
        {{ xero_timestamp('CreatedDateUTC') }} as created_at
    from source
),

final as (
    select * from renamed
)

select * from final
