{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['invoice_id']) }}",
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

allocations as (
    select * from {{ ref('int_allocations_gathered') }}
),

documents as not materialized (
    select * from {{ ref('int_documents_converted') }}
),

touched_allocations as (
    select allocations.*
    from touched
    inner join allocations
        on
            touched.tenant_id = allocations.tenant_id
            and touched.document_id = allocations.invoice_id
),

final as (
    select
        touched_allocations.tenant_id,
        touched_allocations.invoice_id,
        touched_allocations.credit_kind,
        touched_allocations.credit_id,
        coalesce(invoices.ledger, credits.ledger) as ledger,
        coalesce(invoices.contact_id, credits.contact_id) as contact_id,
        case
            when invoices.is_counted and coalesce(credits.is_counted, true)
                then {{ allocation_date(
                    'coalesce(credits.document_date, touched_allocations.credit_date)',
                    'invoices.document_date'
                ) }}
        end as allocation_date,
        coalesce(invoices.currency_code, credits.currency_code, 'XXX') as currency_code,
        touched_allocations.amount,
        {{ to_base('touched_allocations.amount', 'invoices.currency_rate') }}
            as invoice_base_amount,
        {{ to_base('touched_allocations.amount', 'credits.currency_rate') }} as credit_base_amount
    from touched_allocations
    left join documents as invoices
        on
            touched_allocations.tenant_id = invoices.tenant_id
            and touched_allocations.invoice_id = invoices.document_id
            and invoices.document_kind = 'invoice'
    left join documents as credits
        on
            touched_allocations.tenant_id = credits.tenant_id
            and touched_allocations.credit_id = credits.document_id
            and touched_allocations.credit_kind = credits.document_kind
)

select * from final
