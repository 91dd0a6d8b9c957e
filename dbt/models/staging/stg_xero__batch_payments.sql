{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('batch_payments', 'batch_payment_id') }}",
    indexes=[{'columns': ['tenant_id', 'batch_payment_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('batch_payments') }}
),

renamed as (
    select
        tenant_id,
        record_id as batch_payment_id,
        {{ xero_code('Type') }} as batch_payment_type,
        {{ xero_code('Status') }} as status,
        {{ xero_text('Reference') }} as reference,
        {{ xero_text('Particulars') }} as particulars,
        {{ xero_text('Code') }} as code,
        {{ xero_text('Details') }} as details,
        {{ xero_text('Narrative') }} as narrative,
        {{ xero_code(['Account', 'AccountID']) }} as account_id,
        {{ xero_currency(['Account', 'CurrencyCode']) }} as currency_code,
        {{ xero_date('Date') }} as payment_date,
        {{ xero_number('TotalAmount') }} as total_amount,
        {{ xero_boolean('IsReconciled') }} as is_reconciled,
        {{ xero_list('Payments') }} as payments,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        batch_payment_id,
        batch_payment_type,
        case batch_payment_type
            when 'RECBATCH' then 'receivables' when 'PAYBATCH' then 'payables'
        end as ledger,
        case batch_payment_type
            when 'RECBATCH' then 'received' when 'PAYBATCH' then 'spent'
        end as direction,
        status,
        coalesce(status = 'AUTHORISED', false) as is_approved,
        reference,
        particulars,
        code,
        details,
        narrative,
        account_id,
        coalesce(currency_code, 'XXX') as currency_code,
        payment_date,
        total_amount,
        coalesce(is_reconciled, false) as is_reconciled,
        payments,
        updated_at
    from renamed
)

select * from final
