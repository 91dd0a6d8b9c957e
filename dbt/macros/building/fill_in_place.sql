{#- Tables as dbt makes them, but for a night's build, which finds them standing: it fills them in
    place. Nothing is made, swapped and dropped, so that a night costs no catalogue entries, the
    views that read a table stay, and so do its indexes, grants, policies and comments. Whatever
    changes a table's shape is a change of the project's files, which makes everything anew: then
    dbt's own way is taken. -#}
{% materialization table, adapter='postgres' -%}
    {%- if is_filled_in_place() -%}
        {%- set key = primary_key_of(model) -%}
        {{ return(fill_in_place('renew_changed' if key else 'renew_all', key)) }}
    {%- endif -%}
    {{ return(materialization_table_default()) }}
{%- endmaterialization %}

{% materialization incremental, adapter='postgres' -%}
    {%- if is_filled_in_place() -%}
        {{ return(fill_in_place(config.get('incremental_strategy'), config.get('unique_key'))) }}
    {%- endif -%}
    {{ return(materialization_incremental_default()) }}
{%- endmaterialization %}

{% macro is_filled_in_place() -%}
    {%- set standing = load_cached_relation(this) -%}
    {{ return(standing is not none and standing.is_table and not flags.FULL_REFRESH) }}
{%- endmacro %}

{% macro fill_in_place(strategy, unique_key) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set standing = promised_columns_of(target) -%}
    {{ require_same_shape(standing) }}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set columns = standing | map(attribute='quoted') | join(', ') -%}
    {%- if strategy in ['append', 'renew_all'] -%}
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
        {#- Like the table itself, so that what is equal is found equal, decimal places included. -#}
        {%- do run_query('create temporary table ' ~ made ~ ' (like ' ~ target ~ ') on commit drop') -%}
        {%- do run_query(
            'insert into ' ~ made ~ ' (' ~ columns ~ ') select ' ~ columns
            ~ ' from (' ~ sql ~ '\n) as made'
        ) -%}
        {%- set write = adapter.get_incremental_strategy_macro(context, strategy) -%}
        {%- call statement('main') -%}
            {{ write({
                'target_relation': target,
                'temp_relation': made,
                'unique_key': unique_key,
                'dest_columns': standing,
                'incremental_predicates': none,
            }) }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{%- endmacro %}

{#- The columns of a mart's primary key, none of other tables. By them a mart that is computed whole
    is renewed by what differs, and what stays is not written. -#}
{% macro primary_key_of(node) -%}
    {%- set keys = node.get('constraints', []) | selectattr('type', 'equalto', 'primary_key') -%}
    {{ return((keys | list + [{'columns': none}])[0]['columns']) }}
{%- endmacro %}

{#- Their names and types, from Postgres's own catalogue, which answers at once. -#}
{% macro columns_of(relation) -%}
    {%- set found = run_query(
        "select attname, format_type(atttypid, atttypmod) from pg_catalog.pg_attribute"
        ~ " where attrelid = '" ~ relation ~ "'::regclass and attnum > 0 and not attisdropped"
        ~ " order by attnum"
    ) -%}
    {%- set columns = [] -%}
    {%- for row in found.rows -%}
        {%- do columns.append(api.Column(row[0], row[1])) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- The names of those that are never null. -#}
{% macro required_columns_of(relation) -%}
    {%- set found = run_query(
        "select attname from pg_catalog.pg_attribute where attrelid = '" ~ relation ~ "'::regclass"
        ~ " and attnum > 0 and not attisdropped and attnotnull"
    ) -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}

{#- Those that are filled. History keeps columns that an earlier version promised, and fills them no
    more. -#}
{% macro promised_columns_of(relation) -%}
    {%- set columns = columns_of(relation) -%}
    {%- if model.config.get('full_refresh') is false -%}
        {%- set names = promised_types().keys() | list -%}
        {{ return(columns | selectattr('name', 'in', names) | list) }}
    {%- endif -%}
    {{ return(columns) }}
{%- endmacro %}

{#- A table that stands gets no new columns: filled in place, it would lack those that its contract
    promises, and nobody would notice. -#}
{% macro require_same_shape(standing) -%}
    {%- if model.config.contract.enforced -%}
        {%- set found, promised = [], [] -%}
        {%- for column in standing -%}
            {%- do found.append(column.name ~ ' ' ~ column.dtype) -%}
        {%- endfor -%}
        {%- for name, type in promised_types().items() -%}
            {%- do promised.append(name ~ ' ' ~ type) -%}
        {%- endfor -%}
        {%- set differing = [] -%}
        {%- for column in found + promised if column not in found or column not in promised -%}
            {%- do differing.append(column) -%}
        {%- endfor -%}
        {%- if differing -%}
            {{ exceptions.raise_compiler_error(
                this.identifier ~ ' stands with other columns than its yml promises ('
                ~ differing | join(', ') ~ '): run dbt build --full-refresh'
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The types of the model's columns by their names, as Postgres's catalogue spells them. -#}
{% macro promised_types() -%}
    {%- set types = {} -%}
    {%- for column in model.columns.values() -%}
        {%- do types.update({
            column.name: column.data_type | replace('timestamptz', 'timestamp with time zone')
        }) -%}
    {%- endfor -%}
    {{ return(types) }}
{%- endmacro %}
