{#- Tables of history (full_refresh: false) hold what no record tells later: what each night saw. A
    build in schemas beside the marts (var schema_suffix) has none of its own. It reads that of the
    marts, up to the moment at which each organisation is read, and so leaves what the build of that
    night left. -#}

{#- Not under a unit test, where there is no `this`. -#}
{% macro is_beside_the_marts() -%}
    {{ return(true if execute and this and var('schema_suffix', '') else false) }}
{%- endmacro %}

{#- A model's table of history among the marts, or none; wherever this build is made. No ref: it may
    come after who asks. -#}
{% macro history_in_the_marts(name) -%}
    {%- set found = namespace(relation=none) -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.name == name -%}
            {%- set found.relation = load_relation(api.Relation.create(
                database=node.database, schema=node.config.schema, identifier=node.alias
            )) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found.relation) }}
{%- endmacro %}

{#- What the marts' own table knew before the moment at which each organisation is read: the columns
    of the model, null where the table is older than one. -#}
{% macro known_before_in_the_marts() -%}
    {%- set kept = history_in_the_marts(model.name) -%}
    {%- set columns = columns_of(kept) if kept is not none else [] -%}
    {%- set standing = columns | map(attribute='name') | list -%}
    select
        {%- for column in model.columns.values() %}
        {%- if column.name in standing %}
        kept.{{ column.name }}
        {%- else %}
        null::{{ column.data_type }} as {{ column.name }}
        {%- endif %}
        {{- ',' if not loop.last }}
        {%- endfor %}
    {%- if kept is none %}
    where false
    {%- else %}
    from {{ kept }} as kept
    inner join {{ ref('stg_xero__tenants') }} as tenant
        on
            kept.tenant_id = tenant.tenant_id
            and kept.known_at < tenant.known_at
    {%- endif %}
{%- endmacro %}
