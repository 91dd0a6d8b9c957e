{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['invoice_id']) }}",
) }}

{{ lines_of_documents('stg_xero__invoices', 'invoice') }}
