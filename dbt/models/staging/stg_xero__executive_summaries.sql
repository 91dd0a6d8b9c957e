{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('executive_summaries', 'executive_summary_id') }}",
    indexes=[{'columns': ['tenant_id', 'executive_summary_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('executive_summaries') }}
),

renamed as (
    select
        tenant_id,
        record_id as executive_summary_id,
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
