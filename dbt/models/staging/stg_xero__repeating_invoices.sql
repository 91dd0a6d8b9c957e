with

source as (
    {{ xero_records('repeating_invoices') }}
),

renamed as (
    select
        tenant_id,
        record_id as repeating_invoice_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code('Type') }} as invoice_type,
        {{ xero_code('Status') }} as status,
        {{ xero_text('Reference') }} as reference,
        {{ xero_code('BrandingThemeID') }} as branding_theme_id,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        {{ xero_number('SubTotal') }} as net_amount,
        {{ xero_number('TotalTax') }} as tax_amount,
        {{ xero_number('Total') }} as total_amount,
        {{ xero_code(['Schedule', 'Unit']) }} as schedule_unit,
        {{ xero_integer(['Schedule', 'Period']) }} as schedule_period,
        {{ xero_integer(['Schedule', 'DueDate']) }} as due_day,
        {{ xero_code(['Schedule', 'DueDateType']) }} as due_day_type,
        {{ xero_date(['Schedule', 'StartDate']) }} as start_date,
        {{ xero_date(['Schedule', 'NextScheduledDate']) }} as next_date,
        {{ xero_date(['Schedule', 'EndDate']) }} as end_date,
        {{ xero_boolean('ApprovedForSending') }} as is_approved_for_sending,
        {{ xero_boolean('SendCopy') }} as is_copied_to_sender,
        {{ xero_boolean('MarkAsSent') }} as is_marked_as_sent,
        {{ xero_boolean('IncludePDF') }} as has_pdf,
        {{ xero_boolean('HasAttachments') }} as has_attachments,
        {{ xero_list('LineItems') }} as line_items
    from source
),

final as (
    select
        tenant_id,
        repeating_invoice_id,
        contact_id,
        contact_name,
        invoice_type,
        case invoice_type
            when 'ACCREC' then 'receivables' when 'ACCPAY' then 'payables'
        end as ledger,
        status,
        coalesce(status = 'AUTHORISED', false) as is_approved,
        reference,
        branding_theme_id,
        line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        net_amount,
        tax_amount,
        total_amount,
        schedule_unit,
        schedule_period,
        due_day,
        due_day_type,
        start_date,
        next_date,
        end_date,
        coalesce(is_approved_for_sending, false) as is_approved_for_sending,
        coalesce(is_copied_to_sender, false) as is_copied_to_sender,
        coalesce(is_marked_as_sent, false) as is_marked_as_sent,
        coalesce(has_pdf, false) as has_pdf,
        coalesce(has_attachments, false) as has_attachments,
        line_items
    from renamed
)

select * from final
