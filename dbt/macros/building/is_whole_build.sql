{#- Whether this build makes everything anew: asked for by --full-refresh, for a past night (var
    known_at), in schemas beside the marts (var schema_suffix), or because a table that grows from
    build to build is missing. Only stg_xero__tenants asks, so that it is decided once, as data. -#}
{% macro is_whole_build() -%}
    {%- if execute and var('known_at', none) and not var('schema_suffix', '') -%}
        {{ exceptions.raise_compiler_error(
            'known_at without schema_suffix would write a past night over the marts: give both'
        ) }}
    {%- endif -%}
    {%- set found = namespace(
        is_whole=flags.FULL_REFRESH or var('known_at', none) or var('schema_suffix', '')
    ) -%}
    {%- if execute and not found.is_whole -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model'
            and node.config.materialized == 'incremental'
            and node.config.full_refresh is not false -%}
            {%- set relation = api.Relation.create(
                database=node.database, schema=node.schema, identifier=node.alias
            ) -%}
            {%- if load_relation(relation) is none -%}
                {%- set found.is_whole = true -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(true if found.is_whole else false) }}
{%- endmacro %}
