{#- The day on which a financial year ends in the month that begins on a date: on a day that the
    month does not have, 29 February, say, its last day. -#}
{% macro financial_year_end(month_start_date, end_day) -%}
    least(
        {{ month_start_date }} + {{ end_day }} - 1,
        ({{ month_start_date }} + interval '1 month')::date - 1
    )
{%- endmacro %}

{#- The first day of the financial year that a date lies in; an organisation that names no year end
    ends its years in December. -#}
{% macro financial_year_start(on_date, end_day, end_month) -%}
    (
        select max({{ financial_year_end('ended.first_date', 'coalesce(' ~ end_day ~ ', 31)') }}) + 1
        from
            (
                values
                (make_date(
                    extract(year from {{ on_date }})::integer, coalesce({{ end_month }}, 12), 1
                )),
                (make_date(
                    extract(year from {{ on_date }})::integer - 1, coalesce({{ end_month }}, 12), 1
                ))
            ) as ended (first_date)
        where
            {{ financial_year_end('ended.first_date', 'coalesce(' ~ end_day ~ ', 31)') }}
            < {{ on_date }}
    )
{%- endmacro %}

{#- Income and costs, which a year end moves to retained earnings. -#}
{% macro is_temporary_account(accounts) -%}
    coalesce({{ statement_class(accounts) }} in ('REVENUE', 'EXPENSE'), false)
{%- endmacro %}
