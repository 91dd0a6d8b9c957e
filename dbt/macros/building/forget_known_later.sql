{#- Pre-hook of tables that note what each extraction saw: what a build appended that was not marked
    as good goes, and is appended again. -#}
{% macro forget_known_later() -%}
    {%- set tenants = ref('stg_xero__tenants') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ tenants }} as tenant
        where
            kept.tenant_id = tenant.tenant_id
            and not tenant.is_rebuilt
            and kept.known_at > tenant.built_known_at
    {%- endif -%}
{%- endmacro %}
