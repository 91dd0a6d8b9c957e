{#- No two rows share these columns, and none of them is null. A table with a unique index on
    exactly these columns was watched by Postgres while it was written: only nulls are asked for,
    and those of not-null columns are not even looked for. -#}
{% test unique_grain(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    where not exists (
        select
        from pg_catalog.pg_index as watched
        where
            watched.indrelid = '{{ model }}'::regclass
            and watched.indisunique
            and watched.indpred is null
            and watched.indexprs is null
            and (
                select array_agg(attribute.attname::text order by attribute.attname)
                from pg_catalog.pg_attribute as attribute
                where
                    attribute.attrelid = watched.indrelid
                    and attribute.attnum = any(watched.indkey)
            ) = array[
                {%- for column in columns | sort -%}
                    '{{ column }}'{{ ', ' if not loop.last }}
                {%- endfor -%}
            ]
    )
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns %}
        or {{ column }} is null
        {%- endfor %}
{% endtest %}
