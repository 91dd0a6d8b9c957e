{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('payments', 'payment_id') }}",
    indexes=[
        {'columns': ['tenant_id', 'payment_id'], 'unique': true},
        {'columns': ['tenant_id', 'document_id']},
    ],
) }}

with

source as (
    {{ xero_records('payments') }}
),

renamed as (
    select
        tenant_id,
        record_id as payment_id,
        {{ xero_code('BatchPaymentID') }} as batch_payment_id,
        {{ xero_code('PaymentType') }} as payment_type,
        {{ xero_code('Status') }} as status,
        {{ xero_text('Reference') }} as reference,
        -- A refund names its credit under Invoice, or by the credit's own name.
        coalesce(
            {{ xero_code(['Invoice', 'InvoiceID']) }},
            {{ xero_code(['CreditNote', 'CreditNoteID']) }},
            {{ xero_code(['Overpayment', 'OverpaymentID']) }},
            {{ xero_code(['Prepayment', 'PrepaymentID']) }}
        ) as document_id,
        coalesce(
            {{ xero_currency(['Invoice', 'CurrencyCode']) }},
            {{ xero_currency(['CreditNote', 'CurrencyCode']) }},
            {{ xero_currency(['Overpayment', 'CurrencyCode']) }},
            {{ xero_currency(['Prepayment', 'CurrencyCode']) }}
        ) as document_currency_code,
        coalesce(
            {{ xero_code(['Invoice', 'Contact', 'ContactID']) }},
            {{ xero_code(['CreditNote', 'Contact', 'ContactID']) }},
            {{ xero_code(['Overpayment', 'Contact', 'ContactID']) }},
            {{ xero_code(['Prepayment', 'Contact', 'ContactID']) }}
        ) as contact_id,
        {{ xero_code(['Account', 'AccountID']) }} as account_id,
        {{ xero_code(['Account', 'Code']) }} as account_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as payment_date,
        {{ xero_number('Amount') }} as amount,
        {{ xero_number('BankAmount') }} as bank_amount,
        {{ xero_boolean('IsReconciled') }} as is_reconciled,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        payment_id,
        batch_payment_id,
        payment_type,
        case
            when payment_type in (
                'ACCRECPAYMENT', 'ARCREDITPAYMENT', 'AROVERPAYMENTPAYMENT', 'ARPREPAYMENTPAYMENT'
            ) then 'receivables'
            when payment_type in (
                'ACCPAYPAYMENT', 'APCREDITPAYMENT', 'APOVERPAYMENTPAYMENT', 'APPREPAYMENTPAYMENT'
            ) then 'payables'
        end as ledger,
        case
            when payment_type in ('ACCRECPAYMENT', 'ACCPAYPAYMENT') then 'invoice'
            when payment_type in ('ARCREDITPAYMENT', 'APCREDITPAYMENT') then 'credit_note'
            when payment_type in ('AROVERPAYMENTPAYMENT', 'APOVERPAYMENTPAYMENT') then 'overpayment'
            when payment_type in ('ARPREPAYMENTPAYMENT', 'APPREPAYMENTPAYMENT') then 'prepayment'
        end as document_kind,
        -- Customers pay in and suppliers pay refunds in; the rest goes out.
        case
            when payment_type in (
                'ACCRECPAYMENT', 'APCREDITPAYMENT', 'APOVERPAYMENTPAYMENT', 'APPREPAYMENTPAYMENT'
            ) then 'received'
            when payment_type in (
                'ACCPAYPAYMENT', 'ARCREDITPAYMENT', 'AROVERPAYMENTPAYMENT', 'ARPREPAYMENTPAYMENT'
            ) then 'spent'
        end as direction,
        status,
        coalesce(status in ('AUTHORISED', 'PAID'), false) as is_approved,
        reference,
        document_id,
        document_currency_code,
        contact_id,
        account_id,
        account_code,
        base_currency_code,
        currency_rate,
        payment_date,
        amount,
        bank_amount,
        coalesce(is_reconciled, false) as is_reconciled,
        updated_at
    from renamed
)

select * from final
