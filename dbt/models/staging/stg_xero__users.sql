with

source as (
    {{ xero_records('users') }}
),

renamed as (
    select
        tenant_id,
        record_id as user_id,
        {{ xero_text('FirstName') }} as first_name,
        {{ xero_text('LastName') }} as last_name,
        {{ xero_code('EmailAddress') }} as email_address,
        {{ xero_code('OrganisationRole') }} as organisation_role,
        {{ xero_boolean('IsSubscriber') }} as is_subscriber,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        user_id,
        first_name,
        last_name,
        email_address,
        organisation_role,
        coalesce(organisation_role = 'REMOVED', false) as is_removed,
        coalesce(is_subscriber, false) as is_subscriber,
        updated_at
    from renamed
)

select * from final
