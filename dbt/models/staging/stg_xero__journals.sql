{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('journals', 'journal_id') }}",
    indexes=[{'columns': ['tenant_id', 'journal_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('journals') }}
),

renamed as (
    select
        tenant_id,
        record_id as journal_id,
        {{ xero_integer('JournalNumber') }} as journal_number,
        {{ xero_date('JournalDate') }} as journal_date,
        {{ xero_code('SourceType') }} as source_type,
        {{ xero_code('SourceID') }} as source_id,
        {{ xero_text('Reference') }} as reference,
        {{ xero_timestamp('CreatedDateUTC') }} as created_at,
        {{ xero_list('JournalLines') }} as journal_lines,
        {{ xero_has_unreadable_line('JournalLines', ['NetAmount']) }} as has_unreadable_line
    from source
),

final as (
    select * from renamed
)

select * from final
