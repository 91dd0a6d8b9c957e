{#- A ratio of two amounts with six places; null where there is nothing to divide by. -#}
{% macro ratio_of(amount, by) -%}
    round(({{ amount }}) / nullif({{ by }}, 0), 6)
{%- endmacro %}
