{#- Tables as dbt makes them, but for a night's build, which finds them standing: it fills them in
    place. Nothing is made, swapped and dropped, so that a night costs no catalogue entries, the
    views that read a table stay, and so do its indexes, grants, policies and comments. Whatever
    changes a table's shape is a change of the project's files, which makes everything anew: then
    dbt's own way is taken. -#}
{% materialization table, adapter='postgres' -%}
    {%- if is_filled_in_place() -%}
        {{ return(fill_in_place('renew_all')) }}
    {%- endif -%}
    {{ return(materialization_table_default()) }}
{%- endmaterialization %}

{% materialization incremental, adapter='postgres' -%}
    {%- if is_filled_in_place() -%}
        {{ return(fill_in_place(config.get('incremental_strategy'))) }}
    {%- endif -%}
    {{ return(materialization_incremental_default()) }}
{%- endmaterialization %}

{% macro is_filled_in_place() -%}
    {%- set standing = load_cached_relation(this) -%}
    {{ return(standing is not none and standing.is_table and not flags.FULL_REFRESH) }}
{%- endmacro %}

{% macro fill_in_place(strategy) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if strategy in ['append', 'renew_all'] -%}
        {%- set columns = columns_of(target) | map(attribute='quoted') | join(', ') -%}
        {%- if strategy == 'renew_all' -%}
            {#- Where readers may be at it, they go on seeing what was. -#}
            {%- do run_query(('delete from ' if 'marts' in model.fqn else 'truncate ') ~ target) -%}
        {%- endif -%}
        {%- call statement('main') -%}
            insert into {{ target }} ({{ columns }})
            select {{ columns }}
            from (
                {{ sql }}
            ) as made
        {%- endcall -%}
    {%- else -%}
        {%- set made = make_temp_relation(target) -%}
        {%- do run_query('create temporary table ' ~ made ~ ' on commit drop as (' ~ sql ~ '\n)') -%}
        {%- set write = adapter.get_incremental_strategy_macro(context, strategy) -%}
        {%- call statement('main') -%}
            {{ write({
                'target_relation': target,
                'temp_relation': made,
                'unique_key': config.get('unique_key'),
                'dest_columns': columns_of(target),
                'incremental_predicates': none,
            }) }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{%- endmacro %}

{#- Their names, from Postgres's own catalogue, which answers at once. -#}
{% macro columns_of(relation) -%}
    {%- set found = run_query(
        "select attname from pg_catalog.pg_attribute where attrelid = '" ~ relation ~ "'::regclass"
        ~ " and attnum > 0 and not attisdropped order by attnum"
    ) -%}
    {%- set columns = [] -%}
    {%- for name in found.columns[0].values() -%}
        {%- do columns.append(api.Column(name, '')) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
