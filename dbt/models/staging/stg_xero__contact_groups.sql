with

source as (
    {{ xero_records('contact_groups') }}
),

renamed as (
    select
        tenant_id,
        record_id as contact_group_id,
        {{ xero_text('Name') }} as contact_group_name,
        {{ xero_code('Status') }} as status,
        {{ xero_list('Contacts') }} as contacts
    from source
),

final as (
    select * from renamed
)

select * from final
