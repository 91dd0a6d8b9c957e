{#- Post-hook of the tables that others join: a table without statistics is a thousand rows to the
    planner, which then joins every day with every other. Views have none. -#}
{% macro analyze_table() -%}
    {%- if model.config.materialized == 'table' -%} analyze {{ this }} {%- endif -%}
{%- endmacro %}
