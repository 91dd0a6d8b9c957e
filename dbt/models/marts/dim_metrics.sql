{#- Not swapped, for the views that read it. The metrics are those of the project's files, which
    make everything anew when they change. -#}
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_rebuilt() }}",
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
    where is_rebuilt
),

metrics (metric, theme, unit, is_by_currency, description) as (
    values
    {%- for model_name in ['rpt_daily_statistics', 'rpt_daily_statistics_by_currency'] %}
    {%- set outer_loop = loop %}
    {%- for metric in daily_metrics(model_name) %}
    (
        '{{ metric.name }}',
        '{{ metric.theme }}',
        '{{ metric.unit }}',
        {{ not outer_loop.first }},
        '{{ metric.description | replace("'", "''") }}'
    ),
    {%- endfor %}
    {%- endfor %}
    (null, null, null, null, null)
),

final as (
    select
        tenants.tenant_id,
        metrics.metric,
        metrics.theme,
        metrics.unit,
        metrics.is_by_currency,
        metrics.description
    from tenants
    cross join metrics
    where metrics.metric is not null
)

select * from final
