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

spans as (
    select
        documents.tenant_id,
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
)

select * from final
