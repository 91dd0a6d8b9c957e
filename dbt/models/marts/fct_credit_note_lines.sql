{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['credit_note_id']) }}",
) }}

{{ lines_of_documents('stg_xero__credit_notes', 'credit_note') }}
