{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['document_id', 'payment_id']) }}",
    indexes=[
        {'columns': ['tenant_id', 'payment_id'], 'unique': true},
        {'columns': ['tenant_id', 'document_id']},
    ],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

all_payments as not materialized (
    select * from {{ ref('stg_xero__payments') }}
),

documents as (
    select * from {{ ref('int_documents_converted') }}
),

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

-- A payment that moved has touched its document, and a document all of its payments.
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

joined as (
    select
        payments.tenant_id,
        payments.payment_id,
        payments.batch_payment_id,
        payments.payment_type,
        payments.ledger,
        payments.document_kind,
        payments.document_id,
        payments.direction,
        payments.status,
        payments.is_approved,
        payments.reference,
        payments.account_id,
        payments.is_reconciled,
        payments.payment_date,
        payments.amount,
        payments.bank_amount,
        payments.base_currency_code,
        payments.updated_at,
        documents.document_id is not null as has_document,
        {{ is_left_out('documents') }} as is_of_document_left_out,
        -- The payment's own stub stays as it was when its contact is merged into another.
        coalesce(documents.contact_id, payments.contact_id) as contact_id,
        coalesce(documents.currency_code, payments.document_currency_code, 'XXX') as currency_code,
        -- A payment settles its document at the document's own rate ...
        documents.currency_rate as document_currency_rate,
        -- ... and moves the bank at its own.
        {{ rate_that_converts('payments.currency_rate') }} as payment_currency_rate,
        coalesce(accounts.is_bank_account, false) as is_bank_account,
        accounts.currency_code as account_currency_code
    from payments
    left join documents
        on
            payments.tenant_id = documents.tenant_id
            and payments.document_id = documents.document_id
    left join accounts
        on
            payments.tenant_id = accounts.tenant_id
            and payments.account_id = accounts.account_id
),

rated as (
    select
        *,
        case
            when has_document then document_currency_rate
            when currency_code = base_currency_code then 1
            else payment_currency_rate
        end as currency_rate,
        case
            when currency_code = base_currency_code then 1
            else payment_currency_rate
        end as bank_rate
    from joined
),

converted as (
    select
        *,
        {{ to_base('amount', 'currency_rate') }} as base_amount,
        -- BankAmount is in the account's currency; only an old payment comes without it.
        case
            when is_bank_account and account_currency_code <> base_currency_code
                then {{ rule_payment_from_foreign_account(
                    'case when currency_code = base_currency_code then amount end',
                    'coalesce(bank_amount, case when account_currency_code = currency_code '
                    ~ 'then amount end)',
                    'payment_currency_rate'
                ) }}
            else coalesce(bank_amount, {{ to_base('amount', 'bank_rate') }})
        end as money_base_amount
    from rated
),

final as (
    select
        tenant_id,
        payment_id,
        batch_payment_id,
        payment_type,
        ledger,
        document_kind,
        document_id,
        contact_id,
        account_id,
        is_bank_account,
        direction,
        status,
        is_approved,
        reference,
        is_reconciled,
        payment_date,
        currency_code,
        currency_rate,
        payment_currency_rate,
        amount,
        base_amount,
        bank_amount,
        money_base_amount,
        case when is_bank_account then money_base_amount else 0 end as bank_base_amount,
        updated_at,
        (
            is_approved
            and ledger is not null
            and payment_date is not null
            and amount is not null
        ) as is_counted,
        case
            when not is_approved then null
            when ledger is null then 'unknown_type'
            when payment_date is null then 'no_date'
            when amount is null then 'no_amount'
            when base_amount is null or money_base_amount is null then 'no_rate'
            -- The ledger takes it from what is owed, and no outstanding document knows of it.
            when is_of_document_left_out then 'no_document'
        end as error
    from converted
)

select * from final
