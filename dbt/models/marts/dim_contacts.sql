with

contacts as (
    select * from {{ ref('stg_xero__contacts') }}
),

final as (
    select
        tenant_id,
        contact_id,
        merged_to_contact_id,
        contact_name,
        contact_number,
        account_number,
        first_name,
        last_name,
        email_address,
        status,
        default_currency_code,
        tax_number,
        is_customer,
        is_supplier,
        updated_at
    from contacts
)

select * from final
