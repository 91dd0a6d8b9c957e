{#- A document's amount in the organisation's base currency: rates are foreign units per base unit,
    so divide; two decimals, half away from zero. Null without a rate: such a document is an error
    row, never a rate of 1. -#}
{% macro to_base(amount, rate) -%}
    round(({{ amount }}) / nullif({{ rate }}, 0), 2)
{%- endmacro %}

{#- The rate of a record: 1 in the base currency, else Xero's rate, else null. -#}
{% macro usable_rate(currency_code, rate, base_currency_code) -%}
    case
        when {{ currency_code }} = {{ base_currency_code }} then 1
        when {{ rate }} > 0 then {{ rate }}
    end
{%- endmacro %}
