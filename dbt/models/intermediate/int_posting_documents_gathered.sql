{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['document_id']) }}",
    indexes=[{'columns': ['tenant_id', 'document_id'], 'unique': true}],
) }}

with

invoices as (
    select * from {{ moved_documents(ref('stg_xero__invoices'), 'invoice_id') }}
),

credit_notes as (
    select * from {{ moved_documents(ref('stg_xero__credit_notes'), 'credit_note_id') }}
),

bank_transactions as (
    select * from {{ moved_documents(ref('stg_xero__bank_transactions')) }}
),

manual_journals as (
    select * from {{ moved_documents(ref('stg_xero__manual_journals'), 'manual_journal_id') }}
),

charts as (
    select * from {{ ref('int_charts_keyed') }}
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
),

-- The whole of a document is what stands on one account: debit for whole_sign 1, credit for -1.
united as (
    select
        invoices.tenant_id,
        invoices.invoice_id as document_id,
        invoices.invoice_id as source_id,
        case invoices.ledger when 'receivables' then 'invoice' else 'bill' end as document_kind,
        invoices.invoice_type as source_type,
        case invoices.ledger when 'receivables' then 1 else -1 end as whole_sign,
        case invoices.ledger
            when 'receivables' then charts.debtors_account_id else charts.creditors_account_id
        end as whole_account_id,
        case invoices.ledger
            when 'receivables' then charts.debtors_account_id else charts.creditors_account_id
        end as control_account_id,
        invoices.invoice_date as posting_date,
        invoices.contact_id,
        invoices.currency_code,
        invoices.currency_rate,
        invoices.total_amount,
        invoices.line_amount_types,
        false as is_on_cash_basis
    from invoices
    inner join charts on invoices.tenant_id = charts.tenant_id
    where
        invoices.is_approved
        and invoices.ledger is not null
        and invoices.has_unreadable_line is not true
    union all
    select
        credit_notes.tenant_id,
        credit_notes.credit_note_id as document_id,
        credit_notes.credit_note_id as source_id,
        'credit_note' as document_kind,
        credit_notes.credit_note_type as source_type,
        case credit_notes.ledger when 'receivables' then -1 else 1 end as whole_sign,
        case credit_notes.ledger
            when 'receivables' then charts.debtors_account_id else charts.creditors_account_id
        end as whole_account_id,
        case credit_notes.ledger
            when 'receivables' then charts.debtors_account_id else charts.creditors_account_id
        end as control_account_id,
        credit_notes.credit_note_date as posting_date,
        credit_notes.contact_id,
        credit_notes.currency_code,
        credit_notes.currency_rate,
        credit_notes.total_amount,
        credit_notes.line_amount_types,
        false as is_on_cash_basis
    from credit_notes
    inner join charts on credit_notes.tenant_id = charts.tenant_id
    where
        credit_notes.is_approved
        and credit_notes.ledger is not null
        and credit_notes.has_unreadable_line is not true
    union all
    -- The legs of transfers post nothing: the transfers do.
    select
        bank_transactions.tenant_id,
        bank_transactions.document_id,
        bank_transactions.bank_transaction_id as source_id,
        case
            when bank_transactions.is_overpayment then 'overpayment'
            when bank_transactions.is_prepayment then 'prepayment'
            else 'bank_transaction'
        end as document_kind,
        case
            when bank_transactions.is_overpayment and bank_transactions.direction = 'received'
                then 'AROVERPAYMENT'
            when bank_transactions.is_overpayment then 'APOVERPAYMENT'
            when bank_transactions.is_prepayment and bank_transactions.direction = 'received'
                then 'ARPREPAYMENT'
            when bank_transactions.is_prepayment then 'APPREPAYMENT'
            when bank_transactions.direction = 'received' then 'CASHREC'
            else 'CASHPAID'
        end as source_type,
        case bank_transactions.direction when 'received' then 1 else -1 end as whole_sign,
        accounts.account_id as whole_account_id,
        case bank_transactions.ledger
            when 'receivables' then charts.debtors_account_id
            when 'payables' then charts.creditors_account_id
        end as control_account_id,
        bank_transactions.transaction_date as posting_date,
        bank_transactions.contact_id,
        bank_transactions.currency_code,
        bank_transactions.currency_rate,
        bank_transactions.total_amount,
        bank_transactions.line_amount_types,
        true as is_on_cash_basis
    from bank_transactions
    inner join charts on bank_transactions.tenant_id = charts.tenant_id
    left join accounts
        on
            bank_transactions.tenant_id = accounts.tenant_id
            and bank_transactions.account_id = accounts.account_id
    where
        bank_transactions.is_approved
        and bank_transactions.direction is not null
        and not bank_transactions.is_transfer
        and bank_transactions.has_unreadable_line is not true
    union all
    -- Their lines are signed and sum to zero: there is no whole.
    select
        manual_journals.tenant_id,
        manual_journals.manual_journal_id as document_id,
        manual_journals.manual_journal_id as source_id,
        'manual_journal' as document_kind,
        'MANJOURNAL' as source_type,
        -1 as whole_sign,
        null as whole_account_id,
        null as control_account_id,
        manual_journals.journal_date as posting_date,
        null as contact_id,
        charts.base_currency_code as currency_code,
        1 as currency_rate,
        0 as total_amount,
        manual_journals.line_amount_types,
        manual_journals.is_on_cash_basis
    from manual_journals
    inner join charts on manual_journals.tenant_id = charts.tenant_id
    where
        manual_journals.is_posted
        and manual_journals.has_unreadable_line is not true
),

converted as (
    select
        *,
        {{ to_base('total_amount', 'currency_rate') }} as total_base_amount
    from united
),

-- What lacks a date, a total or a rate, or has a line that cannot be read, is a row of
-- fct_document_errors and posts nothing.
final as (
    select * from converted
    where
        posting_date is not null
        and total_base_amount is not null
)

select * from final
