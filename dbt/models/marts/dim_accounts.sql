with

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

final as (
    select
        tenant_id,
        account_id,
        account_code,
        account_name,
        description,
        account_type,
        account_class,
        system_account,
        status,
        tax_type,
        bank_account_type,
        {{ where_switched_on('bank_account_numbers', 'bank_account_number') }},
        currency_code,
        reporting_code,
        has_payments_enabled,
        is_bank_account,
        is_archived,
        updated_at
    from accounts
)

select * from final
