{#- An incremental strategy for tables of documents, settlements and lines: of the documents that this
    build looks at again, what differs goes, what is new is appended, and what is as before stays
    where it is. Most of them are paid or edited without other lines, and a row that is written
    again is written into every index at a random place of a large table. Equal is what is equal to
    the digit, so that a full refresh leaves the same.

    Wants unique_key, the tenant and the column that names the document, and forget_rebuilt as
    pre-hook. -#}
{% macro get_incremental_renew_touched_sql(arg_dict) %}
    {%- set kept, made = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set stood = make_temp_relation(kept, '__stood') -%}
    {{ remember_touched(kept, stood, key[1:]) }};
    analyze {{ made }};
    {{ delete_what_differs(kept, made, stood, key, columns) }};
    {{ insert_what_is_new(kept, made, stood, key, columns) }}
{% endmacro %}

{#- What stands of the touched documents, looked up once: its places are good until the end of the
    transaction, in which nobody else writes. `named_by` are the columns that may name a touched
    document. How many there are, the planner guesses too low, and would compare each with every
    other; so it is told. -#}
{% macro remember_touched(kept, stood, named_by) -%}
    create temporary table {{ stood }} on commit drop as (
        {%- for column in named_by %}
        select kept.ctid as place, kept.*
        from {{ kept }} as kept
        inner join {{ ref('int_documents_touched') }} as touched
            on
                kept.tenant_id = touched.tenant_id
                and kept.{{ column }} = touched.document_id
        {%- if not loop.first %}
        where
            not exists (
                select from {{ ref('int_documents_touched') }} as found
                where
                    found.tenant_id = kept.tenant_id
                    and found.document_id in (kept.{{ named_by[:loop.index0] | join(', kept.') }})
            )
        {%- endif %}
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    );
    analyze {{ stood }}
{%- endmacro %}

{% macro delete_what_differs(kept, made, stood, key, columns) -%}
    delete from {{ kept }} as kept
    where kept.ctid = any(array(
        select stood.place from {{ stood }} as stood
        where not exists (
            select from {{ made }} as made
            where {{ is_as_before(key, columns) }}
        )
    ))
{%- endmacro %}

{% macro insert_what_is_new(kept, made, stood, key, columns) -%}
    insert into {{ kept }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }}
    from {{ made }} as made
    where not exists (
        select from {{ stood }} as stood
        where {{ is_as_before(key, columns) }}
    )
{%- endmacro %}

{% macro is_as_before(key, columns) -%}
    {%- for column in key %}
    made.{{ column }} = stood.{{ column }} and
    {%- endfor %}
    record_image_eq(
        row(made.{{ columns | join(', made.') }}),
        row(stood.{{ columns | join(', stood.') }})
    )
{%- endmacro %}
