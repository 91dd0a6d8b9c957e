{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['payment_id', 'document_id']) }}",
    indexes=[{'columns': ['tenant_id', 'document_id']}],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

all_payments as not materialized (
    select * from {{ ref('int_payments_converted') }}
),

payments as (
    select all_payments.*
    from touched
    inner join all_payments
        on
            touched.tenant_id = all_payments.tenant_id
            and touched.document_id = all_payments.document_id
    union all
    select all_payments.*
    from touched
    inner join all_payments
        on
            touched.tenant_id = all_payments.tenant_id
            and touched.document_id = all_payments.payment_id
    where all_payments.document_id is null
),

final as (
    select
        tenant_id,
        payment_id,
        batch_payment_id,
        payment_type,
        ledger,
        direction,
        case direction when 'received' then 1 when 'spent' then -1 end as sign,
        status,
        is_approved,
        payment_date,
        document_id,
        case document_kind when 'invoice' then document_id end as invoice_id,
        case document_kind when 'credit_note' then document_id end as credit_note_id,
        case document_kind when 'overpayment' then document_id end as overpayment_id,
        case document_kind when 'prepayment' then document_id end as prepayment_id,
        contact_id,
        account_id,
        is_bank_account,
        is_reconciled,
        reference,
        currency_code,
        currency_rate,
        payment_currency_rate,
        amount,
        base_amount,
        bank_amount,
        bank_base_amount,
        updated_at
    from payments
)

select * from final
