{#- Not materialized, so that the documents asked for are found through the indexes. -#}
with

documents as not materialized (
    select * from {{ ref('int_documents_converted') }}
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
    where
        document_kind = 'invoice'
        and settlement_kind = 'payment'
),

counted_payments as not materialized (
    select * from {{ ref('int_payments_converted') }}
    where is_counted
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
    where is_counted
),

-- Forgotten by the document that they pay, or by themselves where none is named.
payments as not materialized (
    {%- for document_id, is_chosen in {
        'document_id': 'document_id is not null',
        'payment_id': 'document_id is null',
    }.items() %}
    select
        tenant_id,
        {{ document_id }} as document_id,
        ledger,
        document_kind,
        direction,
        is_bank_account,
        currency_code,
        payment_date,
        amount,
        base_amount,
        bank_base_amount
    from counted_payments
    where {{ is_chosen }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

issued as (
    select
        tenant_id,
        document_id,
        currency_code,
        ledger || case document_kind
            when 'invoice' then '_issued' else '_credit_notes_issued'
        end as measure,
        document_date as event_date,
        total_amount as amount,
        total_base_amount as base_amount
    from documents
    where
        is_counted
        and document_kind in ('invoice', 'credit_note')
    union all
    -- Tax left out, as Xero's executive summary averages invoices.
    select
        tenant_id,
        document_id,
        currency_code,
        ledger || '_issued_net' as measure,
        document_date as event_date,
        net_amount as amount,
        net_base_amount as base_amount
    from documents
    where
        is_counted
        and document_kind = 'invoice'
),

-- Xero keeps no date of voiding: the last change, in the organisation's own time zone, is nearest.
voided as (
    select
        tenant_id,
        document_id,
        currency_code,
        ledger || '_voided' as measure,
        updated_date as event_date,
        total_amount as amount,
        total_base_amount as base_amount
    from documents
    where
        document_kind = 'invoice'
        and status = 'VOIDED'
        and ledger is not null
        and updated_date is not null
),

-- A level, unlike the others: it stays until the document is approved or deleted.
unapproved as (
    select
        tenant_id,
        document_id,
        currency_code,
        ledger || '_' || lower(status) as measure,
        document_date as event_date,
        total_amount as amount,
        total_base_amount as base_amount
    from documents
    where
        document_kind = 'invoice'
        and status in ('DRAFT', 'SUBMITTED')
        and ledger is not null
        and document_date is not null
        and total_amount is not null
),

paid as (
    select
        tenant_id,
        document_id,
        currency_code,
        ledger || '_paid' as measure,
        payment_date as event_date,
        amount,
        base_amount
    from payments
    where document_kind = 'invoice'
),

-- Days are weighed with the money that waited for so long: the amount is money times days.
waited as (
    select
        settlements.tenant_id,
        settlements.document_id,
        settlements.currency_code,
        settlements.ledger || '_' || kind.kind_name as measure,
        settlements.settled_date as event_date,
        settlements.base_amount * (settlements.settled_date - kind.since_date) as amount,
        settlements.base_amount
    from settlements
    inner join documents
        on
            settlements.tenant_id = documents.tenant_id
            and settlements.document_id = documents.document_id
            and settlements.document_kind = documents.document_kind
    cross join lateral (
        values
        ('days_to_pay', documents.document_date),
        ('days_late', documents.due_date)
    ) as kind (kind_name, since_date)
    where kind.since_date is not null
),

cash as (
    select
        tenant_id,
        document_id,
        currency_code,
        'cash_' || direction as measure,
        payment_date as event_date,
        amount,
        bank_base_amount as base_amount
    from payments
    where is_bank_account
    union all
    select
        tenant_id,
        bank_transaction_id as document_id,
        currency_code,
        'cash_' || direction as measure,
        transaction_date as event_date,
        total_amount as amount,
        total_base_amount as base_amount
    from bank_transactions
    where not is_transfer
),

united as (
    select * from issued
    union all
    select * from voided
    union all
    select * from unapproved
    union all
    select * from paid
    union all
    select * from waited
    union all
    select * from cash
),

final as (
    select
        tenant_id,
        document_id,
        currency_code,
        measure,
        event_date,
        1 as event_count,
        amount,
        base_amount
    from united
)

select * from final
