{#- Every id points to a row of the same tenant: two organisations may hold the same ids. Looked at in
    the rows that this build made again, which are all of them in a whole build; `named_by` are the
    columns by which int_documents_touched names them. -#}
{% test relationships_by_tenant(model, column_name, to, field, named_by) %}
    {%- for column in named_by %}
    select
        child.tenant_id,
        child.{{ column_name }}
    from {{ model }} as child
    left join {{ to }} as parent
        on
            child.tenant_id = parent.tenant_id
            and child.{{ column_name }} = parent.{{ field }}
    where
        child.{{ column_name }} is not null
        and parent.{{ field }} is null
        and exists (
            select from {{ ref('int_documents_touched') }} as touched
            where
                child.tenant_id = touched.tenant_id
                and child.{{ column }} = touched.document_id
        )
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
{% endtest %}
