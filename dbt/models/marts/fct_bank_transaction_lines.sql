{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'document_id'],
    pre_hook="{{ forget_rebuilt() }}",
    indexes=[{'columns': ['tenant_id', 'document_id']}],
) }}

{{ lines_of_documents(
    'stg_xero__bank_transactions',
    id='bank_transaction_id',
    posted_id='document_id',
    of_document=['document_id', 'direction', 'transaction_date'],
) }}
