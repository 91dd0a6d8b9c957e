{#- The first day of the financial year that a date lies in. A year end on a day that a month does
    not have, 29 February, say, is that month's last day; an organisation that names none ends its
    years in December. -#}
{% macro financial_year_start(on_date, end_day, end_month) -%}
    (
        select max(least(
            ended.first_date + coalesce({{ end_day }}, 31) - 1,
            (ended.first_date + interval '1 month')::date - 1
        )) + 1
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
            least(
                ended.first_date + coalesce({{ end_day }}, 31) - 1,
                (ended.first_date + interval '1 month')::date - 1
            ) < {{ on_date }}
    )
{%- endmacro %}

{#- Income and costs, which a year end moves to retained earnings: by class, and by type where Xero
    sends no class. -#}
{% macro is_temporary_account(accounts) -%}
    coalesce(
        {{ accounts }}.account_class in ('REVENUE', 'EXPENSE'),
        {{ accounts }}.account_type in (
            'REVENUE', 'SALES', 'OTHERINCOME', 'EXPENSE', 'OVERHEADS', 'DIRECTCOSTS', 'DEPRECIATN',
            'WAGESEXPENSE', 'SUPERANNUATIONEXPENSE'
        ),
        false
    )
{%- endmacro %}
