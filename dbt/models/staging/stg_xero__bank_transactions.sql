{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('bank_transactions', 'bank_transaction_id') }}",
    indexes=[
        {'columns': ['tenant_id', 'bank_transaction_id'], 'unique': true},
        {'columns': ['tenant_id', 'document_id']},
    ],
) }}

with

source as (
    {{ xero_records('bank_transactions') }}
),

renamed as (
    select
        tenant_id,
        record_id as bank_transaction_id,
        {{ xero_code('OverpaymentID') }} as overpayment_id,
        {{ xero_code('PrepaymentID') }} as prepayment_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code(['BankAccount', 'AccountID']) }} as account_id,
        {{ xero_code('Type') }} as bank_transaction_type,
        {{ xero_code('Status') }} as status,
        {{ xero_text('Reference') }} as reference,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as transaction_date,
        {{ xero_number('SubTotal') }} as net_amount,
        {{ xero_number('TotalTax') }} as tax_amount,
        {{ xero_number('Total') }} as total_amount,
        {{ xero_boolean('IsReconciled') }} as is_reconciled,
        {{ xero_list('LineItems') }} as line_items,
        {{ xero_has_unreadable_line('LineItems', ['LineAmount', 'TaxAmount']) }}
            as has_unreadable_line,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        bank_transaction_id,
        -- Payments, allocations and refunds know money in advance by an id of its own.
        coalesce(overpayment_id, prepayment_id, bank_transaction_id) as document_id,
        overpayment_id,
        prepayment_id,
        contact_id,
        contact_name,
        account_id,
        bank_transaction_type,
        case
            when bank_transaction_type like 'RECEIVE%' then 'received'
            when bank_transaction_type like 'SPEND%' then 'spent'
        end as direction,
        -- Money received in advance belongs to customers, money spent in advance to suppliers.
        case
            when bank_transaction_type like 'RECEIVE-%PAYMENT' then 'receivables'
            when bank_transaction_type like 'SPEND-%PAYMENT' then 'payables'
        end as ledger,
        coalesce(bank_transaction_type like '%-TRANSFER', false) as is_transfer,
        coalesce(bank_transaction_type like '%-OVERPAYMENT', false) as is_overpayment,
        coalesce(bank_transaction_type like '%-PREPAYMENT', false) as is_prepayment,
        status,
        coalesce(status in ('AUTHORISED', 'PAID'), false) as is_approved,
        reference,
        line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        {{ usable_rate('currency_code', 'currency_rate', 'base_currency_code') }} as currency_rate,
        transaction_date,
        net_amount,
        tax_amount,
        total_amount,
        coalesce(is_reconciled, false) as is_reconciled,
        line_items,
        has_unreadable_line,
        updated_at
    from renamed
)

select * from final
