{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('contacts', 'contact_id') }}",
    indexes=[{'columns': ['tenant_id', 'contact_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('contacts') }}
),

renamed as (
    select
        tenant_id,
        record_id as contact_id,
        {{ xero_code('MergedToContactID') }} as merged_to_contact_id,
        {{ xero_text('Name') }} as contact_name,
        {{ xero_code('ContactNumber') }} as contact_number,
        {{ xero_code('AccountNumber') }} as account_number,
        {{ xero_text('FirstName') }} as first_name,
        {{ xero_text('LastName') }} as last_name,
        {{ xero_code('EmailAddress') }} as email_address,
        {{ xero_code('ContactStatus') }} as status,
        {{ xero_code('DefaultCurrency') }} as default_currency_code,
        {{ xero_code('TaxNumber') }} as tax_number,
        {{ xero_code('BankAccountDetails') }} as bank_account_number,
        {{ xero_code(['BatchPayments', 'BankAccountNumber']) }} as batch_payment_account_number,
        {{ xero_code(['BatchPayments', 'BankAccountName']) }} as batch_payment_account_name,
        {{ xero_boolean('IsCustomer') }} as is_customer,
        {{ xero_boolean('IsSupplier') }} as is_supplier,
        jsonb_path_query_array(payload, '$.ContactGroups[*].ContactGroupID') as contact_group_ids,
        xero_updated_at as updated_at
    from source
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
        bank_account_number,
        batch_payment_account_number,
        batch_payment_account_name,
        -- Stubs come without flags: then Xero has not said so.
        coalesce(is_customer, false) as is_customer,
        coalesce(is_supplier, false) as is_supplier,
        contact_group_ids,
        updated_at
    from renamed
)

select * from final
