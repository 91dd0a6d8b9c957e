{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['invoice_id']) }}",
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
    where document_kind = 'invoice'
),

settled as (
    select
        settlements.tenant_id,
        settlements.document_id,
        coalesce(
            sum(settlements.base_amount) filter (where settlements.settlement_kind = 'payment'), 0
        ) as paid_base_amount,
        coalesce(
            sum(settlements.base_amount) filter (where settlements.settlement_kind = 'allocation'),
            0
        ) as credited_base_amount
    from touched
    inner join settlements
        on
            touched.tenant_id = settlements.tenant_id
            and touched.document_id = settlements.document_id
    group by settlements.tenant_id, settlements.document_id
),

converted as (
    select
        invoices.*,
        {{ to_base('invoices.net_amount', 'invoices.currency_rate') }} as net_base_amount,
        {{ to_base('invoices.tax_amount', 'invoices.currency_rate') }} as tax_base_amount,
        {{ to_base('invoices.total_amount', 'invoices.currency_rate') }} as total_base_amount,
        -- Each payment and allocation rounds alone, as on the control account.
        case
            when invoices.currency_rate is not null then coalesce(settled.paid_base_amount, 0)
        end as paid_base_amount,
        case
            when invoices.currency_rate is not null then coalesce(settled.credited_base_amount, 0)
        end as credited_base_amount
    from touched
    inner join invoices
        on
            touched.tenant_id = invoices.tenant_id
            and touched.document_id = invoices.invoice_id
    left join settled
        on
            invoices.tenant_id = settled.tenant_id
            and invoices.invoice_id = settled.document_id
),

final as (
    select
        tenant_id,
        invoice_id,
        contact_id,
        contact_name,
        invoice_type,
        ledger,
        status,
        is_approved,
        invoice_number,
        reference,
        invoice_date,
        due_date,
        fully_paid_date,
        expected_payment_date,
        planned_payment_date,
        currency_code,
        currency_rate,
        net_amount,
        tax_amount,
        total_amount,
        paid_amount,
        credited_amount,
        due_amount,
        net_base_amount,
        tax_base_amount,
        total_base_amount,
        paid_base_amount,
        credited_base_amount,
        case
            when is_approved then total_base_amount - paid_base_amount - credited_base_amount
            else {{ to_base('due_amount', 'currency_rate') }}
        end as due_base_amount,
        line_amount_types,
        is_sent_to_contact,
        has_attachments,
        updated_at
    from converted
)

select * from final
