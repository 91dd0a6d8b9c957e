{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('quotes', 'quote_id') }}",
    indexes=[{'columns': ['tenant_id', 'quote_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('quotes') }}
),

renamed as (
    select
        tenant_id,
        record_id as quote_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code('Status') }} as status,
        {{ xero_text('QuoteNumber') }} as quote_number,
        {{ xero_text('Reference') }} as reference,
        {{ xero_text('Title') }} as title,
        {{ xero_text('Summary') }} as summary,
        {{ xero_text('Terms') }} as terms,
        {{ xero_code('BrandingThemeID') }} as branding_theme_id,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as quote_date,
        {{ xero_date('ExpiryDate') }} as expiry_date,
        {{ xero_number('SubTotal') }} as net_amount,
        {{ xero_number('TotalTax') }} as tax_amount,
        {{ xero_number('Total') }} as total_amount,
        {{ xero_number('TotalDiscount') }} as discount_amount,
        {{ xero_list('LineItems') }} as line_items,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        quote_id,
        contact_id,
        contact_name,
        status,
        quote_number,
        reference,
        title,
        summary,
        terms,
        branding_theme_id,
        -- Capitals here, and nowhere else.
        case line_amount_types
            when 'EXCLUSIVE' then 'Exclusive'
            when 'INCLUSIVE' then 'Inclusive'
            when 'NOTAX' then 'NoTax'
            else line_amount_types
        end as line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        {{ usable_rate('currency_code', 'currency_rate', 'base_currency_code') }} as currency_rate,
        quote_date,
        expiry_date,
        net_amount,
        tax_amount,
        total_amount,
        discount_amount,
        line_items,
        updated_at
    from renamed
)

select * from final
