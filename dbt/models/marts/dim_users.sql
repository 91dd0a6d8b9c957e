-- The table is always there, so that nobody's query fails; its rows are people.
with

users as (
    select * from {{ ref('stg_xero__users') }}
    where {{ 'true' if var('users') else 'false' }}
),

final as (
    select
        tenant_id,
        user_id,
        first_name,
        last_name,
        email_address,
        organisation_role,
        is_removed,
        is_subscriber,
        updated_at
    from users
)

select * from final
