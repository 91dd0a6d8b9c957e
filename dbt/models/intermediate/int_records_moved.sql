{#- What each extraction moved, so that a level at any day is a sum: what a record counts for now
    less what it counted for before. Days are those on which it counts: of levels the first day that
    was open when it was seen, of what is told by the records' own dates those dates. -#}
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_known_later() }}",
    indexes=[{'columns': ['tenant_id', 'known_at']}],
) }}

with

versions as (
    select * from {{ ref('stg_xero__compared_versions') }}
    where endpoint in (
        'bank_transactions', 'manual_journals', 'items', 'quotes', 'purchase_orders',
        'repeating_invoices'
    )
),

signed as (
    select
        tenant_id,
        known_at,
        endpoint,
        open_day,
        1 as sign,
        status,
        is_approved,
        document_date,
        measure,
        quantity,
        base_amount
    from versions
    where not is_deleted
    union all
    select
        tenant_id,
        known_at,
        endpoint,
        open_day,
        -1 as sign,
        former_status as status,
        former_is_approved as is_approved,
        former_document_date as document_date,
        former_measure as measure,
        former_quantity as quantity,
        former_base_amount as base_amount
    from versions
    where
        has_former
        and not former_is_deleted
),

measured as (
    select
        tenant_id,
        known_at,
        measure,
        open_day as day,
        -- The age of what waits to be reconciled is asked for.
        case when endpoint = 'bank_transactions' then document_date end as document_date,
        sign,
        quantity,
        base_amount
    from signed
    where measure is not null
    union all
    select
        signed.tenant_id,
        signed.known_at,
        dated.measure,
        signed.document_date as day,
        null::date as document_date,
        signed.sign,
        null::numeric as quantity,
        signed.base_amount
    from signed
    cross join lateral (
        values
        ('manual_journals', signed.endpoint = 'manual_journals' and signed.is_approved),
        (
            'quotes_decided',
            signed.endpoint = 'quotes' and signed.status in ('ACCEPTED', 'INVOICED', 'DECLINED')
        ),
        (
            'quotes_won',
            signed.endpoint = 'quotes' and signed.status in ('ACCEPTED', 'INVOICED')
        )
    ) as dated (measure, is_met)
    where
        dated.is_met
        and signed.document_date is not null
),

final as (
    select
        tenant_id,
        known_at,
        measure,
        day,
        document_date,
        sum(sign)::integer as record_count,
        sum(sign * coalesce(quantity, 0)) as quantity,
        sum(sign * coalesce(base_amount, 0)) as base_amount
    from measured
    group by tenant_id, known_at, measure, day, document_date
    having
        sum(sign) <> 0
        or sum(sign * coalesce(quantity, 0)) <> 0
        or sum(sign * coalesce(base_amount, 0)) <> 0
)

select * from final
