{#- A column of personal data: null unless its switch, a var of dbt_project.yml, is on. -#}
{% macro where_switched_on(switch, column) -%}
    {{ column if var(switch) else 'null::text as ' ~ column.split('.')[-1] }}
{%- endmacro %}
