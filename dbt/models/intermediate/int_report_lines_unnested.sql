{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved_reports() }}",
    indexes=[
        {'columns': ['tenant_id', 'report_id', 'line_number'], 'unique': true},
        {'columns': ['tenant_id', 'known_from']},
    ],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

{%- for endpoint, _ in tied_reports().values() %}

{{ endpoint }} as (
    select * from {{ ref('stg_xero__' ~ endpoint) }}
),

{%- endfor %}

-- Those that arrived since the last build; every one of tenants that are built anew.
reports as (
    {%- for report, (endpoint, id_column) in tied_reports().items() %}
    select
        {{ endpoint }}.tenant_id,
        '{{ report }}' as report,
        {{ endpoint }}.{{ id_column }} as report_id,
        {{ endpoint }}.basis,
        {{ endpoint }}.report_date,
        {{ endpoint }}.report_rows,
        {{ endpoint }}.known_from
    from {{ endpoint }}
    inner join tenants
        on
            {{ endpoint }}.tenant_id = tenants.tenant_id
            and (tenants.is_rebuilt or {{ endpoint }}.known_from > tenants.built_known_at)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        reports.tenant_id,
        reports.report,
        reports.report_id,
        reports.basis,
        reports.report_date,
        report_row.line_number,
        report_row.section_title,
        {{ xero_report_line_columns('report_row.element') }},
        reports.known_from
    from reports
    cross join lateral {{ xero_titled_report_rows('reports.report_rows') }}
)

select * from final
