{#- Not materialized, so that the documents asked for are found through the indexes. -#}
with

documents as (
    select * from {{ ref('int_documents_converted') }}
    where
        is_counted
        and document_kind = 'invoice'
),

closed as (
    select * from {{ ref('int_documents_closed') }}
),

document_errors as not materialized (
    select * from {{ ref('int_document_errors_listed') }}
    where error = 'no_rate'
),

spans as (
    select
        documents.tenant_id,
        documents.document_id,
        documents.ledger,
        documents.currency_code,
        documents.document_date as open_date,
        greatest(documents.document_date, documents.due_date + 1) as overdue_date,
        documents.due_date is not null as has_due_date,
        coalesce(closed.closed_date, 'infinity'::date) as closed_date
    from documents
    left join closed
        on
            documents.tenant_id = closed.tenant_id
            and documents.document_id = closed.document_id
    where documents.total_amount <> 0
),

final as (
    select
        spans.tenant_id,
        spans.document_id,
        spans.currency_code,
        spans.ledger || '_' || state.state_name as measure,
        movement.event_date,
        movement.sign as event_count,
        0::numeric as amount,
        0::numeric as base_amount
    from spans
    cross join lateral (
        values
        ('outstanding', spans.open_date, true),
        ('overdue', spans.overdue_date, spans.has_due_date)
    ) as state (state_name, first_day, is_possible)
    cross join lateral (
        values
        (1, state.first_day),
        (-1, spans.closed_date)
    ) as movement (sign, event_date)
    where
        state.is_possible
        and state.first_day < spans.closed_date
        and movement.event_date < 'infinity'::date
    union all
    -- Forgotten by the document that it is about, a payment's by the document that is paid.
    {%- for document_id, is_chosen in {
        'settled_document_id': 'settled_document_id is not null',
        'document_id': 'settled_document_id is null',
    }.items() %}
    select
        tenant_id,
        {{ document_id }} as document_id,
        currency_code,
        'conversion_error' as measure,
        document_date as event_date,
        1 as event_count,
        0::numeric as amount,
        0::numeric as base_amount
    from document_errors
    where {{ is_chosen }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from final
