{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('bank_transfers', 'bank_transfer_id') }}",
    indexes=[{'columns': ['tenant_id', 'bank_transfer_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('bank_transfers') }}
),

renamed as (
    select
        tenant_id,
        record_id as bank_transfer_id,
        {{ xero_code(['FromBankAccount', 'AccountID']) }} as from_account_id,
        {{ xero_code(['ToBankAccount', 'AccountID']) }} as to_account_id,
        {{ xero_code('FromBankTransactionID') }} as from_bank_transaction_id,
        {{ xero_code('ToBankTransactionID') }} as to_bank_transaction_id,
        {{ xero_code('Status') }} as status,
        {{ xero_text('Reference') }} as reference,
        {{ rate_that_converts(xero_number('CurrencyRate')) }} as currency_rate,
        {{ xero_date('Date') }} as transfer_date,
        {{ xero_number('Amount') }} as amount,
        {{ xero_boolean('FromIsReconciled') }} as is_from_reconciled,
        {{ xero_boolean('ToIsReconciled') }} as is_to_reconciled,
        {{ xero_boolean('HasAttachments') }} as has_attachments,
        {{ xero_list('FromTracking') }} as from_tracking,
        {{ xero_list('ToTracking') }} as to_tracking,
        {{ xero_timestamp('CreatedDateUTC') }} as created_at
    from source
),

final as (
    select
        tenant_id,
        bank_transfer_id,
        from_account_id,
        to_account_id,
        from_bank_transaction_id,
        to_bank_transaction_id,
        status,
        -- Transfers had no status before July 2026; deleted ones were not listed then.
        coalesce(status, 'AUTHORISED') = 'AUTHORISED' as is_approved,
        reference,
        currency_rate,
        transfer_date,
        amount,
        coalesce(is_from_reconciled, false) as is_from_reconciled,
        coalesce(is_to_reconciled, false) as is_to_reconciled,
        coalesce(has_attachments, false) as has_attachments,
        from_tracking,
        to_tracking,
        created_at
    from renamed
)

select * from final
