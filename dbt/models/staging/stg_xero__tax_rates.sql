with

source as (
    {{ xero_records('tax_rates') }}
),

renamed as (
    select
        tenant_id,
        record_id as tax_type,
        {{ xero_text('Name') }} as tax_rate_name,
        {{ xero_code('Status') }} as status,
        {{ xero_code('ReportTaxType') }} as report_tax_type,
        {{ xero_number('DisplayTaxRate') }} as display_percentage,
        {{ xero_number('EffectiveRate') }} as effective_percentage,
        {{ xero_list('TaxComponents') }} as tax_components
    from source
),

final as (
    select * from renamed
)

select * from final
