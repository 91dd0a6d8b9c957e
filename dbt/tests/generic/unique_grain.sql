{#- No two rows share these columns, and none of them is null. A table with a unique index on
    exactly these columns was watched by Postgres while it was written: only nulls are asked for,
    and those of not-null columns are not even looked for. -#}
{% test unique_grain(model, columns) %}
    with watched as (
        select exists (
            select
            from pg_catalog.pg_index as index_
            where
                index_.indrelid = '{{ model }}'::regclass
                and index_.indisunique
                and index_.indpred is null
                and index_.indexprs is null
                and (
                    select array_agg(attribute.attname::text order by attribute.attname)
                    from pg_catalog.pg_attribute as attribute
                    where
                        attribute.attrelid = index_.indrelid
                        and attribute.attnum = any(index_.indkey)
                ) = array[
                    {%- for column in columns | sort -%}
                        '{{ column }}'{{ ', ' if not loop.last }}
                    {%- endfor -%}
                ]
        ) as is_watched
    )

    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    where not (select is_watched from watched)
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {%- for column in columns %}
        or {{ column }} is null
        {%- endfor %}
    union all
    select
        {{ columns | join(', ') }},
        1 as row_count
    from {{ model }}
    where
        (select is_watched from watched)
        and (
            {%- for column in columns %}
            {{ 'or ' if not loop.first }}{{ column }} is null
            {%- endfor %}
        )
{% endtest %}
