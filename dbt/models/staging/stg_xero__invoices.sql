{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('invoices', 'invoice_id') }}",
    indexes=[{'columns': ['tenant_id', 'invoice_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('invoices') }}
),

renamed as (
    select
        tenant_id,
        record_id as invoice_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code('Type') }} as invoice_type,
        {{ xero_code('Status') }} as status,
        {{ xero_text('InvoiceNumber') }} as invoice_number,
        {{ xero_text('Reference') }} as reference,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as invoice_date,
        {{ xero_date('DueDate') }} as due_date,
        {{ xero_date('FullyPaidOnDate') }} as fully_paid_date,
        {{ xero_date('ExpectedPaymentDate') }} as expected_payment_date,
        {{ xero_date('PlannedPaymentDate') }} as planned_payment_date,
        {{ xero_number('SubTotal') }} as net_amount,
        {{ xero_number('TotalTax') }} as tax_amount,
        {{ xero_number('Total') }} as total_amount,
        {{ xero_number('AmountPaid') }} as paid_amount,
        {{ xero_number('AmountCredited') }} as credited_amount,
        {{ xero_number('AmountDue') }} as due_amount,
        {{ xero_boolean('SentToContact') }} as is_sent_to_contact,
        {{ xero_boolean('HasAttachments') }} as has_attachments,
        {{ xero_list('LineItems') }} as line_items,
        {{ xero_has_unreadable_line('LineItems', ['LineAmount', 'TaxAmount']) }}
            as has_unreadable_line,
        {{ xero_list('Payments') }} as payments,
        {{ xero_list('CreditNotes') }} as credit_notes,
        {{ xero_list('Overpayments') }} as overpayments,
        {{ xero_list('Prepayments') }} as prepayments,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        invoice_id,
        contact_id,
        contact_name,
        invoice_type,
        case invoice_type
            when 'ACCREC' then 'receivables' when 'ACCPAY' then 'payables'
        end as ledger,
        status,
        coalesce(status in ('AUTHORISED', 'PAID'), false) as is_approved,
        invoice_number,
        reference,
        line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        {{ usable_rate('currency_code', 'currency_rate', 'base_currency_code') }} as currency_rate,
        invoice_date,
        due_date,
        fully_paid_date,
        expected_payment_date,
        planned_payment_date,
        net_amount,
        tax_amount,
        total_amount,
        coalesce(paid_amount, 0) as paid_amount,
        coalesce(credited_amount, 0) as credited_amount,
        due_amount,
        coalesce(is_sent_to_contact, false) as is_sent_to_contact,
        coalesce(has_attachments, false) as has_attachments,
        line_items,
        has_unreadable_line,
        payments,
        credit_notes,
        overpayments,
        prepayments,
        updated_at
    from renamed
)

select * from final
