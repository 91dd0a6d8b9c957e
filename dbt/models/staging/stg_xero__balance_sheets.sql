{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('balance_sheets', 'balance_sheet_id') }}",
    indexes=[{'columns': ['tenant_id', 'balance_sheet_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('balance_sheets') }}
),

renamed as (
    select
        tenant_id,
        record_id as balance_sheet_id,
        -- The key holds what was asked for: the report's own date is localised text.
        split_part(record_id, ':', 2)::date as report_date,
        split_part(record_id, ':', 3) as basis,
        {{ xero_text('ReportName') }} as report_name,
        {{ xero_list('Rows') }} as report_rows,
        known_from,
        xero_updated_at as updated_at
    from source
),

final as (
    select * from renamed
)

select * from final
