{#- Not materialized, so that the documents asked for are found through the indexes. -#}
with

documents as (
    select * from {{ ref('int_documents_converted') }}
    where is_counted
),

settlements as not materialized (
    select * from {{ ref('int_settlements_dated') }}
),

credits as (
    select
        tenant_id,
        document_id,
        currency_code,
        ledger,
        document_kind,
        document_date as event_date,
        total_amount as amount,
        total_base_amount as base_amount
    from documents
    where document_kind <> 'invoice'
    union all
    select
        tenant_id,
        document_id,
        currency_code,
        ledger,
        document_kind,
        settled_date as event_date,
        -amount as amount,
        -base_amount as base_amount
    from settlements
    where document_kind <> 'invoice'
),

unapplied as (
    select
        tenant_id,
        document_id,
        currency_code,
        ledger || case document_kind
            when 'prepayment' then '_unapplied_prepayment' else '_unapplied_credit'
        end as measure,
        event_date,
        amount,
        base_amount
    from credits
),

-- Payments dated before their document: on the control account already, not yet on the document.
-- Refunds ahead of their credit count against them; prepayments are not on the control account.
ahead as (
    select
        settlements.tenant_id,
        settlements.document_id,
        settlements.currency_code,
        settlements.ledger || '_paid_ahead' as measure,
        movement.event_date,
        movement.sign
        * case settlements.document_kind when 'invoice' then 1 else -1 end
        * settlements.amount as amount,
        movement.sign
        * case settlements.document_kind when 'invoice' then 1 else -1 end
        * settlements.base_amount as base_amount
    from settlements
    cross join lateral (
        values
        (1, settlements.source_date),
        (-1, settlements.settled_date)
    ) as movement (sign, event_date)
    where
        settlements.source_date < settlements.settled_date
        and settlements.document_kind <> 'prepayment'
),

united as (
    select * from unapplied
    union all
    select * from ahead
),

final as (
    select
        tenant_id,
        document_id,
        currency_code,
        measure,
        event_date,
        0 as event_count,
        amount,
        base_amount
    from united
)

select * from final
