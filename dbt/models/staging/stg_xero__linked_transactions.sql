{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('linked_transactions', 'linked_transaction_id') }}",
    indexes=[{'columns': ['tenant_id', 'linked_transaction_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('linked_transactions') }}
),

renamed as (
    select
        tenant_id,
        record_id as linked_transaction_id,
        {{ xero_code('Type') }} as linked_transaction_type,
        {{ xero_code('Status') }} as status,
        {{ xero_code('SourceTransactionTypeCode') }} as source_transaction_type,
        {{ xero_code('SourceTransactionID') }} as source_transaction_id,
        {{ xero_code('SourceLineItemID') }} as source_line_item_id,
        {{ xero_code('ContactID') }} as contact_id,
        {{ xero_code('TargetTransactionID') }} as target_transaction_id,
        {{ xero_code('TargetLineItemID') }} as target_line_item_id,
        xero_updated_at as updated_at
    from source
),

final as (
    select * from renamed
)

select * from final
