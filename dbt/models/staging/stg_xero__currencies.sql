with

source as (
    {{ xero_records('currencies') }}
),

renamed as (
    select
        tenant_id,
        record_id as currency_code,
        {{ xero_text('Description') }} as currency_name
    from source
),

final as (
    select * from renamed
)

select * from final
