{#- The rows of a relation whose postings this build makes again: those of the documents in
    int_documents_touched. Every model of the ledger begins with them, so that a night costs what
    changed and not what there is.

    Asked for by `exists`, because a join by two columns makes the planner expect a row where
    there are thousands: it multiplies the chances of the organisation and of the document, and
    then joins what it takes for a row by loops within loops. -#}
{% macro moved_documents(relation, id_column='document_id') -%}
    (
        select record.*
        from {{ relation }} as record
        where exists (
            select from {{ ref('int_documents_touched') }} as touched
            where
                record.tenant_id = touched.tenant_id
                and record.{{ id_column }} = touched.document_id
        )
    ) as moved
{%- endmacro %}
