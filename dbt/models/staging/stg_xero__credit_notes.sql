{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('credit_notes', 'credit_note_id') }}",
    indexes=[{'columns': ['tenant_id', 'credit_note_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('credit_notes') }}
),

renamed as (
    select
        tenant_id,
        record_id as credit_note_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code('Type') }} as credit_note_type,
        {{ xero_code('Status') }} as status,
        {{ xero_text('CreditNoteNumber') }} as credit_note_number,
        {{ xero_text('Reference') }} as reference,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as credit_note_date,
        {{ xero_date('FullyPaidOnDate') }} as fully_paid_date,
        {{ xero_number('SubTotal') }} as net_amount,
        {{ xero_number('TotalTax') }} as tax_amount,
        {{ xero_number('Total') }} as total_amount,
        {{ xero_number('RemainingCredit') }} as remaining_amount,
        {{ xero_list('LineItems') }} as line_items,
        {{ xero_has_unreadable_line('LineItems', ['LineAmount', 'TaxAmount']) }}
            as has_unreadable_line,
        {{ xero_list('Allocations') }} as allocations,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        credit_note_id,
        contact_id,
        contact_name,
        credit_note_type,
        case credit_note_type
            when 'ACCRECCREDIT' then 'receivables' when 'ACCPAYCREDIT' then 'payables'
        end as ledger,
        status,
        coalesce(status in ('AUTHORISED', 'PAID'), false) as is_approved,
        credit_note_number,
        reference,
        line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        {{ usable_rate('currency_code', 'currency_rate', 'base_currency_code') }} as currency_rate,
        credit_note_date,
        fully_paid_date,
        net_amount,
        tax_amount,
        total_amount,
        remaining_amount,
        line_items,
        has_unreadable_line,
        allocations,
        updated_at
    from renamed
)

select * from final
