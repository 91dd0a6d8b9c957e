{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('overpayments', 'overpayment_id') }}",
    indexes=[{'columns': ['tenant_id', 'overpayment_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('overpayments') }}
),

renamed as (
    select
        tenant_id,
        record_id as overpayment_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code('Type') }} as overpayment_type,
        {{ xero_code('Status') }} as status,
        {{ xero_text('Reference') }} as reference,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as overpayment_date,
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
        overpayment_id,
        contact_id,
        contact_name,
        overpayment_type,
        case
            when overpayment_type in ('RECEIVE-OVERPAYMENT', 'AROVERPAYMENT') then 'receivables'
            when overpayment_type in ('SPEND-OVERPAYMENT', 'APOVERPAYMENT') then 'payables'
        end as ledger,
        status,
        coalesce(status in ('AUTHORISED', 'PAID'), false) as is_approved,
        reference,
        line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        {{ usable_rate('currency_code', 'currency_rate', 'base_currency_code') }} as currency_rate,
        overpayment_date,
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
)

select * from final
