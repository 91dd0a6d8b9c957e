{{ config(materialized='table') }}

with

credit_note_allocations as (
    select * from {{ ref('int_credit_note_allocations_unnested') }}
),

invoice_credits as (
    select * from {{ ref('int_invoice_credits_unnested') }}
),

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

-- First the credit notes' own word ...
allocated as (
    select
        tenant_id,
        invoice_id,
        'credit_note' as credit_kind,
        credit_note_id as credit_id,
        sum(amount) as amount,
        null::date as credit_date
    from credit_note_allocations
    group by tenant_id, invoice_id, credit_note_id
),

-- ... then what invoices mention beyond it: overpayments, prepayments, and credit notes that were
-- sent without their allocations.
mentioned as (
    select
        invoice_credits.tenant_id,
        invoice_credits.invoice_id,
        invoice_credits.credit_kind,
        invoice_credits.credit_id,
        sum(invoice_credits.applied_amount) as amount,
        max(invoice_credits.credit_date) as credit_date
    from invoice_credits
    left join allocated
        on
            invoice_credits.tenant_id = allocated.tenant_id
            and invoice_credits.invoice_id = allocated.invoice_id
            and invoice_credits.credit_kind = allocated.credit_kind
            and invoice_credits.credit_id = allocated.credit_id
    where allocated.credit_id is null
    group by
        invoice_credits.tenant_id,
        invoice_credits.invoice_id,
        invoice_credits.credit_kind,
        invoice_credits.credit_id
),

united as (
    select * from allocated
    union all
    select * from mentioned
),

-- An amount that nobody gives is what is left of the invoice's AmountCredited, when it is the only
-- one missing there.
summed as (
    select
        *,
        sum(amount) over (partition by tenant_id, invoice_id) as known_amount,
        count(*) filter (where amount is null) over (partition by tenant_id, invoice_id)
            as unknown_count
    from united
),

priced as (
    select
        summed.tenant_id,
        summed.invoice_id,
        summed.credit_kind,
        summed.credit_id,
        summed.credit_date,
        case
            when summed.amount is not null then summed.amount
            when summed.unknown_count = 1
                then invoices.credited_amount - coalesce(summed.known_amount, 0)
        end as amount
    from summed
    left join invoices
        on
            summed.tenant_id = invoices.tenant_id
            and summed.invoice_id = invoices.invoice_id
),

final as (
    select * from priced
    where amount > 0
)

select * from final
