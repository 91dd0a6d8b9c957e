{#- An incremental strategy for tables that are computed whole and change little: what differs is
    deleted, what is missing is appended, the rest stays. Without the swap of an ordinary table,
    which would drop the views that read it until they are made again, and without writing a
    hundred thousand rows every night that stand already. Wants unique_key, a list of columns that
    are never null, and a word of stg_xero__tenants in the model, for analyze_table. -#}
{% macro get_incremental_renew_changed_sql(arg_dict) %}
    {%- set kept, made = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    delete from {{ kept }} as kept
    where not exists (
        select from {{ made }} as made
        where
            {%- for column in arg_dict['unique_key'] %}
            kept.{{ column }} = made.{{ column }} and
            {%- endfor %}
            (kept.{{ columns | join(', kept.') }})
            is not distinct from (made.{{ columns | join(', made.') }})
    );
    insert into {{ kept }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ made }} as made
    where not exists (
        select from {{ kept }} as kept
        where
            {%- for column in arg_dict['unique_key'] %}
            {{ 'and ' if not loop.first }}kept.{{ column }} = made.{{ column }}
            {%- endfor %}
    )
{% endmacro %}
