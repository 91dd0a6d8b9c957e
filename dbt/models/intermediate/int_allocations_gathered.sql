{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['invoice_id']) }}",
    indexes=[
        {'columns': ['tenant_id', 'invoice_id', 'credit_kind', 'credit_id'], 'unique': true},
        {'columns': ['tenant_id', 'credit_id']},
    ],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

allocations as (
    select * from {{ ref('int_allocations_listed') }}
),

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

-- An invoice's allocations are priced together.
listed as (
    select
        allocations.tenant_id,
        allocations.invoice_id,
        allocations.listed_by,
        allocations.credit_kind,
        allocations.credit_id,
        sum(allocations.amount) as amount,
        max(allocations.credit_date) as credit_date
    from touched
    inner join allocations
        on
            touched.tenant_id = allocations.tenant_id
            and touched.document_id = allocations.invoice_id
    group by
        allocations.tenant_id,
        allocations.invoice_id,
        allocations.listed_by,
        allocations.credit_kind,
        allocations.credit_id
),

-- First the credits' own word, then what invoices mention beyond it: credits whose list may not be
-- read, or that were sent without their allocations.
united as (
    select
        invoice_stub.tenant_id,
        invoice_stub.invoice_id,
        invoice_stub.credit_kind,
        invoice_stub.credit_id,
        invoice_stub.amount,
        invoice_stub.credit_date
    from listed as invoice_stub
    left join listed as own_word
        on
            invoice_stub.tenant_id = own_word.tenant_id
            and invoice_stub.invoice_id = own_word.invoice_id
            and invoice_stub.credit_kind = own_word.credit_kind
            and invoice_stub.credit_id = own_word.credit_id
            and own_word.listed_by = 'credit'
    where
        invoice_stub.listed_by = 'invoice'
        and own_word.credit_id is null
    union all
    select
        tenant_id,
        invoice_id,
        credit_kind,
        credit_id,
        amount,
        credit_date
    from listed
    where listed_by = 'credit'
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
