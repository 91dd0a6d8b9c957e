{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['document_id', 'settled_document_id']) }}",
    indexes=[
        {'columns': ['tenant_id', 'document_id', 'document_kind'], 'unique': true},
        {'columns': ['tenant_id', 'settled_document_id']},
    ],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

all_documents as not materialized (
    select * from {{ ref('int_documents_converted') }}
),

documents as (
    select * from all_documents
    where error is not null
),

payments as (
    select * from {{ ref('int_payments_converted') }}
    where error is not null
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
    where error is not null
),

bank_transfers as (
    select * from {{ ref('int_bank_transfers_converted') }}
    where error is not null
),

manual_journals as (
    select * from {{ ref('stg_xero__manual_journals') }}
    where
        is_posted
        and (journal_date is null or has_unreadable_line)
),

-- As Xero posted them.
{%- for basis in ['journals', 'cash_journals'] %}
{{ basis }} as (
    select * from {{ ref('stg_xero__' ~ basis) }}
    where
        journal_date is null
        or has_unreadable_line
),
{%- endfor %}

-- Those that daily statistics count, with an amount that they cannot, or without their day.
quotes as (
    select * from {{ ref('stg_xero__quotes') }}
    where
        status in ('DRAFT', 'SENT', 'ACCEPTED', 'DECLINED', 'INVOICED')
        and (quote_date is null or total_amount is null or currency_rate is null)
),

purchase_orders as (
    select * from {{ ref('stg_xero__purchase_orders') }}
    where
        is_approved
        and (purchase_order_date is null or total_amount is null or currency_rate is null)
),

allocations as (
    select * from {{ ref('int_allocations_gathered') }}
),

-- Outstanding amounts know what was applied to the end that is counted; no ledger that is made of
-- documents does.
half_read as (
    select
        allocations.tenant_id,
        allocations.credit_id,
        allocations.invoice_id,
        min(allocations.credit_date) as credit_date,
        min(coalesce(invoices.currency_code, credits.currency_code)) as currency_code,
        sum(allocations.amount) as amount
    from touched
    inner join allocations
        on
            touched.tenant_id = allocations.tenant_id
            and touched.document_id = allocations.invoice_id
    left join all_documents as invoices
        on
            allocations.tenant_id = invoices.tenant_id
            and allocations.invoice_id = invoices.document_id
    left join all_documents as credits
        on
            allocations.tenant_id = credits.tenant_id
            and allocations.credit_id = credits.document_id
    where
        (invoices.is_counted and {{ is_left_out('credits') }})
        or (credits.is_counted and {{ is_left_out('invoices') }})
    group by allocations.tenant_id, allocations.credit_id, allocations.invoice_id
),

final as (
    select
        documents.tenant_id,
        documents.document_id,
        documents.document_kind,
        documents.document_number,
        documents.document_date,
        documents.currency_code,
        documents.total_amount as amount,
        documents.error,
        null as settled_document_id
    from touched
    inner join documents
        on
            touched.tenant_id = documents.tenant_id
            and touched.document_id = documents.document_id
    union all
    select
        payments.tenant_id,
        payments.payment_id as document_id,
        'payment' as document_kind,
        payments.reference as document_number,
        payments.payment_date as document_date,
        payments.currency_code,
        payments.amount,
        payments.error,
        payments.document_id as settled_document_id
    from touched
    inner join payments
        on
            touched.tenant_id = payments.tenant_id
            and touched.document_id = coalesce(payments.document_id, payments.payment_id)
    union all
    select
        bank_transactions.tenant_id,
        bank_transactions.bank_transaction_id as document_id,
        'bank_transaction' as document_kind,
        bank_transactions.reference as document_number,
        bank_transactions.transaction_date as document_date,
        bank_transactions.currency_code,
        bank_transactions.total_amount as amount,
        bank_transactions.error,
        null as settled_document_id
    from touched
    inner join bank_transactions
        on
            touched.tenant_id = bank_transactions.tenant_id
            and touched.document_id = bank_transactions.bank_transaction_id
    -- Those two are documents above.
    where
        not bank_transactions.is_overpayment
        and not bank_transactions.is_prepayment
    union all
    select
        bank_transfers.tenant_id,
        bank_transfers.bank_transfer_id as document_id,
        'bank_transfer' as document_kind,
        bank_transfers.reference as document_number,
        bank_transfers.transfer_date as document_date,
        bank_transfers.currency_code,
        bank_transfers.amount,
        bank_transfers.error,
        null as settled_document_id
    from touched
    inner join bank_transfers
        on
            touched.tenant_id = bank_transfers.tenant_id
            and touched.document_id = bank_transfers.bank_transfer_id
    union all
    select
        manual_journals.tenant_id,
        manual_journals.manual_journal_id as document_id,
        'manual_journal' as document_kind,
        manual_journals.narration as document_number,
        manual_journals.journal_date as document_date,
        tenants.base_currency_code as currency_code,
        null::numeric as amount,
        case when manual_journals.journal_date is null then 'no_date' else 'no_amount' end as error,
        null as settled_document_id
    from touched
    inner join manual_journals
        on
            touched.tenant_id = manual_journals.tenant_id
            and touched.document_id = manual_journals.manual_journal_id
    inner join tenants on manual_journals.tenant_id = tenants.tenant_id
    {%- for kind in ['journal', 'cash_journal'] %}
    union all
    -- Where they make the ledger. Told apart by its own id, forgotten by that of what posted it.
    select
        {{ kind }}s.tenant_id,
        {{ kind }}s.journal_id as document_id,
        '{{ kind }}' as document_kind,
        {{ kind }}s.reference as document_number,
        {{ kind }}s.journal_date as document_date,
        tenants.base_currency_code as currency_code,
        null::numeric as amount,
        case when {{ kind }}s.journal_date is null then 'no_date' else 'no_amount' end as error,
        {{ kind }}s.source_id as settled_document_id
    from touched
    inner join {{ kind }}s
        on
            touched.tenant_id = {{ kind }}s.tenant_id
            and touched.document_id = coalesce({{ kind }}s.source_id, {{ kind }}s.journal_id)
    inner join tenants
        on
            {{ kind }}s.tenant_id = tenants.tenant_id
            and tenants.has_{{ kind }}s
    {%- endfor %}
    {%- for kind in ['quote', 'purchase_order'] %}
    union all
    select
        {{ kind }}s.tenant_id,
        {{ kind }}s.{{ kind }}_id as document_id,
        '{{ kind }}' as document_kind,
        {{ kind }}s.{{ kind }}_number as document_number,
        {{ kind }}s.{{ kind }}_date as document_date,
        {{ kind }}s.currency_code,
        {{ kind }}s.total_amount as amount,
        case
            when {{ kind }}s.{{ kind }}_date is null then 'no_date'
            when {{ kind }}s.total_amount is null then 'no_amount'
            else 'no_rate'
        end as error,
        null as settled_document_id
    from touched
    inner join {{ kind }}s
        on
            touched.tenant_id = {{ kind }}s.tenant_id
            and touched.document_id = {{ kind }}s.{{ kind }}_id
    {%- endfor %}
    union all
    select
        tenant_id,
        credit_id || ':' || invoice_id as document_id,
        'allocation' as document_kind,
        null as document_number,
        credit_date as document_date,
        currency_code,
        amount,
        'no_document' as error,
        invoice_id as settled_document_id
    from half_read
)

select * from final
