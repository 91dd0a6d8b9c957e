{#- The schemas are fixed: xero_staging, xero_intermediate, xero_marts, without dbt's prefix.
    The var schema_suffix moves all three aside, for a night rebuilt with the var known_at. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{- (custom_schema_name or target.schema) | trim -}}
    {%- if var('schema_suffix', '') -%} _{{ var('schema_suffix') }} {%- endif -%}
{%- endmacro %}
