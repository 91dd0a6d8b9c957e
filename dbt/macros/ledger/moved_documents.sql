{#- The rows of a relation whose postings this build makes again: those of the documents in
    int_documents_touched. Every model of the ledger begins with them, so that a night costs what
    changed and not what there is. -#}
{% macro moved_documents(relation, id_column='document_id') -%}
    {%- set id = id_column if '(' in id_column else 'record.' ~ id_column -%}
    (
        select record.*
        from {{ ref('int_documents_touched') }} as touched
        inner join {{ relation }} as record
            on
                touched.tenant_id = record.tenant_id
                and touched.document_id = {{ id }}
    ) as moved
{%- endmacro %}
