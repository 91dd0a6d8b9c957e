{#- Whether a document that money or another document names, joined by its id, is missing from what
    is outstanding: it cannot be read, or is a row of fct_document_errors that is not counted. -#}
{% macro is_left_out(document) -%}
    (
        {{ document }}.document_id is null
        or ({{ document }}.error is not null and not {{ document }}.is_counted)
    )
{%- endmacro %}
