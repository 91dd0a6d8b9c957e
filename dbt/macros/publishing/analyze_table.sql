{#- Post-hook of the tables that others join: a table without statistics is a thousand rows to the
    planner, which then joins every day with every other. Views have none. A table that grows is
    looked at again when a tenant was made anew; small changes are left to autovacuum. -#}
{% macro analyze_table() -%}
    {%- if model.config.materialized == 'table' -%}
        analyze {{ this }}
    {%- elif model.config.materialized == 'incremental' -%}
        do $analyze$
        begin
            if exists (select from {{ ref('stg_xero__tenants') }} where is_rebuilt) then
                analyze {{ this }};
            end if;
        end
        $analyze$
    {%- endif -%}
{%- endmacro %}
