{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'document_id'],
    pre_hook="{{ forget_rebuilt() }}",
    indexes=[
        {'columns': ['tenant_id', 'settlement_id', 'document_place'], 'unique': true},
        {'columns': ['tenant_id', 'document_id']},
    ],
) }}

with

payments as (
    select * from {{ moved_documents(ref('int_payments_converted')) }}
    where is_counted
    union all
    -- One that names no document is its own. Apart, so that an index finds either.
    select * from {{ moved_documents(ref('int_payments_converted'), 'payment_id') }}
    where is_counted and document_id is null
),

touched as (
    select * from {{ ref('int_documents_touched') }}
),

listed_allocations as not materialized (
    select * from {{ ref('int_allocations_listed') }}
),

gathered_allocations as (
    select * from {{ ref('int_allocations_gathered') }}
),

credits as (
    select * from {{ ref('int_posting_documents_gathered') }}
),

invoices as (
    select * from {{ ref('int_posting_documents_gathered') }}
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
),

charts as (
    select * from {{ ref('int_charts_keyed') }}
),

paid as (
    select
        payments.*,
        accounts.account_id as money_account_id,
        charts.debtors_account_id,
        charts.creditors_account_id,
        -- What an invoice or a customer's refund puts on debit, a bill or a customer's payment
        -- puts on credit.
        case when payments.ledger = 'receivables' then 1 else -1 end
        * case when payments.document_kind = 'invoice' then -1 else 1 end as sign,
        not coalesce(accounts.is_in_base_currency, true) as is_from_foreign_account
    from payments
    inner join charts on payments.tenant_id = charts.tenant_id
    left join accounts
        on
            payments.tenant_id = accounts.tenant_id
            and payments.account_id = accounts.account_id
),

-- A payment has one document. It leaves the control account at the document's own rate; the
-- money is what it was worth; what lies between is realised currency gain.
payment_sides as (
    select
        tenant_id,
        payment_id as settlement_id,
        payment_id as source_id,
        'payment' as settlement_kind,
        1 as document_place,
        -- Journals have no words of their own for refunds of over- and prepayments.
        replace(payment_type, 'PAYMENTPAYMENT', 'PAYMENT') as source_type,
        coalesce(document_id, payment_id) as document_id,
        case
            when document_kind = 'invoice' and ledger = 'payables' then 'bill'
            else document_kind
        end as document_kind,
        case ledger when 'receivables' then debtors_account_id else creditors_account_id end
            as control_account_id,
        payment_date as posting_date,
        contact_id,
        currency_code,
        sign,
        amount,
        base_amount,
        money_account_id,
        -sign * money_base_amount as money_base_amount,
        sign * (money_base_amount - base_amount) as gain_base_amount,
        case
            when document_kind = 'prepayment' then 'refund_of_prepayment'
            when document_kind <> 'invoice' and ledger = 'receivables'
                then 'refund_of_receivable_credit'
            when document_kind <> 'invoice' then 'refund_of_payable_credit'
            else 'payment'
        end as rule,
        is_from_foreign_account
    from paid
    where
        base_amount is not null
        and money_base_amount is not null
),

-- Each allocation rounds alone, so the credits' own lists are asked first; where those may not be
-- read, invoices still mention what they were given.
united_allocations as (
    select
        tenant_id,
        credit_id,
        invoice_id,
        list_number as part_number,
        amount
    from listed_allocations
    where listed_by = 'credit'
    union all
    select
        gathered_allocations.tenant_id,
        gathered_allocations.credit_id,
        gathered_allocations.invoice_id,
        0 as part_number,
        gathered_allocations.amount
    from gathered_allocations
    where
        not exists (
            select 1
            from listed_allocations
            where
                listed_allocations.listed_by = 'credit'
                and listed_allocations.tenant_id = gathered_allocations.tenant_id
                and listed_allocations.invoice_id = gathered_allocations.invoice_id
                and listed_allocations.credit_id = gathered_allocations.credit_id
        )
),

-- Of a credit that moved its side of each allocation is made again, of an invoice its own.
allocations as (
    select
        united_allocations.*,
        touched_credits.document_id is not null as is_credit_touched,
        touched_invoices.document_id is not null as is_invoice_touched
    from united_allocations
    left join touched as touched_credits
        on
            united_allocations.tenant_id = touched_credits.tenant_id
            and united_allocations.credit_id = touched_credits.document_id
    left join touched as touched_invoices
        on
            united_allocations.tenant_id = touched_invoices.tenant_id
            and united_allocations.invoice_id = touched_invoices.document_id
    where
        touched_credits.document_id is not null
        or touched_invoices.document_id is not null
),

-- Both documents must count.
allocated as (
    select
        allocations.tenant_id,
        allocations.credit_id || ':' || allocations.invoice_id as source_id,
        allocations.part_number,
        allocations.amount,
        allocations.is_credit_touched,
        allocations.is_invoice_touched,
        credits.document_id as credit_id,
        credits.document_kind as credit_kind,
        credits.source_type,
        credits.currency_code,
        credits.control_account_id,
        credits.contact_id as credit_contact_id,
        invoices.document_id as invoice_id,
        invoices.document_kind as invoice_kind,
        invoices.contact_id as invoice_contact_id,
        invoices.whole_sign as invoice_sign,
        {{ to_base('allocations.amount', 'credits.currency_rate') }} as credit_base_amount,
        {{ to_base('allocations.amount', 'invoices.currency_rate') }} as invoice_base_amount,
        {{ allocation_date('credits.posting_date', 'invoices.posting_date') }} as posting_date
    from allocations
    inner join credits
        on
            allocations.tenant_id = credits.tenant_id
            and allocations.credit_id = credits.document_id
    inner join invoices
        on
            allocations.tenant_id = invoices.tenant_id
            and allocations.invoice_id = invoices.document_id
),

allocation_sides as (
    select
        allocated.tenant_id,
        allocated.source_id || ':' || allocated.part_number as settlement_id,
        allocated.source_id,
        'allocation' as settlement_kind,
        side.document_place,
        allocated.source_type,
        side.document_id,
        side.document_kind,
        allocated.control_account_id,
        allocated.posting_date,
        side.contact_id,
        allocated.currency_code,
        side.sign,
        allocated.amount,
        side.base_amount,
        null as money_account_id,
        null::numeric as money_base_amount,
        -- Once, on the credit's side.
        case
            when side.document_place = 1 then {{ rule_allocation_at_two_rates(
                'allocated.invoice_sign * allocated.credit_base_amount',
                '-allocated.invoice_sign * allocated.invoice_base_amount'
            ) }}
        end as gain_base_amount,
        case
            when allocated.credit_kind = 'prepayment' then 'allocation_of_prepayment'
            when allocated.credit_base_amount <> allocated.invoice_base_amount
                then 'allocation_at_two_rates'
            else 'allocation_of_credit'
        end as rule,
        false as is_from_foreign_account
    from allocated
    cross join lateral (
        values
        (
            1, allocated.credit_id, allocated.credit_kind, allocated.credit_contact_id,
            allocated.invoice_sign, allocated.credit_base_amount
        ),
        (
            2, allocated.invoice_id, allocated.invoice_kind, allocated.invoice_contact_id,
            -allocated.invoice_sign, allocated.invoice_base_amount
        )
    ) as side (document_place, document_id, document_kind, contact_id, sign, base_amount)
    where case side.document_place
        when 1 then allocated.is_credit_touched else allocated.is_invoice_touched
    end
),

final as (
    select * from payment_sides
    union all
    select * from allocation_sides
)

select * from final
