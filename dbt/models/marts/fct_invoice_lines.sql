{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'invoice_id'],
    pre_hook="{{ forget_rebuilt() }}",
) }}

{{ lines_of_documents(
    'stg_xero__invoices',
    id='invoice_id',
    posted_id='invoice_id',
    of_document=['ledger', 'invoice_date'],
    of_line=['discount_rate'],
) }}
