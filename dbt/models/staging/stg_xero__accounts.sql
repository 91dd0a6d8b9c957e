with

source as (
    {{ xero_records('accounts') }}
),

renamed as (
    select
        tenant_id,
        record_id as account_id,
        {{ xero_code('Code') }} as account_code,
        {{ xero_text('Name') }} as account_name,
        {{ xero_text('Description') }} as description,
        {{ xero_code('Type') }} as account_type,
        {{ xero_code('Class') }} as account_class,
        {{ xero_code('SystemAccount') }} as system_account,
        {{ xero_code('Status') }} as status,
        {{ xero_code('TaxType') }} as tax_type,
        {{ xero_code('BankAccountType') }} as bank_account_type,
        {{ xero_code('BankAccountNumber') }} as bank_account_number,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_code('ReportingCode') }} as reporting_code,
        {{ xero_boolean('EnablePaymentsToAccount') }} as has_payments_enabled,
        xero_updated_at as updated_at
    from source
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
        bank_account_number,
        -- Only bank accounts have a currency of their own.
        coalesce(currency_code, base_currency_code) as currency_code,
        reporting_code,
        coalesce(has_payments_enabled, false) as has_payments_enabled,
        coalesce(account_type = 'BANK', false) as is_bank_account,
        coalesce(status = 'ARCHIVED', false) as is_archived,
        updated_at
    from renamed
)

select * from final
