{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('manual_journals', 'manual_journal_id') }}",
    indexes=[{'columns': ['tenant_id', 'manual_journal_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('manual_journals') }}
),

renamed as (
    select
        tenant_id,
        record_id as manual_journal_id,
        {{ xero_text('Narration') }} as narration,
        {{ xero_code('Status') }} as status,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_date('Date') }} as journal_date,
        {{ xero_code('Url') }} as url,
        {{ xero_boolean('ShowOnCashBasisReports') }} as is_on_cash_basis,
        {{ xero_boolean('HasAttachments') }} as has_attachments,
        {{ xero_list('JournalLines') }} as journal_lines,
        {{ xero_has_unreadable_line('JournalLines', ['LineAmount', 'TaxAmount']) }}
            as has_unreadable_line,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        manual_journal_id,
        narration,
        status,
        coalesce(status = 'POSTED', false) as is_posted,
        line_amount_types,
        journal_date,
        url,
        coalesce(is_on_cash_basis, true) as is_on_cash_basis,
        coalesce(has_attachments, false) as has_attachments,
        journal_lines,
        has_unreadable_line,
        updated_at
    from renamed
)

select * from final
