with

source as (
    {{ xero_records('organisations') }}
),

renamed as (
    select
        tenant_id,
        record_id as organisation_id,
        {{ xero_text('Name') }} as organisation_name,
        {{ xero_text('LegalName') }} as legal_name,
        {{ xero_code('OrganisationType') }} as organisation_type,
        {{ xero_code('OrganisationStatus') }} as organisation_status,
        {{ xero_code('Class') }} as plan_class,
        {{ xero_code('BaseCurrency') }} as base_currency_code,
        {{ xero_code('CountryCode') }} as country_code,
        {{ xero_code('Timezone') }} as xero_timezone,
        {{ xero_code('RegistrationNumber') }} as registration_number,
        {{ xero_code('TaxNumber') }} as tax_number,
        {{ xero_code('SalesTaxBasis') }} as sales_tax_basis,
        {{ xero_boolean('PaysTax') }} as has_tax,
        {{ xero_integer_between('FinancialYearEndDay', 1, 31) }} as financial_year_end_day,
        {{ xero_integer_between('FinancialYearEndMonth', 1, 12) }} as financial_year_end_month,
        {{ xero_date('PeriodLockDate') }} as period_lock_date,
        {{ xero_date('EndOfYearLockDate') }} as end_of_year_lock_date,
        {{ xero_timestamp('CreatedDateUTC') }} as created_at
    from source
),

final as (
    select * from renamed
)

select * from final
