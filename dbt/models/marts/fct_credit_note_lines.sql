{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'credit_note_id'],
    pre_hook="{{ forget_rebuilt() }}",
) }}

{{ lines_of_documents(
    'stg_xero__credit_notes',
    id='credit_note_id',
    posted_id='credit_note_id',
    of_document=['ledger', 'credit_note_date'],
    of_line=['discount_rate'],
) }}
