{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('prepayments', 'prepayment_id') }}",
    indexes=[{'columns': ['tenant_id', 'prepayment_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('prepayments') }}
),

renamed as (
    select
        tenant_id,
        record_id as prepayment_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code('Type') }} as prepayment_type,
        {{ xero_code('Status') }} as status,
        {{ xero_code('InvoiceNumber') }} as invoice_number,
        {{ xero_text('Reference') }} as reference,
        {{ xero_code('BrandingThemeID') }} as branding_theme_id,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as prepayment_date,
        {{ xero_number('SubTotal') }} as net_amount,
        {{ xero_number('TotalTax') }} as tax_amount,
        {{ xero_number('Total') }} as total_amount,
        {{ xero_number('RemainingCredit') }} as remaining_amount,
        {{ xero_boolean('HasAttachments') }} as has_attachments,
        {{ xero_list('LineItems') }} as line_items,
        {{ xero_list('Allocations') }} as allocations,
        {{ xero_list('Payments') }} as payments,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        prepayment_id,
        contact_id,
        contact_name,
        prepayment_type,
        case
            when prepayment_type in ('RECEIVE-PREPAYMENT', 'ARPREPAYMENT') then 'receivables'
            when prepayment_type in ('SPEND-PREPAYMENT', 'APPREPAYMENT') then 'payables'
        end as ledger,
        status,
        coalesce(status in ('AUTHORISED', 'PAID'), false) as is_approved,
        invoice_number,
        reference,
        branding_theme_id,
        line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        {{ usable_rate('currency_code', 'currency_rate', 'base_currency_code') }} as currency_rate,
        prepayment_date,
        net_amount,
        tax_amount,
        total_amount,
        remaining_amount,
        coalesce(has_attachments, false) as has_attachments,
        line_items,
        allocations,
        payments,
        updated_at
    from renamed
    -- Xero has listed overpayments here as well: they stand in stg_xero__overpayments.
    where coalesce(prepayment_type not like '%OVERPAYMENT', true)
)

select * from final
