{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['credit_note_id']) }}",
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

credit_notes as (
    select * from {{ ref('stg_xero__credit_notes') }}
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
),

settled as (
    select
        settlements.tenant_id,
        settlements.document_id,
        sum(settlements.base_amount) as applied_base_amount
    from touched
    inner join settlements
        on
            touched.tenant_id = settlements.tenant_id
            and touched.document_id = settlements.document_id
    where settlements.document_kind = 'credit_note'
    group by settlements.tenant_id, settlements.document_id
),

final as (
    select
        credit_notes.tenant_id,
        credit_notes.credit_note_id,
        credit_notes.contact_id,
        credit_notes.contact_name,
        credit_notes.credit_note_type,
        credit_notes.ledger,
        credit_notes.status,
        credit_notes.is_approved,
        credit_notes.credit_note_number,
        credit_notes.reference,
        credit_notes.credit_note_date,
        credit_notes.currency_code,
        credit_notes.currency_rate,
        credit_notes.net_amount,
        credit_notes.tax_amount,
        credit_notes.total_amount,
        credit_notes.remaining_amount,
        {{ to_base('credit_notes.net_amount', 'credit_notes.currency_rate') }} as net_base_amount,
        {{ to_base('credit_notes.tax_amount', 'credit_notes.currency_rate') }} as tax_base_amount,
        {{ to_base('credit_notes.total_amount', 'credit_notes.currency_rate') }}
            as total_base_amount,
        case
            when credit_notes.currency_rate is not null
                then coalesce(settled.applied_base_amount, 0)
        end as applied_base_amount,
        credit_notes.updated_at
    from touched
    inner join credit_notes
        on
            touched.tenant_id = credit_notes.tenant_id
            and touched.document_id = credit_notes.credit_note_id
    left join settled
        on
            credit_notes.tenant_id = settled.tenant_id
            and credit_notes.credit_note_id = settled.document_id
)

select * from final
