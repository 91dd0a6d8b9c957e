{#- One row per line of the documents that a build makes again. `documents` is their staging model,
    `id` its key, `posted_id` the column with the id under which the ledger has them; `of_document`
    and `of_line` are what these rows show besides. Drafts and voided documents have lines, too: what
    the ledger posts knows only of others, so theirs are converted here. -#}
{% macro lines_of_documents(documents, id, posted_id, of_document, of_line=[]) %}
with

documents as (
    select * from {{ moved_documents(ref(documents), posted_id) }}
),

posted_lines as (
    select * from {{ moved_documents(ref('int_document_lines_converted')) }}
    where not is_rounding
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
    where is_by_code
),

lines as (
    select
        documents.tenant_id,
        documents.{{ id }},
        line.line_number::integer as line_number,
        {{ xero_line_item_columns('line.element') }}
    from documents
    cross join lateral jsonb_array_elements(documents.line_items)
        with ordinality as line (element, line_number)
),

netted as (
    select
        documents.tenant_id,
        documents.{{ id }},
        documents.{{ posted_id }} as posted_id,
        {%- for column in of_document %}
        documents.{{ column }},
        {%- endfor %}
        documents.contact_id,
        documents.status,
        documents.is_approved,
        documents.currency_code,
        documents.currency_rate,
        lines.line_number,
        lines.line_item_id,
        lines.account_code,
        lines.item_code,
        lines.description,
        lines.quantity,
        lines.unit_amount,
        {%- for column in of_line %}
        lines.{{ column }},
        {%- endfor %}
        lines.tax_type,
        {{ net_of_line('documents.line_amount_types', 'lines.line_amount', 'lines.tax_amount') }}
            as net_amount,
        {{ tax_of_line('documents.line_amount_types', 'lines.tax_amount') }} as tax_amount
    from documents
    inner join lines
        on
            documents.tenant_id = lines.tenant_id
            and documents.{{ id }} = lines.{{ id }}
),

final as (
    select
        netted.tenant_id,
        netted.{{ id }},
        netted.line_number,
        netted.line_item_id,
        {%- for column in of_document %}
        netted.{{ column }},
        {%- endfor %}
        netted.contact_id,
        netted.status,
        netted.is_approved,
        coalesce(posted_lines.account_id, accounts.account_id) as account_id,
        netted.account_code,
        netted.item_code,
        netted.description,
        netted.quantity,
        netted.unit_amount,
        {%- for column in of_line %}
        netted.{{ column }},
        {%- endfor %}
        netted.tax_type,
        posted_lines.tracking_option_1_id,
        posted_lines.tracking_option_2_id,
        netted.currency_code,
        netted.net_amount,
        netted.tax_amount,
        -- What is left over by rounding stands on the line that the ledger puts it on.
        coalesce(
            posted_lines.net_base_amount, {{ to_base('netted.net_amount', 'netted.currency_rate') }}
        ) as net_base_amount,
        coalesce(
            posted_lines.tax_base_amount, {{ to_base('netted.tax_amount', 'netted.currency_rate') }}
        ) as tax_base_amount
    from netted
    left join posted_lines
        on
            netted.tenant_id = posted_lines.tenant_id
            and netted.posted_id = posted_lines.document_id
            and netted.line_number = posted_lines.line_number
    left join accounts
        on
            netted.tenant_id = accounts.tenant_id
            and netted.account_code = accounts.account_code
)

select * from final
{%- endmacro %}
