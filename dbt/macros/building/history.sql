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

{#- The statements that give a standing table of history the types that its yml promises, for no
    build makes it anew, and let columns that it promises no more be empty; nothing where it is so.
    Our own views that read it go: a build of changed files is a whole one, and makes them again.
    Those of others Postgres names, and refuses. -#}
{% macro give_promised_types() -%}
    {%- set promised = promised_types() -%}
    {%- set changes = [] -%}
    {%- for column in columns_of(this) if promised.get(column.name, column.dtype) != column.dtype -%}
        {%- do changes.append('alter column ' ~ column.quoted ~ ' type ' ~ promised[column.name]) -%}
    {%- endfor -%}
    {%- if changes -%}
        {%- set views = own_views_of(this) -%}
        {%- if views -%}
            drop view {{ views | join(', ') }};
            {%- for view in views -%}
                {%- do adapter.cache_dropped(view) -%}
            {%- endfor -%}
        {%- endif -%}
        alter table {{ this }} {{ changes | join(', ') }};
    {%- endif -%}
    {%- for column in required_columns_of(this) if column not in promised -%}
        alter table {{ this }} alter column {{ adapter.quote(column) }} drop not null;
    {%- endfor -%}
{%- endmacro %}

{#- The models that read a table as views. -#}
{% macro own_views_of(table) -%}
    {%- set found = run_query(
        "select distinct reader.relnamespace::regnamespace || '.' || reader.relname"
        ~ " from pg_catalog.pg_depend as depending"
        ~ " inner join pg_catalog.pg_rewrite as rule on rule.oid = depending.objid"
        ~ " inner join pg_catalog.pg_class as reader on reader.oid = rule.ev_class"
        ~ " where depending.classid = 'pg_rewrite'::regclass"
        ~ " and depending.refclassid = 'pg_class'::regclass"
        ~ " and depending.refobjid = '" ~ table ~ "'::regclass"
    ) -%}
    {%- set readers = found.columns[0].values() | list -%}
    {%- set views = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'model' and node.schema ~ '.' ~ node.alias in readers -%}
        {%- do views.append(api.Relation.create(
            database=node.database, schema=node.schema, identifier=node.alias, type='view'
        )) -%}
    {%- endfor -%}
    {{ return(views) }}
{%- endmacro %}
