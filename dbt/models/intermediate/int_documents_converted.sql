{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ after_withdrawal() }}",
        "{{ forget_touched(['document_id']) }}",
    ],
    indexes=[
        {'columns': ['tenant_id', 'document_id', 'document_kind'], 'unique': true},
        {'columns': ['tenant_id', 'document_date']},
    ],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

touched as (
    select * from {{ ref('int_documents_touched') }}
),

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

credit_notes as (
    select * from {{ ref('stg_xero__credit_notes') }}
),

bank_transactions as (
    select * from {{ ref('stg_xero__bank_transactions') }}
),

united as (
    select
        invoices.tenant_id,
        invoices.invoice_id as document_id,
        'invoice' as document_kind,
        invoices.ledger,
        invoices.contact_id,
        invoices.invoice_number as document_number,
        invoices.status,
        invoices.is_approved,
        invoices.invoice_date as document_date,
        invoices.due_date,
        -- What customers promised and what is planned for suppliers; else the due date.
        coalesce(
            case invoices.ledger
                when 'receivables' then invoices.expected_payment_date
                when 'payables' then invoices.planned_payment_date
            end,
            invoices.due_date
        ) as expected_date,
        invoices.currency_code,
        invoices.currency_rate,
        invoices.net_amount,
        invoices.total_amount,
        invoices.has_unreadable_line,
        invoices.updated_at
    from touched
    inner join invoices
        on
            touched.tenant_id = invoices.tenant_id
            and touched.document_id = invoices.invoice_id
    union all
    select
        credit_notes.tenant_id,
        credit_notes.credit_note_id as document_id,
        'credit_note' as document_kind,
        credit_notes.ledger,
        credit_notes.contact_id,
        credit_notes.credit_note_number as document_number,
        credit_notes.status,
        credit_notes.is_approved,
        credit_notes.credit_note_date as document_date,
        null as due_date,
        null as expected_date,
        credit_notes.currency_code,
        credit_notes.currency_rate,
        credit_notes.net_amount,
        credit_notes.total_amount,
        credit_notes.has_unreadable_line,
        credit_notes.updated_at
    from touched
    inner join credit_notes
        on
            touched.tenant_id = credit_notes.tenant_id
            and touched.document_id = credit_notes.credit_note_id
    union all
    -- Money received or spent in advance: Xero posts it from the bank transaction.
    select
        bank_transactions.tenant_id,
        bank_transactions.document_id,
        case
            when bank_transactions.is_overpayment then 'overpayment' else 'prepayment'
        end as document_kind,
        bank_transactions.ledger,
        bank_transactions.contact_id,
        bank_transactions.reference as document_number,
        bank_transactions.status,
        bank_transactions.is_approved,
        bank_transactions.transaction_date as document_date,
        null as due_date,
        null as expected_date,
        bank_transactions.currency_code,
        bank_transactions.currency_rate,
        bank_transactions.net_amount,
        bank_transactions.total_amount,
        bank_transactions.has_unreadable_line,
        bank_transactions.updated_at
    from touched
    inner join bank_transactions
        on
            touched.tenant_id = bank_transactions.tenant_id
            and touched.document_id = bank_transactions.document_id
    where bank_transactions.is_overpayment or bank_transactions.is_prepayment
),

final as (
    select
        united.*,
        {{ to_base('united.net_amount', 'united.currency_rate') }} as net_base_amount,
        {{ to_base('united.total_amount', 'united.currency_rate') }} as total_base_amount,
        -- In the organisation's own time zone; Xero keeps no date of voiding, this is nearest.
        (united.updated_at at time zone tenants.timezone)::date as updated_date,
        (
            united.is_approved
            and united.ledger is not null
            and united.document_date is not null
            and united.total_amount is not null
            and united.has_unreadable_line is not true
        ) as is_counted,
        case
            when not united.is_approved then null
            when united.ledger is null then 'unknown_type'
            when united.document_date is null then 'no_date'
            when united.total_amount is null or united.has_unreadable_line then 'no_amount'
            when united.currency_rate is null then 'no_rate'
        end as error
    from united
    inner join tenants on united.tenant_id = tenants.tenant_id
)

select * from final
