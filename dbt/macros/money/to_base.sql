{#- A document's amount in the organisation's base currency: rates are foreign units per base unit,
    so divide; two decimals, half away from zero. Null without a rate: such a document is an error
    row, never a rate of 1. -#}
{% macro to_base(amount, rate) -%}
    round(({{ amount }}) / nullif({{ rate }}, 0), 2)
{%- endmacro %}

{#- What a line is without its tax, and its tax: the amount, which is after discount, has tax in it
    where the document says Inclusive, and none of its own where it says NoTax. -#}
{% macro net_of_line(line_amount_types, line_amount, tax_amount) -%}
    case {{ line_amount_types }}
        when 'Inclusive' then {{ line_amount }} - {{ tax_amount }} else {{ line_amount }}
    end
{%- endmacro %}
{% macro tax_of_line(line_amount_types, tax_amount) -%}
    case {{ line_amount_types }} when 'NoTax' then 0 else {{ tax_amount }} end
{%- endmacro %}

{#- The rate of a record: 1 in the base currency, else Xero's rate, else null. -#}
{% macro usable_rate(currency_code, rate, base_currency_code) -%}
    case
        when {{ currency_code }} = {{ base_currency_code }} then 1
        else {{ rate_that_converts(rate) }}
    end
{%- endmacro %}

{#- No currency is worth more than ten million of another; a rate beyond is a slip, and there is none. -#}
{% macro rate_that_converts(rate) -%}
    case when {{ rate }} between 0.0000001 and 10000000 then {{ rate }} end
{%- endmacro %}
